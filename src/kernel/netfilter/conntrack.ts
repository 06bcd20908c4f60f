/** Connection tracking (net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_*.c). */
import type { Ip } from '../../wire/packet.ts';

/** One direction of a flow. Echo uses `id` for both ports. */
export interface CtTuple {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sport: number;
  readonly dport: number;
}

export type CtDir = 'original' | 'reply';

export interface ConntrackEntry {
  readonly original: CtTuple;
  /** What an answer must look like; differs from the mirrored original where NAT is bound. */
  readonly reply: CtTuple;
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly snat: boolean;
  readonly dnat: boolean;
  /** TCP only, as conntrack prints it. */
  readonly tcpState?: 'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'CLOSE';
  readonly confirmed: boolean;
  /** The reply tuple's port was picked at random (`--random-fully`). */
  readonly unknownPort?: boolean;
}
