/** Addresses of both families as intervals. */
import { ipv4ToNumber, numberToIpv4, parseCidr } from '../wire/ip.ts';
import { bytesToIpv6, ipv6ToBytes } from '../wire/parse-ip.ts';
import { type Interval, type Intervals, intervalSets } from './intervals.ts';

export type Family = 4 | 6;

/** Addresses of one family. IPv4 too is counted in bigint: one arithmetic for both. */
export interface AddressSet {
  readonly family: Family;
  readonly ranges: Intervals<bigint>;
}

export const addressSets = intervalSets<bigint>((value, by) => value + BigInt(by));

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** Everything of a family. */
export const wholeFamily = (family: Family): Interval<bigint> => ({
  from: 0n,
  to: (1n << BigInt(BITS[family])) - 1n,
});

export const familyOf = (ip: string): Family => (ip.includes(':') ? 6 : 4);

/** @param ip canonical, either family */
export const addressNumber = (ip: string): bigint =>
  familyOf(ip) === 4
    ? BigInt(ipv4ToNumber(ip))
    : ipv6ToBytes(ip).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** The canonical text. */
export const addressText = (family: Family, value: bigint): string =>
  family === 4
    ? numberToIpv4(Number(value))
    : bytesToIpv6(
        Uint8Array.from({ length: 16 }, (_, at) => Number((value >> BigInt(120 - 8 * at)) & 255n)),
      );

/** @param cidr canonical, either family */
export const cidrRange = (cidr: string): Interval<bigint> => {
  if (familyOf(cidr) === 4) {
    const { address, prefix } = parseCidr(cidr);
    return { from: BigInt(address), to: BigInt(address + 2 ** (32 - prefix) - 1) };
  }
  const [ip = '', prefix] = cidr.split('/');
  const rest = BigInt(128 - Number(prefix));
  const from = (addressNumber(ip) >> rest) << rest;
  return { from, to: from + (1n << rest) - 1n };
};

/** A block without its exceptions; exceptions of the other family cut nothing. */
export const blockAddresses = (block: {
  readonly cidr: string;
  readonly except: readonly string[];
}): AddressSet => {
  const family = familyOf(block.cidr);
  const cuts = block.except.filter((cidr) => familyOf(cidr) === family).map(cidrRange);
  return {
    family,
    ranges: addressSets.subtract([cidrRange(block.cidr)], addressSets.of(cuts)),
  };
};

export const holdsAddress = ({ family, ranges }: AddressSet, ip: string): boolean =>
  familyOf(ip) === family && addressSets.contains(ranges, addressNumber(ip));

/** How many leading bits an address and a range have in common; -1: of different families. */
export const commonBits = (ip: string, cidr: string): number => {
  const family = familyOf(ip);
  if (family !== familyOf(cidr)) return -1;
  const differing = addressNumber(ip) ^ cidrRange(cidr).from;
  return BITS[family] - (differing === 0n ? 0 : differing.toString(2).length);
};

/** Addresses that are in the same sets, and in no others. */
export interface AddressAtom extends Interval<bigint> {
  readonly family: Family;
  /** Indexes of the sets, ascending. Equal memberships are one array. */
  readonly sets: readonly number[];
}

/** Cuts a whole family into the fewest intervals that none of the sets can tell apart, in order. */
export const cutFamily = (family: Family, sets: readonly AddressSet[]): AddressAtom[] => {
  const whole = wholeFamily(family);
  const edges = new Map<bigint, { in: number[]; out: number[] }>();
  const edgeAt = (value: bigint): { in: number[]; out: number[] } => {
    const known = edges.get(value) ?? { in: [], out: [] };
    edges.set(value, known);
    return known;
  };
  edgeAt(whole.from);
  for (const [index, set] of sets.entries()) {
    if (set.family !== family) continue;
    for (const { from, to } of set.ranges) {
      edgeAt(from).in.push(index);
      if (to < whole.to) edgeAt(to + 1n).out.push(index);
    }
  }
  const cuts = [...edges].sort(([a], [b]) => (a < b ? -1 : 1));
  const inside = new Set<number>();
  const memberships = new Map<string, readonly number[]>();
  const atoms: AddressAtom[] = [];
  for (const [at, [from, edge]] of cuts.entries()) {
    for (const index of edge.out) inside.delete(index);
    for (const index of edge.in) inside.add(index);
    const members = [...inside].sort((a, b) => a - b);
    const key = members.join();
    const known = memberships.get(key) ?? members;
    memberships.set(key, known);
    const next = cuts[at + 1]?.[0];
    const to = next === undefined ? whole.to : next - 1n;
    const last = atoms.at(-1);
    if (last?.sets === known) atoms[atoms.length - 1] = { ...last, to };
    else atoms.push({ family, from, to, sets: known });
  }
  return atoms;
};

/** The atom that an address is in. @param atoms of its family, in order, covering everything */
export const atomOf = (atoms: readonly AddressAtom[], ip: string): number => {
  const value = addressNumber(ip);
  let low = 0;
  let high = atoms.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((atoms[middle] as AddressAtom).from <= value) low = middle;
    else high = middle - 1;
  }
  return low;
};
