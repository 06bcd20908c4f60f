/** A packet inside a stack: the packet and what the kernel remembers beside it (struct sk_buff). */
import type { Ip, Ipv4, Mac } from '../wire/packet.ts';
import type { ConntrackEntry, CtDir } from './netfilter/conntrack.ts';
import type { CtState } from './netfilter/ruleset.ts';

/** How the Ethernet destination of a frame relates to the device it came in by (eth_type_trans). */
export type PktType = 'host' | 'broadcast' | 'multicast' | 'otherhost';

/** The route that was found for a packet (struct rtable). */
export interface Dst {
  readonly type: 'unicast' | 'local' | 'broadcast' | 'multicast';
  /** Where it leaves; `lo` for what stays here. */
  readonly dev: string;
  /** Absent: the destination itself is the next hop. */
  readonly gateway?: Ip;
  /** Bytes; from the row of the route. */
  readonly mtu?: number;
  /** Bytes; learned from an ICMP error (struct fib_nh_exception). */
  readonly pmtu?: number;
  /** The packet came in and goes on: the sender could have gone there itself. */
  readonly redirect?: boolean;
}

/** Mutable while it walks; the `packet` in it is not. */
export interface Skb {
  packet: Ipv4;
  /** The Ethernet header, where there is one. */
  mac?: { src: Mac; dst: Mac } | undefined;
  mark: number;
  /**
   * Set by conntrack in PREROUTING or OUTPUT; dropped when the packet leaves the namespace. Clones
   * share it: what becomes of the connection by one copy, the others find.
   */
  ct?: { entry: ConntrackEntry; dir: CtDir; state: CtState } | undefined;
  /** A rule of table raw keeps conntrack away from it (IP_CT_UNTRACKED). */
  untracked?: boolean | undefined;
  /** Made about an untracked packet: no rule can keep conntrack away from it any more. */
  madeUntracked?: boolean | undefined;
  /** Receiving device, absent for packets made here. */
  iif?: string | undefined;
  /** br_netfilter: the bridge ports while a bridged frame is in iptables. */
  physin?: string | undefined;
  physout?: string | undefined;
  /** Absent for packets made here, which count as `host`. */
  pktType?: PktType | undefined;
  dst?: Dst | undefined;
  /** br_netfilter walked PREROUTING in the bridge: ip_sabotage_in skips it in the stack. */
  preroutingDone?: boolean | undefined;
  /** br_netfilter translated it and found its route: the stack's lookup is not the first. */
  routedInBridge?: boolean | undefined;
  /** IPSKB_FORWARDED. */
  forwarded?: boolean | undefined;
  /** IPVS has been at it (skb->ipvs_property), and leaves it alone. */
  ipvsProperty?: boolean | undefined;
}

/** The state that rules see: a packet without entry is INVALID, unless nobody was to look. */
export const ctStateOf = ({ ct, untracked }: Skb): CtState =>
  ct?.state ?? (untracked ? 'UNTRACKED' : 'INVALID');

/** alloc_skb: a packet that nothing is known of yet. */
export const allocSkb = (packet: Ipv4, mark: number, dst?: Dst): Skb => ({
  packet,
  mac: undefined,
  mark,
  ct: undefined,
  untracked: false,
  madeUntracked: false,
  iif: undefined,
  physin: undefined,
  physout: undefined,
  pktType: undefined,
  dst,
  preroutingDone: false,
  routedInBridge: false,
  forwarded: false,
  ipvsProperty: false,
});

/** skb_clone: changes to one are not seen in the other. */
export const skbClone = (skb: Skb): Skb => {
  const clone = allocSkb(skb.packet, skb.mark, skb.dst);
  clone.mac = skb.mac;
  clone.ct = skb.ct;
  clone.untracked = skb.untracked;
  clone.madeUntracked = skb.madeUntracked;
  clone.iif = skb.iif;
  clone.physin = skb.physin;
  clone.physout = skb.physout;
  clone.pktType = skb.pktType;
  clone.preroutingDone = skb.preroutingDone;
  clone.routedInBridge = skb.routedInBridge;
  clone.forwarded = skb.forwarded;
  clone.ipvsProperty = skb.ipvsProperty;
  return clone;
};
