/** What captures on every device would show of a trace: its own packets in order, and its ARP. */
import type { Tap, WireBroadcast } from '../kernel/event.ts';
import type { Layer } from '../wire/packet.ts';
import type { LegPacket, Step, TraceFacts } from './trace.ts';

export interface OwnTap extends Tap {
  /** Number of the step that reports it. */
  readonly n: number;
  readonly leg: LegPacket;
}

export interface FlowTaps {
  /** The flow's packets in the order in which they travel, leg after leg. */
  readonly own: readonly OwnTap[];
  /** Copies of them that a bridge or a wire made for somebody who did not want them. */
  readonly copies: readonly Tap[];
  /** All ARP that the flow had to wait for, flooded copies included. */
  readonly arp: readonly Tap[];
  /** ARP requests that more attachments of a wire heard than are listed in `arp`. */
  readonly broadcasts: readonly WireBroadcast[];
  /** The packet went round: further rounds, which differ in TTL alone, are not told. */
  readonly looped: boolean;
}

const tapsIn = (detail: Step['detail'], key: 'exchange' | 'copies'): readonly Tap[] =>
  (key === 'exchange' && 'exchange' in detail && detail.exchange) ||
  (key === 'copies' && 'copies' in detail && detail.copies) ||
  [];

const isArp = ({ packet }: Tap): boolean => packet.some((layer) => layer.type === 'arp');

/**
 * The taps of a trace. A closing ACK that fares as the SYN did has no leg of its own and is not in
 * here; `acknowledgement` derives it.
 */
export const tapsOf = (facts: Pick<TraceFacts, 'legs'>): FlowTaps => {
  const own: OwnTap[] = [];
  const copies: Tap[] = [];
  const arp: Tap[] = [];
  const broadcasts: WireBroadcast[] = [];
  let looped = false;
  for (const leg of facts.legs) {
    for (const hop of leg.hops) {
      for (const { n, kind, device, detail, packet } of hop.steps) {
        if ((kind === 'transmit' || kind === 'receive') && device !== undefined && packet) {
          const netns = `${hop.node}/${hop.netns}`;
          own.push({ netns, device, direction: kind, packet, n, leg: leg.packet });
        }
        copies.push(...tapsIn(detail, 'copies').filter((tap) => !isArp(tap)));
        arp.push(...tapsIn(detail, 'copies').filter(isArp), ...tapsIn(detail, 'exchange'));
        if (kind === 'drop' && 'reason' in detail && detail.reason === 'looped') looped = true;
        if ('broadcasts' in detail && detail.broadcasts) broadcasts.push(...detail.broadcasts);
      }
    }
  }
  return { own, copies, arp, broadcasts, looped };
};

/** Options of a SYN that a bare ACK of the same connection does without, in bytes (RFC 7323). */
const SYN_EXTRA = 8;

const asAck = (layer: Layer): Layer => {
  switch (layer.type) {
    case 'ipv4':
    case 'udp':
      return { ...layer, length: layer.length - SYN_EXTRA };
    case 'tcp': {
      const { mss: _, ...rest } = layer;
      return { ...rest, flags: ['ack'], length: layer.length - SYN_EXTRA };
    }
    default:
      return layer;
  }
};

/** The taps of the ACK that closes a handshake, where it goes the way of the SYN. */
export const acknowledgement = (syn: readonly OwnTap[]): OwnTap[] =>
  syn.map((tap) => ({ ...tap, leg: 'ack', packet: tap.packet.map(asAck) }));
