/** IPv4 addresses of devices, and the rows that come and go with them (net/ipv4/devinet.c, fib_frontend.c). */
import { cidrBroadcast, cidrOf, isLoopback } from '../../wire/ip.ts';
import type { Ip } from '../../wire/packet.ts';
import type { FibEntry, Nexthop, RouteType } from '../fib.ts';
import { routeDevices, TABLE_LOCAL, TABLE_MAIN } from '../fib.ts';
import { inetAddrType, isZeronet, scopeNumber } from '../fib-lookup.ts';
import type { Origin, OriginWhy } from '../origin.ts';
import { ipv4DevConf } from '../sysctl.ts';
import type { IfAddr, Netdev, Netns } from '../world.ts';
import { NetlinkError } from './error.ts';
import { fibTableInsert, validPrefsrc } from './route.ts';
import { dropRoutes, needDev, putDev, replaceRoute } from './store.ts';

/** One `ip addr add IP/PREFIX [brd IP] [scope S] dev D`. */
export interface AddressSpec {
  readonly ip: Ip;
  readonly prefix: number;
  /** iproute2 sets none unless told; CNI plugins set the subnet's. */
  readonly broadcast?: Ip;
  /** Default: host for 127.0.0.0/8, else global. */
  readonly scope?: IfAddr['scope'];
}

/** The kernel's own rows name what the address was made for. */
const originOf = (address: IfAddr, why: OriginWhy): Origin => ({
  ...address.origin,
  by: 'kernel',
  why,
});

const subnetOf = ({ ip, prefix }: IfAddr): string => cidrOf(ip, prefix);

const sameSubnet = (a: IfAddr, b: IfAddr): boolean =>
  a.prefix === b.prefix && subnetOf(a) === subnetOf(b);

/** inet_ifa_byprefix: the address whose rows a secondary one shares. */
const primaryOf = (dev: Netdev, address: IfAddr): IfAddr | undefined =>
  address.secondary
    ? dev.addresses.find((other) => !other.secondary && sameSubnet(other, address))
    : address;

/** What fib_magic asks the table for. */
const kernelRow = (
  dev: Netdev,
  type: RouteType,
  dst: string,
  primary: IfAddr,
  why: OriginWhy,
): FibEntry => ({
  table: type === 'unicast' ? TABLE_MAIN : TABLE_LOCAL,
  type,
  dst,
  dev: dev.ifname,
  scope: type === 'local' ? 'host' : 'link',
  metric: 0,
  src: primary.ip,
  protocol: 'kernel',
  origin: originOf(primary, why),
});

/**
 * fib_magic(RTM_NEWROUTE): a row that is there already stays alone, and an address that is another
 * subnet's broadcast address gets no rows that prefer it.
 */
const magicAdd = (netns: Netns, row: FibEntry): void => {
  if (!validPrefsrc(netns, row)) return;
  try {
    fibTableInsert(netns, row, 'append');
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
  }
};

/** fib_magic(RTM_DELROUTE): the first row with these marks goes. */
const magicDel = (netns: Netns, row: FibEntry): void => {
  const at = netns.routes.find(
    (other) =>
      other.table === row.table &&
      other.dst === row.dst &&
      other.type === row.type &&
      other.scope === row.scope &&
      other.src === row.src &&
      other.protocol === 'kernel' &&
      other.dev === row.dev,
  );
  if (at) dropRoutes(netns, (other) => other === at);
};

const hasSubnet = (address: IfAddr): boolean =>
  !isZeronet(subnetOf(address)) && address.prefix < 32;

/** A host /32 has no subnet row; on loopback the subnet itself is local. */
const subnetRow = (dev: Netdev, address: IfAddr, primary: IfAddr): FibEntry =>
  dev.kind === 'loopback'
    ? kernelRow(dev, 'local', subnetOf(address), primary, 'local-route')
    : kernelRow(dev, 'unicast', subnetOf(address), primary, 'connected-route');

const broadcastRow = (dev: Netdev, ip: Ip, primary: IfAddr): FibEntry =>
  kernelRow(dev, 'broadcast', `${ip}/32`, primary, 'broadcast-route');

const localRow = (dev: Netdev, address: IfAddr, primary: IfAddr): FibEntry =>
  kernelRow(dev, 'local', `${address.ip}/32`, primary, 'local-route');

/**
 * fib_add_ifaddr (net/ipv4/fib_frontend.c): the local row at once, also on a device that is down;
 * while it is up the broadcast address that was given, the connected row of a primary address, and
 * the subnet's own broadcast address. A /32 has only its local row.
 */
export const fibAddIfaddr = (netns: Netns, dev: Netdev, address: IfAddr): void => {
  const primary = primaryOf(dev, address);
  if (!primary) return;
  magicAdd(netns, localRow(dev, address, primary));
  if (!dev.up) return;
  if (address.broadcast !== undefined && address.broadcast !== '255.255.255.255')
    magicAdd(netns, broadcastRow(dev, address.broadcast, primary));
  if (!hasSubnet(address) || address.secondary) return;
  magicAdd(netns, subnetRow(dev, address, primary));
  if (address.prefix < 31)
    magicAdd(netns, broadcastRow(dev, cidrBroadcast(subnetOf(address)), primary));
};

/** Which rows of an address that goes another address of the device still needs. */
const stillNeeded = (
  dev: Netdev,
  gone: IfAddr,
  primary: IfAddr,
): { local: boolean; broadcast: boolean; last: boolean } => {
  const needed = { local: false, broadcast: false, last: false };
  const last = cidrBroadcast(subnetOf(gone));
  for (const other of dev.addresses) {
    if (other === gone || primaryOf(dev, other)?.ip !== primary.ip) continue;
    if (other.ip === gone.ip) needed.local = true;
    const broadcasts = [other.broadcast];
    if (!other.secondary && other.prefix < 31 && hasSubnet(other))
      broadcasts.push(cidrBroadcast(subnetOf(other)));
    if (gone.broadcast !== undefined && broadcasts.includes(gone.broadcast))
      needed.broadcast = true;
    if (broadcasts.includes(last)) needed.last = true;
  }
  return needed;
};

/**
 * fib_del_ifaddr (net/ipv4/fib_frontend.c): takes the rows of an address that no other address of
 * the device needs, and once the address is nobody's any more the routes of table main that prefer
 * it as source (fib_sync_down_addr). `dev` still has the address.
 */
const fibDelIfaddr = (netns: Netns, dev: Netdev, address: IfAddr): void => {
  const primary = primaryOf(dev, address);
  if (!primary) return;
  const subnet = !address.secondary && hasSubnet(address);
  if (subnet) magicDel(netns, subnetRow(dev, address, primary));
  const needed = stillNeeded(dev, address, primary);
  if (address.broadcast !== undefined && !needed.broadcast)
    magicDel(netns, broadcastRow(dev, address.broadcast, primary));
  if (subnet && address.prefix < 31 && !needed.last)
    magicDel(netns, broadcastRow(dev, cidrBroadcast(subnetOf(address)), primary));
  if (needed.local) return;
  magicDel(netns, localRow(dev, address, primary));
  if (inetAddrType(netns, address.ip) !== 'local')
    dropRoutes(netns, (row) => row.table === TABLE_MAIN && row.src === address.ip);
};

/**
 * fib_disable_ip: drops the routes through a device. Rows of host scope stay unless `force`, so
 * that the addresses of a device that is down are still local; of several next hops those by the
 * device die, and the route goes once all are dead (fib_sync_down_dev).
 */
export const fibDisableIp = (netns: Netns, ifname: string, force: boolean): void => {
  setDead(netns, ifname, true);
  dropRoutes(
    netns,
    (row) =>
      (row.dev === ifname && (force || row.scope !== 'host')) ||
      row.nexthops?.every(({ dead }) => dead) === true,
  );
};

/** NETDEV_UNREGISTER: one next hop by a device that is gone takes its whole route along. */
export const fibForgetDev = (netns: Netns, ifname: string): void => {
  dropRoutes(netns, (row) => routeDevices(row).includes(ifname));
};

/** Marks the next hops by a device; fib_sync_up takes the mark away again. */
const setDead = (netns: Netns, ifname: string, dead: boolean): void => {
  netns.routes.forEach((row, at) => {
    if (!row.nexthops?.some((hop) => hop.dev === ifname && (hop.dead ?? false) !== dead)) return;
    const nexthops = row.nexthops.map((hop) => (hop.dev === ifname ? withDead(hop, dead) : hop));
    replaceRoute(netns, at, { ...row, nexthops });
  });
};

const withDead = ({ dead: _, ...hop }: Nexthop, dead: boolean): Nexthop =>
  dead ? { ...hop, dead } : hop;

/** fib_sync_up (net/ipv4/fib_semantics.c): a device came up, or got an address while it was. */
export const fibSyncUp = (netns: Netns, ifname: string): void => setDead(netns, ifname, false);

/** Primary addresses before secondary ones, and among them the wider scope first (inet_insert_ifa). */
const insertAddress = (addresses: readonly IfAddr[], address: IfAddr): IfAddr[] => {
  if (address.secondary) return [...addresses, address];
  let at = 0;
  addresses.forEach((other, n) => {
    if (!other.secondary && scopeNumber(address.scope) <= scopeNumber(other.scope)) at = n + 1;
  });
  return [...addresses.slice(0, at), address, ...addresses.slice(at)];
};

/**
 * `ip addr add` (inet_insert_ifa, net/ipv4/devinet.c; fib_add_ifaddr, net/ipv4/fib_frontend.c). A
 * second address of one subnet is secondary and shares the rows of the first.
 * @throws {NetlinkError} ENODEV; EEXIST when the device has the address with that prefix
 */
export const addrAdd = (
  netns: Netns,
  ifname: string,
  spec: AddressSpec,
  origin?: Origin,
): IfAddr => {
  const dev = needDev(netns, ifname);
  const fresh: IfAddr = {
    ip: spec.ip,
    prefix: spec.prefix,
    ...(spec.broadcast !== undefined && { broadcast: spec.broadcast }),
    scope: spec.scope ?? (isLoopback(spec.ip) ? 'host' : 'global'),
    ...(origin && { origin }),
  };
  const neighbours = dev.addresses.filter((other) => sameSubnet(other, fresh));
  if (neighbours.some(({ ip }) => ip === fresh.ip))
    throw new NetlinkError('EEXIST', 'ipv4: Address already assigned');
  if (neighbours.some(({ scope }) => scope !== fresh.scope))
    throw new NetlinkError('EINVAL', 'ipv4: Invalid scope value');
  const address: IfAddr = neighbours.length > 0 ? { ...fresh, secondary: true } : fresh;
  const changed = putDev(netns, { ...dev, addresses: insertAddress(dev.addresses, address) });
  fibAddIfaddr(netns, changed, address);
  if (changed.up) fibSyncUp(netns, ifname);
  return address;
};

const without = (netns: Netns, ifname: string, address: IfAddr): Netdev => {
  const dev = needDev(netns, ifname);
  return putDev(netns, {
    ...dev,
    addresses: dev.addresses.filter((other) => other !== address),
  });
};

/** One address goes, with its rows; the last one takes all routes of the device along. */
const removeAddress = (netns: Netns, ifname: string, address: IfAddr): void => {
  fibDelIfaddr(netns, needDev(netns, ifname), address);
  if (without(netns, ifname, address).addresses.length === 0) fibDisableIp(netns, ifname, true);
};

/** The first secondary address of a subnet becomes the primary one (promote_secondaries). */
const promote = (netns: Netns, ifname: string, gone: IfAddr, heirs: readonly IfAddr[]): void => {
  const dev = needDev(netns, ifname);
  for (const heir of heirs) magicDel(netns, localRow(dev, heir, gone));
  fibDelIfaddr(netns, dev, gone);
  const rest = dev.addresses.filter((other) => other !== gone && !heirs.includes(other));
  const [first, ...others] = heirs.map((heir) => {
    const { secondary: _, ...address } = heir;
    return address;
  });
  if (!first) return;
  const secondaries = others.map((address): IfAddr => ({ ...address, secondary: true }));
  const changed = putDev(netns, {
    ...dev,
    addresses: [...insertAddress(rest, first), ...secondaries],
  });
  for (const address of [first, ...secondaries]) fibAddIfaddr(netns, changed, address);
};

/**
 * `ip addr del` (__inet_del_ifa, net/ipv4/devinet.c). Secondary addresses go with their primary one
 * unless `promote_secondaries` makes the first of them its heir. Routes that prefer the address as
 * source go; with the last address of a device all its routes go (fib_inetaddr_event).
 * @throws {NetlinkError} ENODEV, EADDRNOTAVAIL
 */
export const addrDel = (netns: Netns, ifname: string, ip: Ip, prefix?: number): void => {
  const dev = needDev(netns, ifname);
  const address = dev.addresses.find(
    (other) => other.ip === ip && (prefix === undefined || other.prefix === prefix),
  );
  if (!address) throw new NetlinkError('EADDRNOTAVAIL', 'ipv4: Address not found');
  const heirs = address.secondary
    ? []
    : dev.addresses.filter((other) => other.secondary === true && sameSubnet(other, address));
  if (heirs.length > 0 && ipv4DevConf(netns, ifname, 'promote_secondaries') !== 0) {
    promote(netns, ifname, address, heirs);
    return;
  }
  for (const heir of heirs) removeAddress(netns, ifname, heir);
  removeAddress(netns, ifname, address);
};
