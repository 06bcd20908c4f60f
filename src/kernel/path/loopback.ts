/** The loopback device (drivers/net/loopback.c). */
import type { Ethernet } from '../../wire/packet.ts';
import type { Skb } from '../skb.ts';
import type { Netdev, Netns } from '../world.ts';
import type { Walk } from './walk.ts';
import { tapTransmit } from './walk.ts';

/**
 * loopback_xmit: the frame comes back at once, and the packet in it keeps its route, its mark and
 * its connection: nothing is looked up anew.
 */
export const loopbackXmit = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  frame: Ethernet,
  skb?: Skb,
): void => {
  tapTransmit(walk, netns, dev, frame, { via: 'loopback' });
  walk.stages.netifReceiveSkb(walk, netns, dev, { frame, skb, from: 'loopback' });
};
