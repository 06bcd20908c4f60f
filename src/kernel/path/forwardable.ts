/** Whether a device takes a frame of that length from another device. */
import { ETHERNET_HEADER, frameLength } from '../../wire/length.ts';
import type { Ethernet } from '../../wire/packet.ts';
import type { Skb } from '../skb.ts';
import { allocSkb } from '../skb.ts';
import type { Netns } from '../world.ts';
import type { Walk } from './walk.ts';
import { drop, emit } from './walk.ts';

/** Room for a VLAN tag, which is there whether the frame has one or not. */
const VLAN_HLEN = 4;

/** is_skb_forwardable (net/core/dev.c): up to four bytes more than the MTU go through. */
export const isSkbForwardable = (mtu: number, frame: Ethernet): boolean =>
  frameLength(frame) <= mtu + ETHERNET_HEADER + VLAN_HLEN;

/** A frame that is not forwardable is lost without a word: nobody is told the MTU. */
export const dropTooLong = (
  walk: Walk,
  netns: Netns,
  limit: { readonly device: string; readonly mtu: number },
  frame: Ethernet,
): void => {
  const { device, mtu } = limit;
  const length = frameLength(frame) - ETHERNET_HEADER;
  const df = frame.payload.type === 'ipv4' && frame.payload.df;
  const detail = { length, mtu, df, device };
  emit(walk, { kind: 'size', netns: netns.id, device, action: 'too-big', detail });
  drop(walk, netns, 'NOT_SPECIFIED', { device });
};

/**
 * skb_scrub_packet (net/core/skbuff.c): what a packet forgets when it leaves its stack. The mark
 * stays with a tunnel's packet, but not with one that goes to another namespace.
 */
export const skbScrubPacket = (skb: Skb, crossesNetns: boolean): Skb =>
  allocSkb(skb.packet, crossesNetns ? 0 : skb.mark);
