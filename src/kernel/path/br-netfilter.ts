/** Bridged frames in iptables (net/bridge/br_netfilter_hooks.c). */
import type { Ethernet, Ip } from '../../wire/packet.ts';
import type { Bridge } from '../netdev.ts';
import type { NfState } from '../netfilter/verdict.ts';
import { ipRouteInput } from '../route-input.ts';
import type { Skb } from '../skb.ts';
import { sysctlGet } from '../sysctl.ts';
import type { Netdev, Netns } from '../world.ts';
import { neighHasHeader, neighResolve } from './neigh-resolve.ts';
import { nfWalkState } from './nf-walk.ts';
import { pickHop } from './pick-hop.ts';
import { forwardDst, tellInput, unmodelledIn } from './route-in.ts';
import type { Walk } from './walk.ts';
import { drop, isTold, tapTransmit } from './walk.ts';

/** Whether the host has br_netfilter and this namespace lets it call iptables. */
export const callsIptables = (walk: Walk, netns: Netns): boolean =>
  walk.world.host(netns.host).modules.has('br_netfilter') &&
  sysctlGet(netns, 'net.bridge.bridge-nf-call-iptables') !== '0';

/** While iptables looks at it, a frame counts as sent to this machine, whatever its MAC. */
const nfWalkBridged = (walk: Walk, netns: Netns, skb: Skb, state: NfState): boolean => {
  const { pktType } = skb;
  skb.pktType = 'host';
  const accepted = nfWalkState(walk, netns, skb, state).kind === 'accept';
  skb.pktType = pktType;
  return accepted;
};

/**
 * br_nf_pre_routing: PREROUTING with the bridge as device and the port as physical device. It is
 * not walked again should the frame go up the stack.
 * @returns the frame as it goes on in the bridge; undefined when it ended there
 */
export const brNfPreRouting = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  port: Netdev,
  frame: Ethernet,
  skb: Skb,
): Ethernet | undefined => {
  if (!callsIptables(walk, netns)) return frame;
  const { packet } = skb;
  skb.physin = port.ifname;
  skb.iif = bridge.ifname;
  skb.preroutingDone = true;
  const state = {
    hook: 'PREROUTING',
    in: bridge.ifname,
    physin: port.ifname,
    bridged: true,
  } as const;
  if (!nfWalkBridged(walk, netns, skb, state)) return undefined;
  if (skb.packet.dst !== packet.dst) return brNfPreRoutingFinish(walk, netns, bridge, frame, skb);
  // bridge_parent_rtable: a route that is only there to be asked for its device.
  skb.dst = { type: 'unicast', dev: bridge.ifname };
  return skb.packet === packet ? frame : { ...frame, payload: skb.packet };
};

/**
 * br_nf_pre_routing_finish, of a frame with a new destination. Where the route leads back into the
 * same bridge, the frame stays in it; else it goes up, as if it had been sent to the bridge's MAC, and
 * the stack routes it.
 */
const brNfPreRoutingFinish = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  frame: Ethernet,
  skb: Skb,
): Ethernet | undefined => {
  const { src, dst } = skb.packet;
  const device = bridge.ifname;
  const key = { dst, src, iif: device, mark: skb.mark };
  const route = ipRouteInput(walk.world, netns, key, pickHop(walk, skb.packet));
  const bridged = route.kind === 'forward' && route.dev === device;
  // What goes up looks for its route there once more, and tells it.
  if (isTold(walk) && (bridged || route.kind === 'drop'))
    tellInput(walk, netns, skb, device, route);
  if (route.kind === 'drop') {
    if (route.reason === 'not-modelled')
      drop(walk, netns, 'not-modelled', { device, unmodelled: unmodelledIn(route) });
    else drop(walk, netns, route.reason, { device });
    return undefined;
  }
  if (!bridged) return { ...frame, dst: bridge.mac, payload: skb.packet };
  skb.dst = forwardDst(walk, netns, dst, route);
  skb.routedInBridge = true;
  return brNfPreRoutingFinishBridge(walk, netns, bridge, frame, skb, skb.dst.gateway ?? dst);
};

const HOST_UNREACH = 1;

/**
 * br_nf_pre_routing_finish_bridge: the frame is sent to the MAC of its new destination, and keeps the
 * one of its sender. While no header for the neighbour is at hand, it leaves by the bridge device with
 * the bridge's own MAC and is caught there (br_nf_pre_routing_finish_bridge_slow): a capture sees it.
 */
const brNfPreRoutingFinishBridge = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  frame: Ethernet,
  skb: Skb,
  nexthop: Ip,
): Ethernet | undefined => {
  const payload = skb.packet;
  const fast = neighHasHeader(walk, netns, bridge, nexthop);
  const lladdr = neighResolve(walk, netns, bridge, nexthop, skb);
  if (lladdr === undefined) {
    walk.stages.icmpSend(walk, netns, skb, {
      kind: 'destination-unreachable',
      code: HOST_UNREACH,
      late: true,
    });
    drop(walk, netns, 'NEIGH_FAILED', { device: bridge.ifname });
    return undefined;
  }
  if (!fast) {
    const caught: Ethernet = { ...frame, src: bridge.mac, dst: lladdr, payload };
    tapTransmit(walk, netns, bridge, caught, { via: 'bridge-port' });
  }
  return { ...frame, dst: lladdr, payload };
};

/** br_nf_forward: FORWARD, from the bridge to the bridge, with both ports. */
export const brNfForward = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  skb: Skb,
  inPort: Netdev,
  port: Netdev,
): boolean => {
  if (skb.physin === undefined || !callsIptables(walk, netns)) return true;
  skb.physout = port.ifname;
  const state = {
    hook: 'FORWARD',
    in: bridge.ifname,
    out: bridge.ifname,
    physin: inPort.ifname,
    physout: port.ifname,
    bridged: true,
  } as const;
  return nfWalkBridged(walk, netns, skb, state);
};

/** br_nf_post_routing: POSTROUTING of a frame that walked FORWARD in the bridge. */
export const brNfPostRouting = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  skb: Skb,
  port: Netdev,
): boolean => {
  if (skb.physout === undefined || !callsIptables(walk, netns)) return true;
  const state = {
    hook: 'POSTROUTING',
    out: bridge.ifname,
    ...(skb.physin !== undefined && { physin: skb.physin }),
    physout: port.ifname,
    bridged: true,
  } as const;
  return nfWalkBridged(walk, netns, skb, state);
};
