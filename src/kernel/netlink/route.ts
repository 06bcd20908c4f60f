/** Routes as rtnetlink takes them (net/ipv4/fib_frontend.c, fib_semantics.c, fib_trie.c). */
import { isIpv4Cidr, numberToIpv4, parseCidr } from '../../wire/ip.ts';
import type { Cidr, Ip } from '../../wire/packet.ts';
import type { FibEntry, Nexthop, RouteScope, RouteType } from '../fib.ts';
import { TABLE_LOCAL, TABLE_MAIN, throughHop } from '../fib.ts';
import { rowsOfPrefix, tableExists } from '../fib-index.ts';
import {
  fibLookupWith,
  fibTableLookup,
  inetAddrType,
  inetAddrTypeTable,
  scopeNumber,
} from '../fib-lookup.ts';
import { findDev } from '../netdev.ts';
import type { Origin } from '../origin.ts';
import type { Netns } from '../world.ts';
import { NetlinkError, noDevice } from './error.ts';
import { dropRoutes, insertRoute, replaceRoute } from './store.ts';

/** One `nexthop` of `ip route add`. */
export interface NexthopSpec {
  readonly via?: Ip;
  readonly dev?: string;
  readonly onlink?: boolean;
  /** Default: 1. */
  readonly weight?: number;
}

/** One `ip route add`: what is absent gets the default of iproute2. */
export interface RouteSpec {
  readonly dst: Cidr;
  readonly via?: Ip;
  readonly dev?: string;
  /** Default: local for local and broadcast routes, else main. */
  readonly table?: number;
  /** Default: unicast. */
  readonly type?: RouteType;
  /** Default: host for local, link for broadcast and for unicast without `via`, else global. */
  readonly scope?: RouteScope;
  /** Default: 0. */
  readonly metric?: number;
  readonly src?: Ip;
  /** Default: boot. */
  readonly protocol?: FibEntry['protocol'];
  readonly onlink?: boolean;
  readonly mtu?: number;
  /** One is as good as `via` and `dev`; beside them, the first must say the same. */
  readonly nexthops?: readonly NexthopSpec[];
}

/**
 * What to do about rows of the same prefix and metric: add refuses, append goes behind them,
 * prepend before them, replace and change put the row in the place of the first; change refuses
 * when there is none.
 */
export type RouteMode = 'add' | 'append' | 'prepend' | 'replace' | 'change';

const isError = (type: RouteType): boolean =>
  type === 'blackhole' || type === 'unreachable' || type === 'prohibit' || type === 'throw';

/** iproute_modify (iproute2, ip/iproute.c). */
const defaultScope = ({ via, nexthops }: RouteSpec, type: RouteType): RouteScope => {
  if (type === 'local') return 'host';
  if (type === 'broadcast') return 'link';
  return type === 'unicast' && via === undefined && !nexthops ? 'link' : 'global';
};

const defaultTable = (type: RouteType): number =>
  type === 'local' || type === 'broadcast' ? TABLE_LOCAL : TABLE_MAIN;

/** What is found out about a next hop when its route is made. */
type Checked = Required<Pick<FibEntry, 'dev'>> & Pick<FibEntry, 'viaSelf'>;

/** fib_check_nh_v4_gw (net/ipv4/fib_semantics.c): the device that leads to a gateway. */
const checkGateway = (netns: Netns, row: FibEntry, via: Ip): Checked => {
  if (row.onlink) {
    if (scopeNumber(row.scope) >= scopeNumber('link'))
      throw new NetlinkError('EINVAL', 'Nexthop has invalid scope');
    const dev = row.dev === undefined ? undefined : findDev(netns, row.dev);
    if (!dev) throw new NetlinkError('ENODEV', 'Nexthop device required for onlink');
    if (!dev.up) throw new NetlinkError('ENETDOWN', 'Nexthop device is not up');
    if (inetAddrType(netns, via) !== 'unicast')
      throw new NetlinkError('EINVAL', 'Nexthop has invalid gateway');
    return { dev: dev.ifname };
  }
  // The gateway must be nearer than the route: scope + 1, and at least link.
  const flow = {
    dst: via,
    scope: scopeNumber(row.scope) >= scopeNumber('link') ? 'host' : 'link',
    ...(row.dev !== undefined && { oif: row.dev }),
  } as const;
  const own = row.table === TABLE_MAIN ? undefined : fibTableLookup(netns, row.table, flow);
  const found = own?.row && !isError(own.row.type) ? own : fibLookupWith(netns, flow);
  if ('errno' in found && found.errno !== undefined)
    throw new NetlinkError('ENETUNREACH', 'Nexthop has invalid gateway');
  const hop = found.row && throughHop(found.row, found.nexthop);
  if (!hop || (hop.type !== 'unicast' && hop.type !== 'local'))
    throw new NetlinkError('EINVAL', 'Nexthop has invalid gateway');
  const dev = hop.dev === undefined ? undefined : findDev(netns, hop.dev);
  if (!dev) throw new NetlinkError('EINVAL', 'No egress device for nexthop gateway');
  if (!dev.up) throw new NetlinkError('ENETDOWN');
  return hop.scope === 'host' ? { dev: dev.ifname, viaSelf: true } : { dev: dev.ifname };
};

/** fib_check_nh (net/ipv4/fib_semantics.c): the device of a route's next hop. */
const checkNexthop = (netns: Netns, row: FibEntry): Checked => {
  if (row.scope !== 'host' && row.via !== undefined) return checkGateway(netns, row, row.via);
  if (row.scope === 'host' && row.via !== undefined)
    throw new NetlinkError('EINVAL', 'Route with host scope can not have a gateway');
  if (row.scope !== 'host' && row.onlink)
    throw new NetlinkError(
      'EINVAL',
      'Invalid flags for nexthop - PERVASIVE and ONLINK can not be set',
    );
  const dev = row.dev === undefined ? undefined : findDev(netns, row.dev);
  if (!dev) throw new NetlinkError('ENODEV');
  if (row.scope === 'host') return { dev: dev.ifname };
  if (!dev.up) throw new NetlinkError('ENETDOWN', 'Device for nexthop is not up');
  return { dev: dev.ifname };
};

/**
 * fib_valid_prefsrc (net/ipv4/fib_semantics.c): a preferred source must be local to the route's
 * table or to table local, unless it is what the route itself makes local.
 */
export const validPrefsrc = (netns: Netns, row: FibEntry): boolean => {
  if (row.src === undefined) return true;
  if (row.type === 'local' && row.dst.startsWith(`${row.src}/`)) return true;
  return (
    inetAddrType(netns, row.src) === 'local' ||
    (row.table !== TABLE_MAIN && inetAddrTypeTable(netns, row.src, row.table) === 'local')
  );
};

/** The narrowest scope that a route of each type may say (fib_props, net/ipv4/fib_semantics.c). */
const narrowest = (type: RouteType): RouteScope =>
  type === 'local' ? 'host' : type === 'broadcast' ? 'link' : 'global';

/** fib_create_info (net/ipv4/fib_semantics.c): the row that a request makes, or why it cannot be. */
const createRow = (netns: Netns, spec: RouteSpec, origin: Origin | undefined): FibEntry => {
  if (!isIpv4Cidr(spec.dst)) throw new NetlinkError('EINVAL', 'any valid prefix is expected');
  const { address, prefix } = parseCidr(spec.dst);
  const dst = `${numberToIpv4(address)}/${prefix}`;
  if (dst !== spec.dst) throw new NetlinkError('EINVAL', 'Invalid prefix for given prefix length');
  const type = spec.type ?? 'unicast';
  const scope = spec.scope ?? defaultScope(spec, type);
  if (scopeNumber(narrowest(type)) > scopeNumber(scope))
    throw new NetlinkError('EINVAL', 'Invalid scope');
  const ways = spec.nexthops?.length ? spec.nexthops : undefined;
  if (ways) checkFirst(spec, ways[0]);
  if (isError(type) && (spec.via !== undefined || spec.dev !== undefined || spec.nexthops))
    throw new NetlinkError(
      'EINVAL',
      'Gateway, device and multipath can not be specified for this route type',
    );
  const single = ways === undefined ? spec : ways.length === 1 ? ways[0] : undefined;
  const row: FibEntry = {
    table: spec.table ?? defaultTable(type),
    type,
    dst,
    ...(single?.via !== undefined && { via: single.via }),
    ...(single?.dev !== undefined && { dev: single.dev }),
    scope,
    metric: spec.metric ?? 0,
    ...(spec.src !== undefined && { src: spec.src }),
    protocol: spec.protocol ?? 'boot',
    ...(single?.onlink && { onlink: true }),
    ...(spec.mtu && { mtu: spec.mtu }),
    ...(origin && { origin }),
  };
  if (isError(type)) return row;
  for (const { dev } of [spec, ...(ways ?? [])])
    if (dev !== undefined && !findDev(netns, dev)) throw noDevice(dev);
  const nexthops = ways && ways.length > 1 ? checkNexthops(netns, row, ways) : undefined;
  const found = nexthops ? { nexthops } : checkNexthop(netns, row);
  if (!validPrefsrc(netns, row)) throw new NetlinkError('EINVAL', 'Invalid prefsrc address');
  return { ...row, ...found };
};

/** fib_create_info: every next hop is checked as if it were the only one. */
const checkNexthops = (netns: Netns, row: FibEntry, ways: readonly NexthopSpec[]): Nexthop[] => {
  if (row.scope === 'host')
    throw new NetlinkError('EINVAL', 'Route with host scope can not have multiple nexthops');
  return ways.map(({ via, dev, onlink, weight = 1 }) => {
    const way = {
      ...(via !== undefined && { via }),
      ...(dev !== undefined && { dev }),
      ...(onlink && { onlink }),
    };
    return { ...way, ...checkNexthop(netns, { ...row, ...way }), weight };
  });
};

/** fib_get_nhs: what the route says beside its next hops must be true of the first. */
const checkFirst = ({ via, dev }: RouteSpec, first: NexthopSpec | undefined): void => {
  if (dev !== undefined && dev !== first?.dev)
    throw new NetlinkError('EINVAL', 'Nexthop device index does not match RTA_OIF');
  if (via !== undefined && via !== first?.via)
    throw new NetlinkError('EINVAL', 'Nexthop gateway does not match RTA_GATEWAY or RTA_VIA');
};

/** nh_comp (net/ipv4/fib_semantics.c); what became of a link is not compared. */
const sameHops = (a: readonly Nexthop[] = [], b: readonly Nexthop[] = []): boolean =>
  a.length === b.length &&
  a.every((hop, at) => {
    const other = b[at];
    return (
      other !== undefined &&
      hop.via === other.via &&
      hop.dev === other.dev &&
      hop.weight === other.weight &&
      (hop.viaSelf ?? false) === (other.viaSelf ?? false) &&
      (hop.onlink ?? false) === (other.onlink ?? false)
    );
  });

/** fib_find_info (net/ipv4/fib_semantics.c) and the alias's type: the very same route. */
const same = (a: FibEntry, b: FibEntry): boolean =>
  a.type === b.type &&
  a.scope === b.scope &&
  a.protocol === b.protocol &&
  a.src === b.src &&
  a.via === b.via &&
  a.dev === b.dev &&
  (a.viaSelf ?? false) === (b.viaSelf ?? false) &&
  (a.onlink ?? false) === (b.onlink ?? false) &&
  (a.mtu ?? 0) === (b.mtu ?? 0) &&
  sameHops(a.nexthops, b.nexthops);

/**
 * fib_table_insert (net/ipv4/fib_trie.c): puts a row among those of its table and prefix, in the
 * order of metrics.
 */
export const fibTableInsert = (netns: Netns, row: FibEntry, mode: RouteMode): void => {
  const { routes } = netns;
  if (rowsOfPrefix(netns, row.table, row.dst).length === 0) {
    if (mode === 'change') throw new NetlinkError('ENOENT');
    insertRoute(netns, routes.length, row);
    return;
  }
  const siblings: number[] = [];
  let after = routes.length;
  routes.forEach((other, at) => {
    if (other.table !== row.table || other.dst !== row.dst) return;
    if (other.metric === row.metric) siblings.push(at);
    if (other.metric > row.metric && at < after) after = at;
  });
  const first = siblings[0];
  const last = siblings.at(-1);
  if (first === undefined || last === undefined) {
    if (mode === 'change') throw new NetlinkError('ENOENT');
    insertRoute(netns, after, row);
    return;
  }
  if (mode === 'add') throw new NetlinkError('EEXIST');
  const match = siblings.find((at) => {
    const other = routes[at];
    return other !== undefined && same(other, row);
  });
  if (mode === 'replace' || mode === 'change') {
    if (match !== undefined && match !== first) throw new NetlinkError('EEXIST');
    replaceRoute(netns, first, row);
    return;
  }
  if (match !== undefined) throw new NetlinkError('EEXIST');
  insertRoute(netns, mode === 'append' ? last + 1 : first, row);
};

/**
 * `ip route add|append|prepend|replace|change` (inet_rtm_newroute, net/ipv4/fib_frontend.c): checks
 * the next hop as the kernel does and answers the row as it is in the table.
 * @throws {NetlinkError} ENETUNREACH or EINVAL for a gateway that is not on a link, ENETDOWN for a
 *   device that is down, ENODEV, EEXIST, ENOENT, EINVAL
 */
export const routeAdd = (
  netns: Netns,
  spec: RouteSpec,
  origin?: Origin,
  mode: RouteMode = 'add',
): FibEntry => {
  const row = createRow(netns, spec, origin);
  fibTableInsert(netns, row, mode);
  return row;
};

/** What `ip route del` matches by; what is absent matches anything. The table defaults as in RouteSpec. */
export type RouteSelector = Pick<RouteSpec, 'dst'> & Partial<Omit<RouteSpec, 'dst'>>;

/** fib_nh_match (net/ipv4/fib_semantics.c): next hops one by one, or the first by device and gateway. */
const matchesHops = (row: FibEntry, { via, dev, nexthops }: RouteSelector): boolean => {
  const hops = row.nexthops ?? [row];
  const [first] = hops;
  if (via !== undefined && via !== first?.via) return false;
  if (dev !== undefined && dev !== first?.dev) return false;
  if (!nexthops) return true;
  return hops.every((hop, at) => {
    const wanted = nexthops[at];
    return (
      wanted !== undefined &&
      (wanted.dev === undefined || wanted.dev === hop.dev) &&
      (wanted.via === undefined || wanted.via === hop.via)
    );
  });
};

const matches = (row: FibEntry, wanted: RouteSelector): boolean =>
  row.table === (wanted.table ?? defaultTable(wanted.type ?? 'unicast')) &&
  row.dst === wanted.dst &&
  (wanted.type === undefined || row.type === wanted.type) &&
  (wanted.scope === undefined || row.scope === wanted.scope) &&
  (wanted.src === undefined || row.src === wanted.src) &&
  (wanted.protocol === undefined || row.protocol === wanted.protocol) &&
  (wanted.metric === undefined || wanted.metric === 0 || row.metric === wanted.metric) &&
  matchesHops(row, wanted) &&
  (wanted.mtu === undefined || row.mtu === wanted.mtu);

/**
 * `ip route del` (fib_table_delete, net/ipv4/fib_trie.c): takes the first row that matches.
 * @throws {NetlinkError} ESRCH when there is none
 */
export const routeDel = (netns: Netns, wanted: RouteSelector): FibEntry => {
  let found: FibEntry | undefined;
  for (const row of netns.routes)
    if (matches(row, wanted) && (!found || row.metric < found.metric)) found = row;
  if (!found) {
    const table = wanted.table ?? defaultTable(wanted.type ?? 'unicast');
    // The kernel keeps a table that has become empty; the model does not remember it.
    throw tableExists(netns, table) || table === TABLE_MAIN || table === TABLE_LOCAL
      ? new NetlinkError('ESRCH')
      : new NetlinkError('ESRCH', 'FIB table does not exist');
  }
  dropRoutes(netns, (row) => row === found);
  return found;
};
