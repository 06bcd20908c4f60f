/** Bridged frames in iptables (net/bridge/br_netfilter_hooks.c). */
import type { Bridge } from '../netdev.ts';
import type { Skb } from '../skb.ts';
import { sysctlGet } from '../sysctl.ts';
import type { Netdev, Netns } from '../world.ts';
import { nfWalkState } from './nf-walk.ts';
import type { Walk } from './walk.ts';

/** Whether the host has br_netfilter and this namespace lets it call iptables. */
export const callsIptables = (walk: Walk, netns: Netns): boolean =>
  walk.world.host(netns.host).modules.has('br_netfilter') &&
  sysctlGet(netns, 'net.bridge.bridge-nf-call-iptables') !== '0';

/**
 * br_nf_pre_routing: PREROUTING with the bridge as device and the port as physical device. It is
 * not walked again should the frame go up the stack. A new destination would make the bridge route
 * the frame: netfilter answers that it is not modelled.
 * @returns false when the frame ended there
 */
export const brNfPreRouting = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  port: Netdev,
  skb: Skb,
): boolean => {
  if (!callsIptables(walk, netns)) return true;
  skb.physin = port.ifname;
  skb.iif = bridge.ifname;
  skb.pktType = 'host';
  skb.preroutingDone = true;
  const state = {
    hook: 'PREROUTING',
    in: bridge.ifname,
    physin: port.ifname,
    bridged: true,
  } as const;
  return nfWalkState(walk, netns, skb, state).kind === 'accept';
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
  // bridge_parent_rtable: a route that is only there to be asked for its device.
  skb.dst = { type: 'unicast', dev: bridge.ifname };
  const state = {
    hook: 'FORWARD',
    in: bridge.ifname,
    out: bridge.ifname,
    physin: inPort.ifname,
    physout: port.ifname,
    bridged: true,
  } as const;
  return nfWalkState(walk, netns, skb, state).kind === 'accept';
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
  return nfWalkState(walk, netns, skb, state).kind === 'accept';
};
