/** TCP arrives at its host (net/ipv4/tcp_ipv4.c). */
import type { Ipv4, Tcp } from '../../wire/packet.ts';
import { NO_DATA } from '../../wire/packet.ts';
import type { Skb } from '../skb.ts';
import { allocSkb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { resetFor } from './nf-reject.ts';
import { defaultTtl, replyMark } from './reply.ts';
import { dstMtu, routeOutput } from './route.ts';
import { deliverToFlow, lookupListener, tellListener } from './socket-lookup.ts';
import { ACK_OPTIONS, advmss, segmentPacket, synOptions } from './tcp-segment.ts';
import type { FlowSocket, Walk } from './walk.ts';
import { drop, emit, end } from './walk.ts';

const has = (tcp: Tcp, flag: Tcp['flags'][number]): boolean => tcp.flags.includes(flag);

/** Sends a segment back to where one came from, the kernel's own or a socket's. */
const sendBack = (
  walk: Walk,
  netns: Netns,
  { packet, mark: asked }: Skb,
  what: 'rst' | 'syn-ack' | 'answer',
  make: (mtu: number) => Ipv4,
): void => {
  const mark = replyMark(netns, asked);
  const key = { dst: packet.src, src: packet.dst, ...(mark !== 0 && { mark }) };
  const detail = { protocol: 'tcp', what, src: key.src, dst: key.dst } as const;
  emit(walk, { kind: 'socket', netns: netns.id, action: 'kernel-send', detail });
  const route = routeOutput(walk, netns, key);
  if (route.kind === 'error') end(walk, { kind: 'dropped', reason: 'IP_OUTNOROUTES' });
  if (route.kind !== 'route') return;
  const answer = make(dstMtu(netns, route.dst));
  walk.stages.ipLocalOut(walk, netns, allocSkb(answer, mark, route.dst));
};

/** tcp_v4_send_reset: a segment that nobody waits for is refused, unless it refuses something. */
const sendReset = (walk: Walk, netns: Netns, skb: Skb, tcp: Tcp): void => {
  if (has(tcp, 'rst')) return;
  const { src, dst } = skb.packet;
  const run = (): void =>
    sendBack(walk, netns, skb, 'rst', () => ({
      type: 'ipv4',
      src: dst,
      dst: src,
      ttl: defaultTtl(netns),
      tos: 0,
      df: true,
      id: 0,
      payload: resetFor(tcp),
    }));
  walk.pending.push({ carries: 'rst', from: netns.id, to: src, run });
};

/** A segment of the listener's side, in answer to one of the client's. */
const answerWith = (
  netns: Netns,
  packet: Ipv4,
  tcp: Tcp,
  part: Pick<Tcp, 'flags' | 'options'>,
): Ipv4 =>
  segmentPacket({
    src: packet.dst,
    dst: packet.src,
    sport: tcp.dport,
    dport: tcp.sport,
    seq: has(tcp, 'syn') ? 0 : tcp.ack,
    ack: tcp.seq + (has(tcp, 'syn') ? 1 : tcp.payload.length),
    ...part,
    payload: NO_DATA,
    ttl: defaultTtl(netns),
  });

/** The listener's end of a connection: takes what the client sends and acknowledges its data. */
const childSocket = (
  walk: Walk,
  netns: Netns,
  { src, dst }: Ipv4,
  tcp: Tcp,
  process: string | undefined,
): FlowSocket => {
  const isOurs = ({ sport, dport }: Tcp, flip: boolean): boolean =>
    flip ? sport === tcp.dport && dport === tcp.sport : sport === tcp.sport && dport === tcp.dport;
  return {
    netns: netns.id,
    protocol: 'tcp',
    ...(process !== undefined && { process }),
    owns: ({ src: from, dst: to, payload }) =>
      from === src && to === dst && payload.type === 'tcp' && isOurs(payload, false),
    sent: ({ src: from, dst: to, payload }) =>
      from === dst && to === src && payload.type === 'tcp' && isOurs(payload, true),
    receive: (packet) => {
      const { payload } = packet;
      if (payload.type !== 'tcp' || payload.payload.length === 0) return;
      const skb = allocSkb(packet, 0);
      const run = (): void =>
        sendBack(walk, netns, skb, 'answer', () =>
          answerWith(netns, packet, payload, { flags: ['ack'], options: ACK_OPTIONS }),
        );
      walk.pending.push({ carries: 'ack', from: netns.id, to: src, run });
    },
    error: () => undefined,
  };
};

/** tcp_conn_request: a listener answers a SYN. */
const connRequest = (
  walk: Walk,
  netns: Netns,
  skb: Skb,
  tcp: Tcp,
  process: string | undefined,
): void => {
  const { packet } = skb;
  walk.sockets.push(childSocket(walk, netns, packet, tcp, process));
  const asked = allocSkb(packet, skb.mark);
  const run = (): void =>
    sendBack(walk, netns, asked, 'syn-ack', (mtu) =>
      answerWith(netns, packet, tcp, {
        flags: ['syn', 'ack'],
        options: synOptions(advmss(mtu)),
      }),
    );
  walk.pending.push({ carries: 'synack', from: netns.id, to: packet.src, run });
};

/**
 * tcp_v4_rcv: to the socket of the connection, else a SYN to whoever listens; everything else is
 * refused with a RST. What was sent to everybody is not: neither a listener (tcp_v4_conn_request)
 * nor anybody else (tcp_v4_send_reset) takes notice of it.
 */
export const tcpRcv = (walk: Walk, netns: Netns, skb: Skb, tcp: Tcp): void => {
  if (skb.pktType !== undefined && skb.pktType !== 'host') {
    drop(walk, netns, 'NOT_SPECIFIED');
    return;
  }
  const { packet } = skb;
  const port = typeof tcp.dport === 'number' ? tcp.dport : 0;
  const at = { protocol: 'tcp', ip: packet.dst, port } as const;
  if (deliverToFlow(walk, netns, at, packet)) return;
  if (has(tcp, 'syn') && !has(tcp, 'ack')) {
    const listener = lookupListener(walk, netns, 'tcp', packet.dst, port);
    if (skb.dst?.type === 'broadcast') {
      drop(walk, netns, listener.kind === 'closed' ? 'NO_SOCKET' : 'connection-to-everybody');
      return;
    }
    tellListener(walk, netns, at, listener);
    if (listener.kind === 'open') connRequest(walk, netns, skb, tcp, listener.process);
    else if (listener.kind === 'closed') sendReset(walk, netns, skb, tcp);
    return;
  }
  tellListener(walk, netns, at, { kind: 'closed' });
  sendReset(walk, netns, skb, tcp);
};
