/** Out of a bridge's ports: one, or all that want it (net/bridge/br_forward.c). */
import { ipv4Length } from '../../wire/length.ts';
import type { Ethernet } from '../../wire/packet.ts';
import type { Bridge } from '../netdev.ts';
import { portState, portsOf } from '../netdev.ts';
import type { Skb } from '../skb.ts';
import { skbClone } from '../skb.ts';
import type { Netdev, Netns } from '../world.ts';
import { brNfForward, brNfPostRouting } from './br-netfilter.ts';
import { dropTooLong, isSkbForwardable } from './forwardable.ts';
import type { CopiesOutcome, Walk } from './walk.ts';
import { drop, walkCopies } from './walk.ts';

/** A frame inside a bridge. */
export interface Bridged {
  readonly bridge: Bridge;
  readonly frame: Ethernet;
  readonly skb: Skb | undefined;
  /** Absent: the bridge's own stack sends it. */
  readonly inPort?: Netdev | undefined;
}

/** should_deliver: not back to where it came from, only to ports that forward, isolated apart. */
export const shouldDeliver = (
  walk: Walk,
  netns: Netns,
  port: Netdev,
  inPort: Netdev | undefined,
): boolean =>
  (port.ifname !== inPort?.ifname || port.port?.hairpin === true) &&
  portState(walk.world, netns, port) === 'forwarding' &&
  !(inPort?.port?.isolated === true && port.port?.isolated === true);

/**
 * br_nf_dev_queue_xmit: br_netfilter cuts what is longer than the port's MTU into fragments, or
 * throws it away where it may not be cut.
 */
const brNfFits = (walk: Walk, netns: Netns, port: Netdev, frame: Ethernet): boolean => {
  const { payload } = frame;
  if (payload.type === 'arp' || ipv4Length(payload) <= port.mtu) return true;
  if (payload.df) dropTooLong(walk, netns, { device: port.ifname, mtu: port.mtu }, frame);
  else drop(walk, netns, 'not-modelled', { device: port.ifname, unmodelled: 'fragmentation' });
  return false;
};

/** __br_forward, br_forward_finish and br_dev_queue_push_xmit. */
const push = (walk: Walk, netns: Netns, port: Netdev, bridged: Bridged): void => {
  const { skb, inPort } = bridged;
  let { frame } = bridged;
  if (skb && inPort) {
    if (!brNfForward(walk, netns, bridged.bridge, skb, inPort, port)) return;
    if (!brNfPostRouting(walk, netns, bridged.bridge, skb, port)) return;
    if (skb.packet !== frame.payload) frame = { ...frame, payload: skb.packet };
    if (skb.physout !== undefined && !brNfFits(walk, netns, port, frame)) return;
  }
  if (!isSkbForwardable(port.mtu, frame)) {
    dropTooLong(walk, netns, { device: port.ifname, mtu: port.mtu }, frame);
    return;
  }
  walk.stages.devQueueXmit(walk, netns, port, frame, skb);
};

/** br_forward: out of one port, if it may go there. */
export const brForward = (walk: Walk, netns: Netns, port: Netdev, bridged: Bridged): void => {
  if (shouldDeliver(walk, netns, port, bridged.inPort)) push(walk, netns, port, bridged);
  else
    drop(walk, netns, 'NOT_SPECIFIED', {
      device: port.ifname,
      ...(port.origin && { origin: port.origin }),
    });
};

/**
 * br_flood: a copy to every port that may have it. A port that joined later is served earlier
 * (br_add_if puts it first).
 * @param unknown the frame has one receiver that the bridge does not know: ports without `flood`
 *   are spared
 * @param also copies for the bridge's own stack. It gets its one at once (br_pass_frame_up) and its
 *   answer is under way before those of the ports, which wait in a backlog (netif_rx)
 */
export const brFlood = (
  walk: Walk,
  netns: Netns,
  bridged: Bridged,
  unknown: boolean,
  also: readonly (() => void)[] = [],
): CopiesOutcome => {
  const copies = portsOf(netns, bridged.bridge.ifname)
    .filter(
      (port) =>
        shouldDeliver(walk, netns, port, bridged.inPort) &&
        !(unknown && port.port?.flood === false),
    )
    .reverse()
    .map((port) => () => {
      const { bridge, frame, skb, inPort } = bridged;
      push(walk, netns, port, { bridge, frame, skb: skb && skbClone(skb), inPort });
    });
  return walkCopies(walk, [...also, ...copies]);
};
