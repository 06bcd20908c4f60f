/** Values by address prefix: a hash table for each prefix length, asked from the longest one down. */
import { ipv4ToNumber, parseCidr, prefixMask } from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';

interface Level<Value> {
  readonly prefix: number;
  readonly mask: number;
  readonly byAddress: Map<number, Value[]>;
}

export interface PrefixMap<Value> {
  /** Longest prefix first; only lengths that hold a value. */
  readonly levels: readonly Level<Value>[];
}

/**
 * An index over values that belong to a prefix. Values of one prefix keep their order.
 * @param prefixOf the prefix that a value belongs to
 */
export const createPrefixMap = <Value>(
  values: Iterable<Value>,
  prefixOf: (value: Value) => Cidr,
): PrefixMap<Value> => {
  const levels = new Map<number, Level<Value>>();
  for (const value of values) {
    const { address, prefix } = parseCidr(prefixOf(value));
    let level = levels.get(prefix);
    if (!level) {
      level = { prefix, mask: prefixMask(prefix), byAddress: new Map() };
      levels.set(prefix, level);
    }
    const same = level.byAddress.get(address);
    if (same) same.push(value);
    else level.byAddress.set(address, [value]);
  }
  return { levels: [...levels.values()].sort((a, b) => b.prefix - a.prefix) };
};

/** Every value whose prefix holds the address, longest prefix first; lazily. */
export function* matchPrefix<Value>(map: PrefixMap<Value>, ip: Ip): Generator<Value, void, void> {
  const address = ipv4ToNumber(ip);
  for (const level of map.levels) {
    const values = level.byAddress.get((address & level.mask) >>> 0);
    if (values) yield* values;
  }
}
