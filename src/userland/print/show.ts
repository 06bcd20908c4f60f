/** What the tools of a node print about one namespace, line by line. */

import { bridgeFdb as bridgeRows, vxlanFdb } from '../../kernel/fdb-table.ts';
import type { FibEntry } from '../../kernel/fib.ts';
import { routeDevices, TABLE_MAIN } from '../../kernel/fib.ts';
import { neighTable } from '../../kernel/neigh-table.ts';
import { findDev, hasCarrier, operstate, portState, vethPeer } from '../../kernel/netdev.ts';
import { sysctlGet } from '../../kernel/sysctl.ts';
import type { Netdev, Netns, World } from '../../kernel/world.ts';
import { printFdb } from './fdb.ts';
import { type LinkContext, printAddr, printBridgeLink, printLink } from './link.ts';
import { printNeigh } from './neigh.ts';
import type { RouteContext } from './route.ts';
import { inDumpOrder, routeLines } from './route.ts';
import { printRule } from './rule.ts';

/** A World as far as it is looked at: the hosts, and what packets left behind. */
export type Shown = Pick<World, 'host' | 'dynamic'>;

const byIndex = (netns: Netns): Netdev[] => netns.devices.toSorted((a, b) => a.ifindex - b.ifindex);

/** Namespaces at the other ends of this one's veths get numbers in the order of the devices. */
const nsidOf = (netns: Netns, id: string): number => {
  const others = byIndex(netns).flatMap((dev) =>
    dev.kind === 'veth' && dev.peer && dev.peer.netns !== netns.id ? [dev.peer.netns] : [],
  );
  return [...new Set(others)].indexOf(id);
};

const contextOf = (world: Shown, netns: Netns, dev: Netdev): LinkContext => {
  const end = vethPeer(world, dev);
  return {
    operstate: operstate(world, netns, dev),
    carrier: hasCarrier(world, netns, dev),
    ...(end && {
      peer: {
        ifname: end.dev.ifname,
        ifindex: end.dev.ifindex,
        up: end.dev.up,
        ...(end.netns.id !== netns.id && { nsid: nsidOf(netns, end.netns.id) }),
      },
    }),
  };
};

/** `ip addr`, or `ip addr show dev X` of the devices that are given. */
export const ipAddr = (world: Shown, netns: Netns, only?: readonly string[]): string[] =>
  byIndex(netns)
    .filter(({ ifname }) => only?.includes(ifname) ?? true)
    .flatMap((dev) => printAddr(dev, contextOf(world, netns, dev)));

/** `ip link`, or `ip link show dev X` of the devices that are given. */
export const ipLink = (world: Shown, netns: Netns, only?: readonly string[]): string[] =>
  byIndex(netns)
    .filter(({ ifname }) => only?.includes(ifname) ?? true)
    .flatMap((dev) => printLink(dev, contextOf(world, netns, dev)));

const lacksLink = (world: Shown, netns: Netns, ifname: string): boolean => {
  const dev = findDev(netns, ifname);
  return dev !== undefined && !hasCarrier(world, netns, dev);
};

/** Marked where the device has no link, but never on an address of this machine (fib_sync_down_dev). */
const linkMarks = (world: Shown, netns: Netns, row: FibEntry): RouteContext => {
  if (row.scope === 'host') return {};
  const down = routeDevices(row).filter((ifname) => lacksLink(world, netns, ifname));
  return row.nexthops ? { linkdownHops: new Set(down) } : { linkdown: down.length > 0 };
};

/** `ip route show table X`; absent: the main table. */
export const ipRoute = (world: Shown, netns: Netns, table: number | 'all' = TABLE_MAIN): string[] =>
  inDumpOrder(netns.routes.filter((row) => table === 'all' || row.table === table)).flatMap((row) =>
    routeLines(row, { shown: table, ...linkMarks(world, netns, row) }),
  );

/** `ip rule`. */
export const ipRule = (netns: Netns): string[] =>
  netns.rules.map((rule) => printRule(rule, (ifname) => findDev(netns, ifname) !== undefined));

/** `ip neigh`: what was written, then what was learned. NOARP entries are not shown. */
export const ipNeigh = (world: Shown, netns: Netns): string[] =>
  neighTable(netns, world.dynamic.get(netns.id))
    .filter(({ state }) => state !== 'NOARP')
    .map(printNeigh);

/** `bridge link`, with `-d` each port's settings. */
export const bridgeLink = (world: Shown, netns: Netns, details = false): string[] =>
  byIndex(netns).flatMap((dev) => {
    if (dev.master === undefined || dev.port === undefined) return [];
    const context = contextOf(world, netns, dev);
    const here = netns.devices.find(({ ifindex }) => ifindex === context.peer?.ifindex);
    const port = { ...dev.port, state: portState(world, netns, dev) };
    return printBridgeLink({ ...dev, master: dev.master, port }, context, {
      details,
      ...(here && { here: here.ifname }),
    });
  });

const fdbOf = (world: Shown, netns: Netns, dev: Netdev): string[] => {
  const learned = world.dynamic.get(netns.id);
  const bridge = dev.kind === 'bridge' ? dev : findDev(netns, dev.master ?? '');
  const inBridge =
    bridge?.kind === 'bridge'
      ? bridgeRows(netns, bridge, learned).filter((row) => row.dev === dev.ifname)
      : [];
  const remotes = dev.kind === 'vxlan' ? vxlanFdb(dev, learned) : [];
  return [
    ...inBridge.toReversed().map((row) => printFdb(row, bridge?.ifname)),
    ...remotes.map((row) => printFdb(row)),
  ];
};

/**
 * `bridge fdb`: device by device, in a bridge the newest row first. Rows of multicast groups, which
 * no trace looks up, are left out.
 */
export const bridgeFdb = (world: Shown, netns: Netns): string[] =>
  byIndex(netns).flatMap((dev) => fdbOf(world, netns, dev));

/**
 * `sysctl KEY`: the key as typed and its value.
 * @throws {NetlinkError} ENOENT for a key that does not exist or is not modelled
 */
export const sysctl = (netns: Netns, key: string): string => `${key} = ${sysctlGet(netns, key)}`;
