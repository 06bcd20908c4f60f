/** Connection tracking (net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_*.c). */
import type { Ip, Unknown } from '../../wire/packet.ts';

/** One direction of a flow. Echo uses `id` for both ports. */
export interface CtTuple {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sport: number | Unknown;
  readonly dport: number | Unknown;
}

export type CtDir = 'original' | 'reply';

/** As `conntrack -L` prints it. */
export type TcpState =
  | 'SYN_SENT'
  | 'SYN_SENT2'
  | 'SYN_RECV'
  | 'ESTABLISHED'
  | 'FIN_WAIT'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'TIME_WAIT'
  | 'CLOSE';

export interface ConntrackEntry {
  readonly original: CtTuple;
  /** What an answer must look like; differs from the mirrored original where NAT is bound. */
  readonly reply: CtTuple;
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly snat: boolean;
  readonly dnat: boolean;
  /** TCP only, as conntrack prints it. */
  readonly tcpState?: TcpState;
  readonly confirmed: boolean;
  /** IPS_SRC_NAT_DONE, IPS_DST_NAT_DONE: that half of the binding is set and never changes. */
  readonly srcNatDone: boolean;
  readonly dstNatDone: boolean;
  /** The device MASQUERADE bound it to; by another one the flow may not leave. */
  readonly masqueradeOut?: string;
  /** TCP: who closed it, which decides whether a new SYN may take its place. */
  readonly closedBy?: 'fin' | CtDir;
}

/** nf_ct_invert_tuple: what the answer to a packet looks like. */
export const invertTuple = ({ src, dst, protocol, sport, dport }: CtTuple): CtTuple => ({
  src: dst,
  dst: src,
  protocol,
  sport: dport,
  dport: sport,
});

/** The tuple of one direction of an entry. */
export const tupleOf = (entry: ConntrackEntry, dir: CtDir): CtTuple =>
  dir === 'original' ? entry.original : entry.reply;

/** The other direction. */
export const reverse = (dir: CtDir): CtDir => (dir === 'original' ? 'reply' : 'original');
