/** Holds the taps of a trace against the taps of a real kernel, by the rules of the proof. */
import type { Tap, WireBroadcast } from '../kernel/event.ts';
import type { Layer, Unknown } from '../wire/packet.ts';
import type { FlowTaps } from './taps.ts';

export interface TapDifference {
  readonly kind: 'missing' | 'unexpected';
  readonly what: 'own' | 'copy' | 'arp';
  /** Missing: what the trace says. Unexpected: what the kernel showed. */
  readonly tap: Tap;
}

export interface TapComparison {
  readonly differences: readonly TapDifference[];
  /** Taps of the kernel that the trace has too. */
  readonly equal: number;
}

const isUnknown = (value: unknown): value is Unknown =>
  typeof value === 'object' && value !== null && 'unknown' in value;

const sameValue = (expected: unknown, found: unknown): boolean => {
  if (expected === found) return true;
  if (isUnknown(expected)) {
    const [low, high] = expected.range;
    return typeof found === 'number' && low <= found && found <= high;
  }
  if (Array.isArray(expected) && Array.isArray(found)) {
    return (
      expected.length === found.length && expected.every((item, n) => sameValue(item, found[n]))
    );
  }
  if (typeof expected !== 'object' || typeof found !== 'object' || !expected || !found)
    return false;
  const a: Record<string, unknown> = { ...expected };
  const b: Record<string, unknown> = { ...found };
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameValue(a[key], b[key]));
};

/** Equal headers, each field; a value that only a kernel knows is equal to any in its range. */
export const samePacket = (expected: readonly Layer[], found: readonly Layer[]): boolean =>
  sameValue(expected, found);

/** The same device, the same direction, the same headers. */
export const sameTap = (expected: Tap, found: Tap): boolean =>
  expected.netns === found.netns &&
  expected.device === found.device &&
  expected.direction === found.direction &&
  samePacket(expected.packet, found.packet);

const isArp = ({ packet }: Tap): boolean => packet.some((layer) => layer.type === 'arp');

/** A neighbour that is checked again is asked at its own MAC, later: not the flow's doing. */
const isUnicastProbe = ({ packet }: Tap): boolean => {
  const [ethernet, arp] = packet;
  return (
    ethernet?.type === 'ethernet' &&
    arp?.type === 'arp' &&
    arp.op === 'request' &&
    ethernet.dst !== 'ff:ff:ff:ff:ff:ff'
  );
};

/** A router says only now and then that there is a shorter way, counted over minutes. */
const isRedirect = ({ packet }: Tap): boolean =>
  packet.some((layer) => layer.type === 'icmp' && layer.kind === 'redirect');

const withoutTtl = ({ packet }: Tap): Layer[] =>
  packet.map((layer) => (layer.type === 'ipv4' ? { ...layer, ttl: 0 } : layer));

/** Another round of a packet that loops: an own tap of the trace in all but its TTL. */
const isFurtherRound = (own: readonly Tap[], found: Tap): boolean =>
  own.some(
    ({ netns, device, direction, packet }) =>
      netns === found.netns &&
      device === found.device &&
      direction === found.direction &&
      samePacket(withoutTtl({ netns, device, direction, packet }), withoutTtl(found)),
  );

/** Takes the first tap out of `pool` that `wanted` describes. */
const take = (pool: Tap[], wanted: (tap: Tap) => boolean): boolean => {
  const at = pool.findIndex(wanted);
  if (at < 0) return false;
  pool.splice(at, 1);
  return true;
};

const firstOfEach = (taps: readonly Tap[]): Tap[] =>
  taps.filter((tap, n) => !taps.slice(0, n).some((earlier) => sameTap(earlier, tap)));

/** Who was plugged into a wire, so that a counted copy can be told from a stray one. */
export type OnWire = (segment: string, tap: Tap) => boolean;

const heardElsewhere = (broadcasts: readonly WireBroadcast[], onWire: OnWire, tap: Tap): boolean =>
  tap.direction === 'receive' &&
  broadcasts.some(({ segment, packet }) => onWire(segment, tap) && samePacket(packet, tap.packet));

/**
 * Compares a trace with what captures on every device of a real kernel saw.
 *
 * The flow's own packets are compared in order, copies and ARP as sets: a repeated ARP request is
 * one member. A redirect of the trace may be missing in the kernel, never the other way round.
 * @param expected the trace's taps, the closing ACK included
 * @param found the kernel's taps in the order of time
 * @param onWire which taps an uncounted listener of a broadcast may make
 */
export const compareTaps = (
  expected: FlowTaps,
  found: readonly Tap[],
  onWire: OnWire,
): TapComparison => {
  const differences: TapDifference[] = [];
  const copies = [...expected.copies];
  let equal = 0;
  const own = expected.own.filter((tap) => !isRedirect(tap));
  const redirects: Tap[] = expected.own.filter(isRedirect);
  let next = 0;
  for (const tap of found.filter((seen) => !isArp(seen))) {
    const wanted = own[next];
    if (wanted !== undefined && sameTap(wanted, tap)) {
      next += 1;
      equal += 1;
    } else if (take(copies, (copy) => sameTap(copy, tap))) equal += 1;
    else if (take(redirects, (redirect) => sameTap(redirect, tap))) equal += 1;
    else if (!expected.looped || !isFurtherRound(own, tap))
      differences.push({ kind: 'unexpected', what: 'own', tap });
  }
  for (const tap of own.slice(next)) differences.push({ kind: 'missing', what: 'own', tap });
  for (const tap of copies) differences.push({ kind: 'missing', what: 'copy', tap });

  const arp = firstOfEach(expected.arp);
  const heard = firstOfEach(found.filter((seen) => isArp(seen) && !isUnicastProbe(seen)));
  for (const tap of heard) {
    if (take(arp, (wanted) => sameTap(wanted, tap))) equal += 1;
    else if (heardElsewhere(expected.broadcasts, onWire, tap)) equal += 1;
    else differences.push({ kind: 'unexpected', what: 'arp', tap });
  }
  for (const tap of arp) differences.push({ kind: 'missing', what: 'arp', tap });
  return { differences, equal };
};
