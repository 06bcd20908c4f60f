/** A packet inside a stack: the packet and what the kernel remembers beside it (struct sk_buff). */
import type { Ipv4, Mac } from '../wire/packet.ts';
import type { ConntrackEntry, CtDir } from './netfilter/conntrack.ts';
import type { CtState } from './netfilter/ruleset.ts';

/** Mutable while it walks; the `packet` in it is not. */
export interface Skb {
  packet: Ipv4;
  /** The Ethernet header, where there is one. */
  mac?: { src: Mac; dst: Mac };
  mark: number;
  /** Set by conntrack in PREROUTING or OUTPUT; dropped when the packet leaves the namespace. */
  ct?: { entry: ConntrackEntry; dir: CtDir; state: CtState };
  /** Receiving device, absent for packets made here. */
  iif?: string;
  /** br_netfilter: the bridge ports while a bridged frame is in iptables. */
  physin?: string;
  physout?: string;
}
