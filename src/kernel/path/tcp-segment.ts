/** TCP segments as Linux makes them: which options they carry, and how long they are. */
import type { Ip, Ipv4, Opaque, Tcp, TcpFlag, TcpOption } from '../../wire/packet.ts';

/** IPv4 and TCP header without options, in bytes: what an MTU leaves for a segment. */
export const HEADERS = 40;
/** Time stamps and the padding in front of them, which every segment carries. */
export const TIMESTAMPS = 12;
const MIN_ADVMSS = 256;

/** ipv4_default_advmss (net/ipv4/route.c): what a side says it can take, in bytes. */
export const advmss = (mtu: number): number => Math.max(mtu - HEADERS, MIN_ADVMSS);

/** tcp_syn_options: maximum segment size, SACK, time stamps, window scale; 20 bytes. */
export const synOptions = (mss: number): TcpOption[] => [
  { kind: 'mss', mss },
  { kind: 'sack-permitted' },
  { kind: 'timestamps', value: 0, echo: 0 },
  { kind: 'nop' },
  { kind: 'window-scale', shift: 10 },
];

/** tcp_established_options: time stamps alone, 12 bytes. */
export const ACK_OPTIONS: readonly TcpOption[] = [
  { kind: 'nop' },
  { kind: 'nop' },
  { kind: 'timestamps', value: 0, echo: 0 },
];

export interface Segment {
  readonly src: Ip;
  readonly dst: Ip;
  readonly sport: Tcp['sport'];
  readonly dport: Tcp['dport'];
  readonly flags: readonly TcpFlag[];
  readonly seq: number;
  readonly ack: number;
  readonly options: readonly TcpOption[];
  readonly payload: Opaque;
  readonly ttl: number;
}

/** A segment in its packet. TCP never lets its packets be cut. */
export const segmentPacket = ({ src, dst, ttl, ...tcp }: Segment): Ipv4 => ({
  type: 'ipv4',
  src,
  dst,
  ttl,
  tos: 0,
  df: true,
  id: 0,
  payload: { type: 'tcp', window: 64240, ...tcp },
});
