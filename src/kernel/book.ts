/** Who owns an address: every range and every address ever given, indexed when first asked. */
import type { Ip } from '../wire/packet.ts';
import type { PrefixMap } from './prefix-map.ts';
import { createPrefixMap, longestMatch } from './prefix-map.ts';
import type { Book, BookOwner, BookRange } from './world.ts';

const NOBODY: readonly BookOwner[] = [];

/**
 * A book over fixed ranges and owners. `owners` answers everybody an address was given to, in the
 * order given; `rangeOf` the smallest range that holds an address, the first of equal ones.
 */
export const createBook = (ranges: readonly BookRange[], owners: readonly BookOwner[]): Book => {
  let byIp: Map<Ip, BookOwner[]> | undefined;
  let byPrefix: PrefixMap<BookRange> | undefined;
  const indexOwners = (): Map<Ip, BookOwner[]> => {
    const index = new Map<Ip, BookOwner[]>();
    for (const owner of owners) {
      const same = index.get(owner.ip);
      if (same) same.push(owner);
      else index.set(owner.ip, [owner]);
    }
    return index;
  };
  return {
    ranges,
    owners: (ip) => {
      byIp ??= indexOwners();
      return byIp.get(ip) ?? NOBODY;
    },
    rangeOf: (ip) => {
      byPrefix ??= createPrefixMap(ranges, ({ cidr }) => cidr);
      return longestMatch(byPrefix, ip);
    },
  };
};
