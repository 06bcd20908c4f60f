/** Values by address prefix: a hash table for each prefix length, asked from the longest one down. */
import { ipv4ToNumber, parseCidr } from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';

/** All prefixes of one length. */
export interface PrefixLevel<Value> {
  readonly prefix: number;
  readonly mask: number;
  /** By the network's first address, as a number. Values of one prefix keep their order. */
  readonly byAddress: Map<number, Value[]>;
}

export interface PrefixMap<Value> {
  /** Longest prefix first; only lengths that hold a value. */
  readonly levels: PrefixLevel<Value>[];
}

/** The values of exactly one prefix; undefined when there is none. */
export const prefixGroup = <Value>(
  { levels }: PrefixMap<Value>,
  cidr: Cidr,
): readonly Value[] | undefined => {
  const { address, prefix } = parseCidr(cidr);
  return levels.find((level) => level.prefix === prefix)?.byAddress.get(address);
};

/** Replaces the values of one prefix. */
export const setPrefixGroup = <Value>(
  { levels }: PrefixMap<Value>,
  cidr: Cidr,
  values: Value[],
): void => {
  const { address, prefix, mask } = parseCidr(cidr);
  let level = levels.find((one) => one.prefix === prefix);
  if (!level) {
    level = { prefix, mask, byAddress: new Map() };
    const at = levels.findIndex((one) => one.prefix < prefix);
    levels.splice(at < 0 ? levels.length : at, 0, level);
  }
  level.byAddress.set(address, values);
};

/**
 * An index over values that belong to a prefix.
 * @param prefixOf the prefix that a value belongs to
 */
export const createPrefixMap = <Value>(
  values: Iterable<Value>,
  prefixOf: (value: Value) => Cidr,
): PrefixMap<Value> => {
  const groups = new Map<Cidr, Value[]>();
  for (const value of values) {
    const same = groups.get(prefixOf(value));
    if (same) same.push(value);
    else groups.set(prefixOf(value), [value]);
  }
  const map: PrefixMap<Value> = { levels: [] };
  for (const [cidr, group] of groups) setPrefixGroup(map, cidr, group);
  return map;
};

/** The first value of the longest prefix that holds the address. */
export const longestMatch = <Value>({ levels }: PrefixMap<Value>, ip: Ip): Value | undefined => {
  const address = ipv4ToNumber(ip);
  for (const { mask, byAddress } of levels) {
    const first = byAddress.get((address & mask) >>> 0)?.[0];
    if (first !== undefined) return first;
  }
  return undefined;
};
