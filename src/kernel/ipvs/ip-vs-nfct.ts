/** IPVS and connection tracking (net/netfilter/ipvs/ip_vs_nfct.c; Linux 6.1). */
import type { ConntrackEntry } from '../netfilter/conntrack.ts';
import { replaceEntry } from '../netfilter/conntrack-in.ts';
import type { Skb } from '../skb.ts';
import type { IpvsConnection } from './connection.ts';

/**
 * ip_vs_update_conntrack: the answer to a first packet will come from the server (`in`), or go to
 * the virtual address (`out`). The entry is no translated one for it: IPVS changes the packets.
 */
export const ipVsUpdateConntrack = (
  conntrack: ConntrackEntry[],
  skb: Skb,
  { server, virtual }: IpvsConnection,
  way: 'in' | 'out',
): void => {
  const { ct } = skb;
  if (!ct || ct.entry.confirmed || ct.dir !== 'original') return;
  const { reply } = ct.entry;
  const icmp = reply.protocol === 'icmp';
  const altered =
    way === 'in'
      ? { ...reply, src: server.ip, sport: icmp ? reply.sport : server.port }
      : { ...reply, dst: virtual.ip, dport: icmp ? reply.dport : virtual.port };
  const entry: ConntrackEntry = { ...ct.entry, reply: altered };
  replaceEntry(conntrack, ct.entry, entry);
  ct.entry = entry;
};
