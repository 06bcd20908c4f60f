/** From a row to a next hop and a source address (net/ipv4/fib_semantics.c, devinet.c). */
import { ipv4ToNumber, prefixMask } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import type { FibEntry, RouteScope } from './fib.ts';
import { TABLE_LOCAL } from './fib.ts';
import { fibTableLookup, scopeNumber } from './fib-lookup.ts';
import { findDev, findDevOfAddress } from './netdev.ts';
import { ipv4DevConf } from './sysctl.ts';
import type { IfAddr, Netdev, Netns } from './world.ts';

/**
 * in_dev_select_addr: from a device that the route does not use only an address that is not of link
 * scope may be taken.
 */
const selectElsewhere = (dev: Netdev, scope: number): IfAddr | undefined =>
  dev.addresses.find(
    (address) =>
      !address.secondary && address.scope !== 'link' && scopeNumber(address.scope) <= scope,
  );

/** inet_ifa_match: whether the subnet of an address holds another. */
const onSubnet = ({ ip, prefix }: IfAddr, other: Ip): boolean =>
  ((ipv4ToNumber(ip) ^ ipv4ToNumber(other)) & prefixMask(prefix)) === 0;

/** The address of the device itself that is fit, the one nearest to `dst` first. */
const selectHere = (
  netns: Netns,
  dev: Netdev,
  dst: Ip | undefined,
  scope: number,
): IfAddr | undefined => {
  const local = ipv4DevConf(netns, dev.ifname, 'route_localnet') !== 0;
  const widest = scopeNumber(local ? 'link' : 'host');
  let first: IfAddr | undefined;
  for (const address of dev.addresses) {
    if (address.secondary || Math.min(scopeNumber(address.scope), widest) > scope) continue;
    if (dst === undefined || onSubnet(address, dst)) return address;
    first ??= address;
  }
  return first;
};

/**
 * inet_select_addr (net/ipv4/devinet.c): the source address for packets that leave by a device. The
 * first primary address of the scope asked for or wider whose subnet holds `dst`, else the first
 * primary one, else one of any other device, loopback first; undefined when the namespace has none.
 * @param dst where the packet goes next, or undefined when that does not matter
 */
export const inetSelectAddr = (
  netns: Netns,
  ifname: string,
  dst: Ip | undefined,
  scope: RouteScope,
): Ip | undefined => {
  const wanted = scopeNumber(scope);
  const dev = findDev(netns, ifname);
  const here = dev && selectHere(netns, dev, dst, wanted);
  if (here) return here.ip;
  for (const other of netns.devices) {
    const found = selectElsewhere(other, wanted);
    if (found) return found.ip;
  }
  return undefined;
};

/**
 * fib_result_prefsrc (net/ipv4/fib_semantics.c): the source address that a row makes a sender use:
 * its own `src`, else one of its device near the gateway.
 */
export const fibResultPrefsrc = (netns: Netns, row: FibEntry): Ip | undefined =>
  row.src ??
  (row.dev === undefined ? undefined : inetSelectAddr(netns, row.dev, row.via, row.scope));

/**
 * nhc_scope: how far away a row's next hop is. `link`: behind a gateway; `host`: the destination
 * itself is on the link; `nowhere`: it is this machine. A gateway that is an own address is none.
 */
export const nexthopScope = (row: FibEntry): 'link' | 'host' | 'nowhere' => {
  if (row.scope === 'host') return 'nowhere';
  return row.via === undefined || row.viaSelf ? 'host' : 'link';
};

/** rt_set_nexthop (net/ipv4/route.c): the gateway of a row, if packets really go to one. */
export const gatewayOf = (row: FibEntry): Ip | undefined =>
  nexthopScope(row) === 'link' ? row.via : undefined;

/**
 * __ip_dev_find (net/ipv4/devinet.c): the device of an own address. An address that nobody
 * configured is own too when table local says so, e.g. all of 127.0.0.0/8.
 */
export const ipDevFind = (netns: Netns, ip: Ip): string | undefined => {
  const configured = findDevOfAddress(netns, ip);
  if (configured) return configured.dev.ifname;
  const { row } = fibTableLookup(netns, TABLE_LOCAL, { dst: ip });
  return row?.type === 'local' ? row.dev : undefined;
};
