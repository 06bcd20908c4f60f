/** A packet enters the IPv4 stack (net/ipv4/ip_input.c). */
import { findDev } from '../netdev.ts';
import type { RouteInput } from '../route-input.ts';
import { ipRouteInput } from '../route-input.ts';
import type { Skb } from '../skb.ts';
import type { Netdev, Netns } from '../world.ts';
import { icmpRcv } from './icmp-rcv.ts';
import { ipForward } from './ip-forward.ts';
import { nfWalk } from './nf-walk.ts';
import { pickHop } from './pick-hop.ts';
import { forwardDst, tellInput, unmodelledIn } from './route-in.ts';
import { tcpRcv } from './tcp-rcv.ts';
import { udpRcv } from './udp-rcv.ts';
import type { Walk } from './walk.ts';
import { drop, isTold } from './walk.ts';

/** ip_local_deliver: INPUT, then the protocol. */
const ipLocalDeliver = (walk: Walk, netns: Netns, dev: Netdev, skb: Skb): void => {
  if (nfWalk(walk, netns, skb, 'INPUT', dev.ifname).kind === 'stop') return;
  const { payload } = skb.packet;
  switch (payload.type) {
    case 'tcp':
      tcpRcv(walk, netns, skb, payload);
      break;
    case 'udp':
      udpRcv(walk, netns, skb, payload);
      break;
    case 'icmp':
      icmpRcv(walk, netns, skb, payload);
      break;
    case 'data':
      drop(walk, netns, 'IP_NOPROTO');
      break;
    default: {
      const never: never = payload;
      throw new TypeError(`not a protocol: ${never}`);
    }
  }
};

/** ip_rcv_finish: finds the way on, unless the packet comes from this machine and has one. */
const ipRcvFinish = (walk: Walk, netns: Netns, dev: Netdev, skb: Skb): void => {
  if (skb.dst) {
    ipLocalDeliver(walk, netns, dev, skb);
    return;
  }
  const { src, dst } = skb.packet;
  const device = dev.ifname;
  const key = { dst, src, iif: device, mark: skb.mark };
  const route = ipRouteInput(walk.world, netns, key, pickHop(walk, skb.packet));
  if (isTold(walk)) tellInput(walk, netns, skb, device, route);
  switch (route.kind) {
    case 'local':
    case 'broadcast':
      skb.dst = { type: route.kind, dev: 'lo' };
      ipLocalDeliver(walk, netns, dev, skb);
      break;
    case 'forward':
      skb.dst = forwardDst(walk, netns, dst, route);
      // IPSKB_DOREDIRECT is set by the lookup, and that was the bridge's.
      if (skb.routedInBridge) skb.dst = { ...skb.dst, redirect: false };
      ipForward(walk, netns, dev, skb);
      break;
    case 'drop':
      if (route.reason === 'not-modelled')
        drop(walk, netns, 'not-modelled', { device, unmodelled: unmodelledIn(route) });
      else drop(walk, netns, route.reason, { device });
      break;
    case 'error':
      ipError(walk, netns, device, skb, route);
      break;
    default: {
      const never: never = route;
      throw new TypeError(`not a route: ${never}`);
    }
  }
};

/** ip_error: a packet without a way on; its sender is told unless the route is to be silent. */
const ipError = (
  walk: Walk,
  netns: Netns,
  device: string,
  skb: Skb,
  route: Extract<RouteInput, { kind: 'error' }>,
): void => {
  if (!route.forwarding) {
    drop(walk, netns, 'forwarding-off', { device });
    return;
  }
  skb.dst = { type: 'unicast', dev: device };
  if (route.icmp)
    walk.stages.icmpSend(walk, netns, skb, {
      kind: 'destination-unreachable',
      code: route.icmp.code,
    });
  drop(walk, netns, route.reason, { device });
};

/** A tunnel's outer packet is on its way still: who takes it is decided inside. */
const isTunnelled = ({ packet: { payload } }: Skb): boolean =>
  payload.type === 'udp' && payload.payload.type === 'vxlan';

/**
 * ip_rcv: a frame for another machine's MAC is thrown away; every other packet walks PREROUTING,
 * unless br_netfilter walked it in the bridge.
 */
export const ipRcv = (walk: Walk, netns: Netns, dev: Netdev, skb: Skb): void => {
  if (skb.pktType === 'otherhost') {
    drop(walk, netns, 'OTHERHOST', { device: dev.ifname });
    return;
  }
  if (!isTunnelled(skb)) walk.accepted += 1;
  if (!skb.preroutingDone) {
    if (nfWalk(walk, netns, skb, 'PREROUTING', dev.ifname).kind === 'stop') return;
  }
  skb.preroutingDone = false;
  // Only lo gives a packet back with its route.
  if (findDev(netns, dev.ifname)?.kind !== 'loopback') skb.dst = undefined;
  ipRcvFinish(walk, netns, dev, skb);
};
