/** Which next hop of several a packet takes (fib_select_multipath, net/ipv4/fib_semantics.c, 6.18). */
import type { Ip } from '../wire/packet.ts';
import type { FibEntry, Nexthop } from './fib.ts';
import { throughHop } from './fib.ts';
import { fibResultPrefsrc, inetSelectAddr } from './fib-select.ts';
import type { Hosts } from './netdev.ts';
import { findDev, hasCarrier } from './netdev.ts';
import { ipv4DevConf, sysctlGet } from './sysctl.ts';
import type { Netns } from './world.ts';

/** What a hash is made of, as far as the lookup knows it. */
export interface HashedFlow {
  readonly dst: Ip;
  readonly src?: Ip;
}

/**
 * Stands for the kernel's hash: takes one of the next hops that it could lead to.
 * @param hops two or more
 */
export type PickHop = (
  netns: Netns,
  row: FibEntry,
  hops: readonly Nexthop[],
  flow: HashedFlow,
) => Nexthop;

/** For lookups that send nothing. */
export const firstHop: PickHop = (_netns, row, [first]) => {
  if (!first) throw new RangeError(`no next hop of ${row.dst} can be taken`);
  return first;
};

/** Hops that have a share of the hash (fib_rebalance): neither dead nor without a link that counts. */
const sharing = (world: Hosts, netns: Netns, hops: readonly Nexthop[]): readonly Nexthop[] =>
  hops.filter(({ dev: ifname, dead }) => {
    const dev = findDev(netns, ifname);
    if (dead || !dev?.up) return false;
    return (
      ipv4DevConf(netns, ifname, 'ignore_routes_with_linkdown') === 0 ||
      hasCarrier(world, netns, dev)
    );
  });

/** Whether the hop is picked as the model knows it: by a hash of addresses or ports, and unasked. */
const isModelled = (netns: Netns): boolean => {
  const policy = sysctlGet(netns, 'net.ipv4.fib_multipath_hash_policy');
  return (
    (policy === '0' || policy === '1') &&
    sysctlGet(netns, 'net.ipv4.fib_multipath_use_neigh') === '0'
  );
};

/**
 * fib_select_multipath: the hop for a packet. Of a sender that has a source address, hops whose
 * device would give that address are preferred to all others; else any hop that has a share can be
 * the hash's.
 * @param src the sender's address; undefined for a packet that came in, or a sender without one
 * @returns undefined where the kernel would ask more than the model knows
 */
export const fibSelectMultipath = (
  world: Hosts,
  netns: Netns,
  row: FibEntry,
  src: Ip | undefined,
  flow: HashedFlow,
  pick: PickHop,
): Nexthop | undefined => {
  if (!isModelled(netns)) return undefined;
  const hops = sharing(world, netns, row.nexthops ?? []);
  const own =
    src === undefined
      ? []
      : hops.filter(({ dev, via }) => inetSelectAddr(netns, dev, via, row.scope) === src);
  const options = own.length > 0 ? own : hops;
  return options.length > 1 ? pick(netns, row, options, flow) : options[0];
};

/**
 * For a lookup that only learns its source: hops are told apart by the address that they give, and
 * there is nothing to pick where they all give one.
 */
export const bySource =
  (pick: PickHop): PickHop =>
  (netns, row, hops, flow) => {
    const bySrc = new Map<Ip | undefined, Nexthop>();
    for (const hop of hops) {
      const src = fibResultPrefsrc(netns, throughHop(row, hop));
      if (!bySrc.has(src)) bySrc.set(src, hop);
    }
    const apart = [...bySrc.values()];
    return (apart.length > 1 ? pick : firstHop)(netns, row, apart, flow);
  };
