/** The wire between machines: an ideal switch that knows every MAC on it. */
import type { Ethernet } from '../../wire/packet.ts';
import { BROADCAST_MAC } from '../../wire/packet.ts';
import type { WireEvent } from '../event.ts';
import { findDev } from '../netdev.ts';
import { netnsOf } from '../netns.ts';
import type { Origin } from '../origin.ts';
import type { CutFlow } from '../segment.ts';
import { attachmentsByIp, attachmentsByMac, cutBetween } from '../segment.ts';
import type { Skb } from '../skb.ts';
import type { Attachment, Netdev, Netns, Segment } from '../world.ts';
import { dropTooLong, isSkbForwardable, skbScrubPacket } from './forwardable.ts';
import type { Walk } from './walk.ts';
import { drop, emit, layersIn, markAmbiguous, tapTransmit } from './walk.ts';

type Physical = Extract<Netdev, { kind: 'physical' }>;

const flowOf = ({ payload }: Ethernet): CutFlow => {
  if (payload.type === 'arp') return {};
  const l4 = payload.payload;
  if (l4.type === 'icmp') return { protocol: 'icmp' };
  if (l4.type === 'data') return {};
  return { protocol: l4.type, ...(typeof l4.dport === 'number' && { port: l4.dport }) };
};

/** Carries a frame to one attachment. */
const carry = (
  walk: Walk,
  netns: Netns,
  dev: Physical,
  segment: Segment,
  to: Attachment,
  frame: Ethernet,
  skb: Skb | undefined,
): void => {
  const tell = (action: WireEvent['action'], origin?: Origin): void =>
    emit(walk, { kind: 'wire', netns: netns.id, device: dev.ifname, action, detail }, origin);
  const detail = { segment: segment.name, from: netns.host, to: to.host };
  const cut = cutBetween(segment, netns.host, to.host, flowOf(frame));
  if (cut) {
    tell('cut', cut.origin);
    drop(walk, netns, 'wire-cut', {
      device: dev.ifname,
      ...(cut.origin && { origin: cut.origin }),
    });
    return;
  }
  const other = netnsOf(walk.world, to.netns);
  const receiver = findDev(other, to.ifname);
  if (!receiver?.up) {
    tell('nobody');
    drop(walk, netns, 'no-attachment', { device: dev.ifname });
    return;
  }
  const mtu = Math.min(segment.mtu, receiver.mtu);
  if (!isSkbForwardable(mtu, frame)) {
    dropTooLong(walk, netns, { device: dev.ifname, mtu }, frame);
    return;
  }
  tell('carry');
  walk.stages.netifReceiveSkb(walk, other, receiver, {
    frame,
    skb: skb && skbScrubPacket(skb, true),
    from: 'wire',
  });
};

/** A question to all is walked only into those who may have the answer; the rest is counted. */
const broadcast = (
  walk: Walk,
  netns: Netns,
  dev: Physical,
  segment: Segment,
  frame: Ethernet,
): void => {
  const { payload } = frame;
  const asked = payload.type === 'arp' ? payload.tpa : payload.dst;
  const own = (at: Attachment): boolean => at.netns === netns.id && at.ifname === dev.ifname;
  const owners = attachmentsByIp(segment, asked).filter((at) => !own(at));
  const others = segment.attachments.length - 1 - owners.length;
  if (walk.recorder.kind === 'taps' && others > 0) {
    const packet = layersIn(walk, frame);
    walk.recorder.broadcasts.push({ segment: segment.name, others, packet });
  }
  for (const owner of owners) carry(walk, netns, dev, segment, owner, frame, undefined);
};

/** A frame onto the wire: to whoever has the MAC; broadcasts to whoever has the address. */
export const segmentXmit = (
  walk: Walk,
  netns: Netns,
  dev: Physical,
  frame: Ethernet,
  skb?: Skb,
): void => {
  tapTransmit(walk, netns, dev, frame, { via: 'wire' });
  const segment = dev.segment === undefined ? undefined : walk.world.segments.get(dev.segment);
  if (!segment) {
    drop(walk, netns, 'no-attachment', { device: dev.ifname });
    return;
  }
  if (frame.dst === BROADCAST_MAC) {
    broadcast(walk, netns, dev, segment, frame);
    return;
  }
  const owners = attachmentsByMac(segment, frame.dst).filter(
    (at) => at.netns !== netns.id || at.ifname !== dev.ifname,
  );
  const [owner] = owners;
  if (!owner) {
    const detail = { segment: segment.name, from: netns.host };
    emit(walk, { kind: 'wire', netns: netns.id, device: dev.ifname, action: 'nobody', detail });
    drop(walk, netns, 'no-attachment', { device: dev.ifname });
    return;
  }
  // A switch sends it where it saw the MAC last.
  if (owners.length > 1) markAmbiguous(walk);
  carry(walk, netns, dev, segment, owner, frame, skb);
};
