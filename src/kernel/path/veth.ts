/** A pair of virtual Ethernet devices: what one end sends, the other receives (drivers/net/veth.c). */
import type { Ethernet } from '../../wire/packet.ts';
import { vethPeer } from '../netdev.ts';
import type { Skb } from '../skb.ts';
import type { Netdev, Netns } from '../world.ts';
import { dropTooLong, isSkbForwardable, skbScrubPacket } from './forwardable.ts';
import type { Walk } from './walk.ts';
import { drop, tapTransmit } from './walk.ts';

/**
 * veth_xmit and __dev_forward_skb: a frame that is too long for the MTU of the other end is seen
 * leaving and never arrives.
 */
export const vethXmit = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  frame: Ethernet,
  skb?: Skb,
): void => {
  const peer = vethPeer(walk.world, dev);
  tapTransmit(walk, netns, dev, frame, {
    via: 'veth',
    ...(peer && { peer: { netns: peer.netns.id, device: peer.dev.ifname } }),
  });
  if (!peer) {
    drop(walk, netns, 'NOT_SPECIFIED', { device: dev.ifname });
    return;
  }
  if (!isSkbForwardable(peer.dev.mtu, frame)) {
    dropTooLong(walk, netns, { device: dev.ifname, mtu: peer.dev.mtu }, frame);
    return;
  }
  walk.stages.netifReceiveSkb(walk, peer.netns, peer.dev, {
    frame,
    skb: skb && skbScrubPacket(skb, peer.netns !== netns),
    from: 'veth',
  });
};
