/** Who owns an address: every range and every address ever given, indexed when first asked. */
import type { Ip } from '../wire/packet.ts';
import type { PrefixMap } from './prefix-map.ts';
import { createPrefixMap, longestMatch } from './prefix-map.ts';
import type { Book, BookOwner, BookRange } from './world.ts';

const NOBODY: readonly BookOwner[] = [];

/** An owner that is not written out yet: the address is enough to find it by. */
export interface LateOwner {
  readonly ip: Ip;
  /** Called when somebody asks who it is. */
  owner(): BookOwner;
}

const NAMELESS = (): ReadonlyMap<Ip, string> => new Map();

/**
 * A book over fixed ranges and owners. `owners` answers everybody an address was given to, in the
 * order given; `rangeOf` the smallest range that holds an address, the first of equal ones.
 * @param all gone through when an owner is first asked for
 * @param services names of addresses that no device has, asked for once
 */
export const createBook = (
  ranges: readonly BookRange[],
  all: Iterable<LateOwner>,
  services: () => ReadonlyMap<Ip, string> = NAMELESS,
): Book => {
  let byService: ReadonlyMap<Ip, string> | undefined;
  let byIp: Map<Ip, LateOwner | LateOwner[]> | undefined;
  let byPrefix: PrefixMap<BookRange> | undefined;
  const indexOwners = (): Map<Ip, LateOwner | LateOwner[]> => {
    const index = new Map<Ip, LateOwner | LateOwner[]>();
    for (const owner of all) {
      const same = index.get(owner.ip);
      // Nearly every address has one owner.
      if (same === undefined) index.set(owner.ip, owner);
      else if (Array.isArray(same)) same.push(owner);
      else index.set(owner.ip, [same, owner]);
    }
    return index;
  };
  return {
    ranges,
    owners: (ip) => {
      byIp ??= indexOwners();
      const found = byIp.get(ip);
      if (found === undefined) return NOBODY;
      return Array.isArray(found) ? found.map((late) => late.owner()) : [found.owner()];
    },
    serviceName: (ip) => {
      byService ??= services();
      return byService.get(ip);
    },
    rangeOf: (ip) => {
      byPrefix ??= createPrefixMap(ranges, ({ cidr }) => cidr);
      return longestMatch(byPrefix, ip);
    },
  };
};
