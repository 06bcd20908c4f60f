/** A frame leaves by a device: to the other end of a veth, onto a wire, into a bridge or a tunnel, to nowhere. */
import type { Ethernet } from '../../wire/packet.ts';
import { hasCarrier } from '../netdev.ts';
import type { Skb } from '../skb.ts';
import type { Netdev, Netns } from '../world.ts';
import { brDevXmit } from './br-device.ts';
import { loopbackXmit } from './loopback.ts';
import { segmentXmit } from './segment-xmit.ts';
import { vethXmit } from './veth.ts';
import { vxlanXmit } from './vxlan-xmit.ts';
import type { Walk } from './walk.ts';
import { drop, tapTransmit } from './walk.ts';

/**
 * __dev_queue_xmit (net/core/dev.c): hands a frame to its device. A device that is down or has no
 * carrier has the noop queue (dev_deactivate, net/sched/sch_generic.c), which drops without a word
 * to the sender, and is not seen by a capture.
 * @param skb what the kernel remembers of the frame; absent for ARP
 */
export const devQueueXmit = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  frame: Ethernet,
  skb?: Skb,
): void => {
  const at = { device: dev.ifname, ...(dev.origin && { origin: dev.origin }) };
  if (!dev.up || !hasCarrier(walk.world, netns, dev)) {
    drop(walk, netns, 'QDISC_DROP', at);
    return;
  }
  switch (dev.kind) {
    case 'loopback':
      loopbackXmit(walk, netns, dev, frame, skb);
      break;
    case 'veth':
      vethXmit(walk, netns, dev, frame, skb);
      break;
    case 'bridge':
      brDevXmit(walk, netns, dev, frame, skb);
      break;
    case 'vxlan':
      vxlanXmit(walk, netns, dev, frame, skb);
      break;
    case 'dummy':
      // dummy_xmit: a capture sees the frame, and that is all.
      tapTransmit(walk, netns, dev, frame, {});
      drop(walk, netns, 'NOT_SPECIFIED', at);
      break;
    case 'physical':
      segmentXmit(walk, netns, dev, frame, skb);
      break;
    default: {
      const never: never = dev;
      throw new TypeError(`not a device: ${never}`);
    }
  }
};
