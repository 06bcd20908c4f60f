/** A frame came out of a device: to the bridge it is a port of, or to the protocols. */
import type { Ethernet, Ipv4 } from '../../wire/packet.ts';
import { findDev } from '../netdev.ts';
import type { PktType } from '../skb.ts';
import { allocSkb } from '../skb.ts';
import type { Netdev, Netns } from '../world.ts';
import { arpRcv } from './arp.ts';
import { brHandleFrame } from './br-input.ts';
import { ipRcv } from './ip-input.ts';
import { ethTypeTrans } from './pkt-type.ts';
import type { Received, Walk } from './walk.ts';
import { drop, recordedBy, tapReceive } from './walk.ts';

/** The same packet, but for TTLs; contents that nobody rewrote are the same object. */
const sameButTtl = (a: Ipv4, b: Ipv4): boolean => {
  if (a.src !== b.src || a.dst !== b.dst) return false;
  const left = a.payload;
  const right = b.payload;
  if (left === right) return true;
  if (left.type !== 'udp' || right.type !== 'udp') return false;
  const inner = left.payload;
  const other = right.payload;
  return (
    inner.type === 'vxlan' && other.type === 'vxlan' && sameFrame(inner.payload, other.payload)
  );
};

const sameFrame = (a: Ethernet, b: Ethernet): boolean =>
  a.src === b.src &&
  a.dst === b.dst &&
  a.payload.type === 'ipv4' &&
  b.payload.type === 'ipv4' &&
  sameButTtl(a.payload, b.payload);

const innermostTtl = ({ payload }: Ethernet): number => {
  if (payload.type === 'arp') return 0;
  const l4 = payload.payload;
  return l4.type === 'udp' && l4.payload.type === 'vxlan'
    ? innermostTtl(l4.payload.payload)
    : payload.ttl;
};

/** Whether this device saw the frame before, in this leg; remembers it. */
const seenBefore = (walk: Walk, dev: Netdev, frame: Ethernet): Ethernet | undefined => {
  const known = walk.visits.get(dev);
  if (!known) {
    walk.visits.set(dev, [frame]);
    return undefined;
  }
  const same =
    frame.payload.type === 'arp'
      ? known.find((one) => one === frame)
      : known.find((one) => sameFrame(one, frame));
  known.push(frame);
  return same;
};

/**
 * __netif_receive_skb_core (net/core/dev.c): a capture sees the frame, then the bridge takes it if
 * the device is one of its ports, else the protocol does.
 *
 * A frame that comes by a second time, but for its TTL, goes round for ever or until its TTL ends:
 * the story ends here. What still becomes of it is walked untold, because the error of its end
 * comes back.
 */
export const netifReceiveSkb = (walk: Walk, netns: Netns, dev: Netdev, rx: Received): void => {
  const { frame, from } = rx;
  const pktType = rx.pktType ?? ethTypeTrans(dev, frame.dst);
  const before = seenBefore(walk, dev, frame);
  if (before && walk.recorder.kind !== 'mute') {
    tapReceive(walk, netns, dev, frame, pktType === 'otherhost' ? 'other-host' : 'accept', from);
    drop(walk, netns, 'looped', { device: dev.ifname });
    if (innermostTtl(before) === innermostTtl(frame)) return;
    recordedBy(walk, { kind: 'mute' }, () => handOn(walk, netns, dev, rx, pktType));
    return;
  }
  // Without a TTL that falls, nothing would ever end it.
  if (before && innermostTtl(before) === innermostTtl(frame)) return;
  handOn(walk, netns, dev, rx, pktType);
};

const handOn = (walk: Walk, netns: Netns, dev: Netdev, rx: Received, pktType: PktType): void => {
  const { frame, from } = rx;
  const { payload, src, dst } = frame;
  const skb = payload.type === 'ipv4' ? (rx.skb ?? allocSkb(payload, 0)) : undefined;
  if (skb) {
    skb.mac = { src, dst };
    skb.pktType = pktType;
  }
  const told = walk.recorder.kind !== 'mute';
  const bridge = dev.master === undefined ? undefined : findDev(netns, dev.master);
  if (bridge?.kind === 'bridge') {
    if (told) tapReceive(walk, netns, dev, frame, 'to-bridge', from);
    brHandleFrame(walk, netns, bridge, dev, frame, skb);
    return;
  }
  if (told) {
    const action =
      pktType === 'otherhost' ? 'other-host' : from === 'bridge' ? 'from-bridge' : 'accept';
    tapReceive(walk, netns, dev, frame, action, from);
  }
  if (payload.type === 'arp') arpRcv(walk, netns, dev, payload, pktType);
  else if (skb) {
    skb.iif = dev.ifname;
    ipRcv(walk, netns, dev, skb);
  }
};
