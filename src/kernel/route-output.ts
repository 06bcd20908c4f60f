/** The route of a packet that this machine sends (ip_route_output_key_hash_rcu, net/ipv4/route.c). */
import { isLoopback, isMulticast } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import type { Errno, NearMiss } from './event.ts';
import type { FibEntry, FibRule, Nexthop } from './fib.ts';
import { throughHop } from './fib.ts';
import { rowsOfPrefix } from './fib-index.ts';
import type { FibResult, Flow } from './fib-lookup.ts';
import { fibLookup, isZeronet, LIMITED_BROADCAST } from './fib-lookup.ts';
import type { PickHop } from './fib-multipath.ts';
import { bySource, fibSelectMultipath, firstHop } from './fib-multipath.ts';
import { fibResultPrefsrc, gatewayOf, inetSelectAddr, ipDevFind } from './fib-select.ts';
import type { Hosts } from './netdev.ts';
import { findDev } from './netdev.ts';
import { ipv4DevConf } from './sysctl.ts';
import type { Netns } from './world.ts';

/** What the sender asks for. Absent: the route decides. */
export interface OutputKey {
  readonly dst: Ip;
  readonly src?: Ip;
  /** SO_BINDTODEVICE, or the device that an ICMP error goes back by. */
  readonly oif?: string;
  readonly mark?: number;
  /** FLOWI_FLAG_ANYSRC: the source need not be an address of this machine. */
  readonly anySource?: boolean;
}

interface Decided {
  readonly rule?: FibRule;
  readonly row?: FibEntry;
  /** Which next hop of the row's several was taken. */
  readonly nexthop?: Nexthop;
  readonly nearMiss?: NearMiss<FibEntry>;
}

export type RouteOutput =
  | (Decided & {
      readonly kind: 'route';
      /** Local packets leave and come back by `lo`. */
      readonly type: 'unicast' | 'local' | 'broadcast' | 'multicast';
      readonly dev: string;
      readonly dst: Ip;
      /** `0.0.0.0` when the namespace has no address to offer. */
      readonly src: Ip;
      /** Absent: the destination itself is the next hop. */
      readonly gateway?: Ip;
    })
  | (Decided & { readonly kind: 'error'; readonly errno: Errno; readonly type: FibResult['type'] })
  /**
   * Several default routes of one metric: which one wins depends on their gateways' history. Or
   * several next hops, and a way of taking one that is not known.
   */
  | (Decided & { readonly kind: 'not-modelled'; readonly rows: readonly FibEntry[] });

const NO_ADDRESS: Ip = '0.0.0.0';

// Every packet is routed a few times on its way: what it is told is written, not spread.
type Draft<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** Writes down what led to an answer. */
const because = <Answer extends Draft<Decided>>(
  answer: Answer,
  result: FibResult | undefined,
): Answer => {
  if (result?.rule) answer.rule = result.rule;
  if (result?.row) answer.row = result.row;
  if (result?.nexthop) answer.nexthop = result.nexthop;
  if (result?.nearMiss) answer.nearMiss = result.nearMiss;
  return answer;
};

type Route = Extract<RouteOutput, { kind: 'route' }>;
type Refusal = Extract<RouteOutput, { kind: 'error' }>;
type NotModelled = Extract<RouteOutput, { kind: 'not-modelled' }>;

const refuse = (errno: Errno, result?: FibResult): RouteOutput =>
  because<Draft<Refusal>>({ kind: 'error', errno, type: result?.type ?? 'no-route' }, result);

/** __mkroute_output: the last checks, and what kind of packet it will be. */
const makeRoute = (
  netns: Netns,
  dst: Ip,
  src: Ip | undefined,
  dev: string,
  type: 'unicast' | 'local' | 'broadcast',
  result: FibResult | undefined,
): RouteOutput => {
  const loopback = findDev(netns, dev)?.kind === 'loopback';
  if (
    src !== undefined &&
    isLoopback(src) &&
    !loopback &&
    ipv4DevConf(netns, dev, 'route_localnet') === 0
  )
    return refuse('EINVAL', result);
  if (isZeronet(dst)) return refuse('EINVAL', result);
  const kind = dst === LIMITED_BROADCAST ? 'broadcast' : isMulticast(dst) ? 'multicast' : type;
  const route: Draft<Route> = { kind: 'route', type: kind, dev, dst, src: src ?? NO_ADDRESS };
  const gateway =
    kind === 'unicast' && result?.row
      ? gatewayOf(throughHop(result.row, result.nexthop))
      : undefined;
  if (gateway !== undefined) route.gateway = gateway;
  return because(route, result);
};

/**
 * fib_select_default (net/ipv4/fib_trie.c) picks among default routes of one metric by what is
 * known of their gateways: the rows it would choose from.
 */
const equalDefaults = (netns: Netns, row: FibEntry): readonly FibEntry[] =>
  row.dst === '0.0.0.0/0' && row.type === 'unicast' && !row.nexthops
    ? rowsOfPrefix(netns, row.table, row.dst).filter(
        (other) =>
          other.metric === row.metric &&
          other.scope === row.scope &&
          other.type === 'unicast' &&
          gatewayOf(throughHop(other, other.nexthops?.[0])) !== undefined,
      )
    : NO_ROWS;

const NO_ROWS: readonly FibEntry[] = [];

const isSpecial = (ip: Ip): boolean => isMulticast(ip) || ip === LIMITED_BROADCAST;

/** 224.0.0.0/24 (ipv4_is_local_multicast). */
const isLocalMulticast = (ip: Ip): boolean => ip.startsWith('224.0.0.');

/** A source of the sender's own: it must be an address of this machine, and a possible one. */
const checkSource = (
  netns: Netns,
  { src, dst, oif, anySource }: OutputKey,
): RouteOutput | undefined => {
  if (src === undefined) return undefined;
  if (isSpecial(src) || isZeronet(src)) return refuse('EINVAL');
  if (anySource) return undefined;
  const own = ipDevFind(netns, src);
  if (own === undefined) return refuse('EINVAL');
  return oif === undefined && isSpecial(dst)
    ? makeRoute(netns, dst, src, own, 'unicast', undefined)
    : undefined;
};

/** A device of the sender's own. Answers the route where no lookup is needed, or a source. */
const checkDevice = (
  netns: Netns,
  { dst, src, oif }: OutputKey,
): { route?: RouteOutput; src?: Ip } => {
  if (oif === undefined) return {};
  const dev = findDev(netns, oif);
  if (!dev) throw new RangeError(`no device ${oif} in ${netns.id}`);
  if (!dev.up) return { route: refuse('ENETUNREACH') };
  if (isLocalMulticast(dst) || dst === LIMITED_BROADCAST) {
    const source = src ?? inetSelectAddr(netns, oif, undefined, 'link');
    return { route: makeRoute(netns, dst, source, oif, 'unicast', undefined) };
  }
  if (src !== undefined) return {};
  const source = isMulticast(dst)
    ? inetSelectAddr(netns, oif, undefined, 'global')
    : dst === NO_ADDRESS
      ? inetSelectAddr(netns, oif, undefined, 'host')
      : undefined;
  return source === undefined ? {} : { src: source };
};

/**
 * ip_route_output_key_hash_rcu (net/ipv4/route.c): where a packet made here goes, in the kernel's
 * order. A given source must be an own address (EINVAL); a given device must be up (ENETUNREACH);
 * destination 0.0.0.0 means this machine; then the tables are asked. A destination of this machine
 * leaves by `lo` with itself, or the row's preferred address, as source. A sender that is bound to
 * a device and has no route takes the destination for on-link. Otherwise the row gives the device,
 * the gateway, and the source where there is none.
 *
 * Errors: ENETUNREACH without a route, EHOSTUNREACH for an unreachable row, EACCES for a prohibit
 * row, EINVAL for a blackhole row or an impossible address.
 * @param pick takes one of several next hops, unless a device is given: then the first on it is taken
 * @throws {RangeError} when `oif` names no device
 */
export const ipRouteOutput = (
  world: Hosts,
  netns: Netns,
  key: OutputKey,
  pick: PickHop = firstHop,
): RouteOutput => {
  const early = checkSource(netns, key);
  if (early) return early;
  const bound = checkDevice(netns, key);
  if (bound.route) return bound.route;
  let src = key.src ?? bound.src;
  let dst = key.dst;
  if (dst === NO_ADDRESS) {
    dst = src ?? '127.0.0.1';
    return makeRoute(netns, dst, src ?? dst, 'lo', 'local', undefined);
  }
  const flow: Draft<Flow> = { dst };
  if (src !== undefined) flow.src = src;
  if (key.oif !== undefined) flow.oif = key.oif;
  if (key.mark !== undefined) flow.mark = key.mark;
  const result = fibLookup(world, netns, flow);
  if (result.errno !== undefined) {
    if (key.oif === undefined) return refuse(result.errno, result);
    src ??= inetSelectAddr(netns, key.oif, undefined, 'link');
    const onLink: FibResult = {
      type: 'no-route',
      ...(result.nearMiss && { nearMiss: result.nearMiss }),
    };
    return makeRoute(netns, dst, src, key.oif, 'unicast', onLink);
  }
  const { row } = result;
  if (!row) return refuse('ENETUNREACH', result);
  if (row.type === 'local')
    return makeRoute(netns, dst, src ?? row.src ?? dst, 'lo', 'local', result);
  const found = selectPath(world, netns, row, result, flow, pick);
  if ('rows' in found) return because<Draft<NotModelled>>(found, result);
  const way = throughHop(row, found.nexthop);
  if (way.dev === undefined) return refuse('ENETUNREACH', result);
  src ??= fibResultPrefsrc(netns, way);
  const type = row.type === 'broadcast' ? 'broadcast' : 'unicast';
  return makeRoute(netns, dst, src, way.dev, type, found);
};

/** fib_select_path (net/ipv4/fib_semantics.c): what is left to choose once there is a row. */
const selectPath = (
  world: Hosts,
  netns: Netns,
  row: FibEntry,
  result: FibResult,
  flow: Flow,
  pick: PickHop,
): FibResult | Draft<NotModelled> => {
  if (!row.nexthops) {
    const rows = equalDefaults(netns, row);
    return rows.length > 1 ? { kind: 'not-modelled', rows } : result;
  }
  if (flow.oif !== undefined) return result;
  const nexthop = fibSelectMultipath(world, netns, row, flow.src, flow, pick);
  return nexthop ? { ...result, nexthop } : { kind: 'not-modelled', rows: [row] };
};

/**
 * ip_route_connect (include/net/route.h): what connect() does. A socket without a source asks once
 * to learn it and then again with it, so that rules on the source apply. Sends of an unconnected
 * socket ask once.
 */
export const ipRouteConnect = (
  world: Hosts,
  netns: Netns,
  key: OutputKey,
  pick: PickHop = firstHop,
): RouteOutput => {
  if (key.src !== undefined) return ipRouteOutput(world, netns, key, pick);
  const first = ipRouteOutput(world, netns, key, bySource(pick));
  if (first.kind !== 'route' || first.src === NO_ADDRESS) return first;
  return ipRouteOutput(world, netns, { ...key, dst: first.dst, src: first.src }, pick);
};
