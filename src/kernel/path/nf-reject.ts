/** What REJECT answers (net/ipv4/netfilter/nf_reject_ipv4.c). */
import type { Ethernet, Ipv4, Tcp } from '../../wire/packet.ts';
import { NO_DATA } from '../../wire/packet.ts';
import { findDev } from '../netdev.ts';
import { nfConntrackAttach } from '../netfilter/conntrack-in.ts';
import type { RejectWith } from '../netfilter/ruleset.ts';
import type { NfState } from '../netfilter/verdict.ts';
import type { Skb } from '../skb.ts';
import { allocSkb, skbClone } from '../skb.ts';
import type { Netns } from '../world.ts';
import { defaultTtl, replyMark } from './reply.ts';
import { ipRouteMeHarder } from './route.ts';
import type { Walk } from './walk.ts';
import { emit, markRejected } from './walk.ts';

const CODE: Readonly<Record<Exclude<RejectWith, 'tcp-reset'>, number>> = {
  'icmp-net-unreachable': 0,
  'icmp-host-unreachable': 1,
  'icmp-proto-unreachable': 2,
  'icmp-port-unreachable': 3,
  'icmp-net-prohibited': 9,
  'icmp-host-prohibited': 10,
  'icmp-admin-prohibited': 13,
};

/** nf_reject_ip_tcphdr_put: the RST that a closed port would have sent. */
export const resetFor = (tcp: Tcp): Tcp => {
  const ack = tcp.flags.includes('ack');
  return {
    type: 'tcp',
    sport: tcp.dport,
    dport: tcp.sport,
    seq: ack ? tcp.ack : 0,
    ack: ack ? 0 : tcp.seq + 1,
    flags: ack ? ['rst'] : ['rst', 'ack'],
    window: 0,
    options: [],
    payload: NO_DATA,
  };
};

/**
 * nf_send_reset. A packet that came in through a bridge is answered by its port with the MACs
 * swapped, so that the RST looks as if it came from the destination; no hook sees it.
 */
const nfSendReset = (walk: Walk, netns: Netns, about: Skb): void => {
  const { packet } = about;
  const tcp = packet.payload;
  if (tcp.type !== 'tcp' || tcp.flags.includes('rst')) return;
  markRejected(walk);
  const answer: Ipv4 = {
    type: 'ipv4',
    src: packet.dst,
    dst: packet.src,
    ttl: defaultTtl(netns),
    tos: 0,
    df: true,
    id: 0,
    payload: resetFor(tcp),
  };
  const skb = allocSkb(answer, replyMark(netns, about.mark));
  nfConntrackAttach(skb, about);
  const { mac, physin } = about;
  const run = (): void => {
    const detail = { protocol: 'tcp', what: 'rst', src: answer.src, dst: answer.dst } as const;
    emit(walk, { kind: 'socket', netns: netns.id, action: 'kernel-send', detail });
    if (ipRouteMeHarder(walk, netns, skb) !== undefined) return;
    const port = physin === undefined ? undefined : findDev(netns, physin);
    if (port && mac) {
      const frame: Ethernet = { type: 'ethernet', src: mac.dst, dst: mac.src, payload: answer };
      walk.stages.devQueueXmit(walk, netns, port, frame, skb);
    } else walk.stages.ipLocalOut(walk, netns, skb);
  };
  walk.pending.push({ carries: 'rst', from: netns.id, to: answer.dst, run });
};

/** reject_tg: an ICMP error, or a RST for TCP. */
export const nfReject = (
  walk: Walk,
  netns: Netns,
  state: NfState,
  skb: Skb,
  kind: RejectWith,
): void => {
  if (kind === 'tcp-reset') nfSendReset(walk, netns, skb);
  else {
    const about = state.hook === 'OUTPUT' ? skb : skbClone(skb);
    walk.stages.icmpSend(walk, netns, about, {
      kind: 'destination-unreachable',
      code: CODE[kind],
    });
  }
};
