/** UDP arrives at its host (net/ipv4/udp.c). */
import { layersOf } from '../../wire/layers.ts';
import type { Ip, Ipv4, Udp } from '../../wire/packet.ts';
import type { Skb } from '../skb.ts';
import { allocSkb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { defaultTtl, replySource } from './reply.ts';
import { routeOutput } from './route.ts';
import { deliverToFlow, lookupListener, tellListener } from './socket-lookup.ts';
import { vxlanListens, vxlanRcv } from './vxlan-rcv.ts';
import type { Walk } from './walk.ts';
import { drop, emit, end } from './walk.ts';

const PORT_UNREACH = 3;

/** An application's answer, from the address that was asked, if that is its own. */
const answer = (walk: Walk, netns: Netns, dst: Ip, src: Ip | undefined, udp: Udp): void => {
  walk.answered = true;
  const key = { dst, ...(src !== undefined && { src }) };
  const route = routeOutput(walk, netns, key, {
    before: (from) => {
      const detail = { protocol: 'udp', what: 'answer', src: from, dst } as const;
      emit(walk, { kind: 'socket', netns: netns.id, action: 'kernel-send', detail });
    },
  });
  if (route.kind === 'error') {
    const failed = { errno: route.errno };
    emit(walk, { kind: 'socket', netns: netns.id, action: 'error', detail: failed });
    end(walk, { kind: 'dropped', reason: 'IP_OUTNOROUTES' });
  }
  if (route.kind !== 'route') return;
  const packet: Ipv4 = {
    type: 'ipv4',
    src: route.src,
    dst,
    ttl: defaultTtl(netns),
    tos: 0,
    df: true,
    id: 0,
    payload: {
      type: 'udp',
      sport: udp.dport,
      dport: udp.sport,
      payload: walk.answer ?? udp.payload,
    },
  };
  walk.stages.ipLocalOut(walk, netns, allocSkb(packet, 0, route.dst));
};

/** A tunnel's packet that no tunnel takes: not the end that its own flow has. */
const refuseTunnel = (walk: Walk, netns: Netns, skb: Skb, port: number): void => {
  const { packet, mac } = skb;
  const layers = mac ? layersOf({ type: 'ethernet', ...mac, payload: packet }) : undefined;
  emit(walk, {
    kind: 'deliver',
    netns: netns.id,
    action: 'no-listener',
    detail: { protocol: 'udp', ip: packet.dst, port },
    ...(layers && { packet: layers }),
  });
  end(walk, { kind: 'dropped', reason: 'NO_SOCKET' });
  walk.stages.icmpSend(walk, netns, skb, {
    kind: 'destination-unreachable',
    code: PORT_UNREACH,
  });
};

/**
 * __udp4_lib_rcv: a tunnel's packet to the tunnel device, everything else to the socket that waits
 * for it; without one, ICMP port unreachable, unless it was sent to everybody
 * (__udp4_lib_mcast_deliver). The datagram leaves its connection here (nf_reset_ct).
 */
export const udpRcv = (walk: Walk, netns: Netns, skb: Skb, udp: Udp): void => {
  const { packet } = skb;
  const port = typeof udp.dport === 'number' ? udp.dport : 0;
  const { payload } = udp;
  skb.ct = undefined;
  if (vxlanListens(netns, port)) {
    if (payload.type === 'vxlan') vxlanRcv(walk, netns, skb, port, payload);
    // What is no VXLAN is thrown away by the tunnel.
    else drop(walk, netns, 'VXLAN_INVALID_HDR');
    return;
  }
  if (payload.type === 'vxlan') {
    refuseTunnel(walk, netns, skb, port);
    return;
  }
  const at = { protocol: 'udp', ip: packet.dst, port } as const;
  if (deliverToFlow(walk, netns, at, packet)) return;
  const listener = lookupListener(walk, netns, 'udp', packet.dst, port);
  if (skb.dst?.type === 'broadcast' && listener.kind === 'closed') {
    drop(walk, netns, 'NOT_SPECIFIED');
    return;
  }
  tellListener(walk, netns, at, listener);
  if (listener.kind === 'open') {
    if (walk.answered) return;
    const source = replySource(skb);
    const run = (): void => answer(walk, netns, packet.src, source, udp);
    walk.pending.push({ carries: 'datagram', from: netns.id, to: packet.src, run });
  } else if (listener.kind === 'closed')
    walk.stages.icmpSend(walk, netns, skb, {
      kind: 'destination-unreachable',
      code: PORT_UNREACH,
    });
};
