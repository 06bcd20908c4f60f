/** Which route a flow takes: rules in order, then the longest prefix (net/ipv4/fib_rules.c, fib_trie.c). */
import { cidrContains, ipv4ToNumber, isMulticast } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import type { Errno, NearMiss } from './event.ts';
import type { FibEntry, FibRule, Nexthop, RouteScope } from './fib.ts';
import { TABLE_LOCAL } from './fib.ts';
import { BUILT_IN_TABLES, hasCustomRules, levelsOf } from './fib-index.ts';
import type { Hosts } from './netdev.ts';
import { findDev, hasCarrier } from './netdev.ts';
import { ipv4DevConf } from './sysctl.ts';
import type { Netdev, Netns } from './world.ts';

/** struct flowi4, as far as it decides. */
export interface Flow {
  readonly dst: Ip;
  /** Absent: 0.0.0.0, the route will choose. */
  readonly src?: Ip;
  /** Where the packet came in; absent: made here, which rules call `iif lo`. */
  readonly iif?: string;
  /** The device that the sender is bound to. */
  readonly oif?: string;
  readonly mark?: number;
  /** Rows of a wider scope are passed over (flowi4_scope); absent: none is. */
  readonly scope?: RouteScope;
}

export interface FibResult {
  readonly type:
    | 'unicast'
    | 'local'
    | 'broadcast'
    | 'blackhole'
    | 'unreachable'
    | 'prohibit'
    | 'no-route';
  /** The rule that led to the row, or that gave the answer itself. */
  readonly rule?: FibRule;
  readonly row?: FibEntry;
  /** Of a row with several next hops the first that can be used. */
  readonly nexthop?: Nexthop;
  /** Set unless the packet can go on. */
  readonly errno?: Errno;
  readonly nearMiss?: NearMiss<FibEntry>;
}

/** Whether a device's link is down; undefined: nobody asks (FIB_LOOKUP_IGNORE_LINKSTATE). */
export type LinkDown = (dev: Netdev) => boolean;

const ROUTE_SCOPE: Readonly<Record<RouteScope, number>> = { global: 0, link: 253, host: 254 };

/** RT_SCOPE_*: the wider a scope, the smaller its number (include/uapi/linux/rtnetlink.h). */
export const scopeNumber = (scope: RouteScope): number => ROUTE_SCOPE[scope];

/** fib_props (net/ipv4/fib_semantics.c); throw means to go on with the next rule. */
const ERROR: Partial<Readonly<Record<FibEntry['type'], Errno>>> = {
  blackhole: 'EINVAL',
  unreachable: 'EHOSTUNREACH',
  prohibit: 'EACCES',
};

/** fib4_rule_action (net/ipv4/fib_rules.c): unlike a route, a rule says ENETUNREACH. */
const RULE_ERROR = {
  blackhole: 'EINVAL',
  unreachable: 'ENETUNREACH',
  prohibit: 'EACCES',
} as const;

type Skipped = NearMiss<FibEntry>;

/** What one table says: a row, or nothing (EAGAIN), with the first row that was passed over. */
interface TableResult {
  readonly row?: FibEntry;
  readonly nexthop?: Nexthop;
  readonly skipped?: Skipped;
}

/** A row, or one of its next hops. */
type Way = Pick<FibEntry, 'dev'> & Pick<Nexthop, 'dead'>;

/** fib_lookup_good_nhc (net/ipv4/fib_trie.c): why a row that matches cannot be used by a way. */
const unusableWay = (
  netns: Netns,
  { scope }: FibEntry,
  row: Way,
  flow: Flow,
  linkDown: LinkDown | undefined,
): Skipped['reason'] | undefined => {
  if (row.dev === undefined) return undefined;
  if (row.dead) return 'device-down';
  const dev = findDev(netns, row.dev);
  if (!dev) return 'device-down';
  // Rows of host scope never look at the link, and outlive their device (fib_sync_down_dev).
  if (scope !== 'host') {
    if (!dev.up) return 'device-down';
    const ignores =
      linkDown !== undefined &&
      ipv4DevConf(netns, row.dev, 'ignore_routes_with_linkdown') !== 0 &&
      linkDown(dev);
    if (ignores) return 'device-down';
  }
  return flow.oif !== undefined && flow.oif !== row.dev ? 'other-device' : undefined;
};

/** The first next hop that can be used, or why the first of them cannot. */
const firstGood = (
  netns: Netns,
  row: FibEntry,
  nexthops: readonly Nexthop[],
  flow: Flow,
  linkDown: LinkDown | undefined,
): Nexthop | Skipped['reason'] => {
  let why: Skipped['reason'] | undefined;
  for (const hop of nexthops) {
    const reason = unusableWay(netns, row, hop, flow, linkDown);
    if (reason === undefined) return hop;
    why ??= reason;
  }
  return why ?? 'device-down';
};

const unusable = (
  netns: Netns,
  row: FibEntry,
  flow: Flow,
  linkDown: LinkDown | undefined,
): Skipped['reason'] | undefined => {
  if (!row.nexthops) return unusableWay(netns, row, row, flow, linkDown);
  const good = firstGood(netns, row, row.nexthops, flow, linkDown);
  return typeof good === 'string' ? good : undefined;
};

const NOTHING: TableResult = {};

/**
 * fib_table_lookup (net/ipv4/fib_trie.c): the first row of a table, longest prefix first, that has
 * the scope asked for and, unless it is an error route, a next hop that can be used. A `throw` row
 * ends the walk without a row.
 */
export const fibTableLookup = (
  netns: Netns,
  table: number,
  flow: Flow,
  linkDown?: LinkDown,
): TableResult => {
  const address = ipv4ToNumber(flow.dst);
  const scope = scopeNumber(flow.scope ?? 'global');
  let skipped: Skipped | undefined;
  for (const { mask, byAddress } of levelsOf(netns, table)) {
    for (const row of byAddress.get((address & mask) >>> 0) ?? NO_ROWS) {
      if (scopeNumber(row.scope) < scope) continue;
      if (row.type === 'throw') return skipped ? { skipped } : NOTHING;
      if (row.nexthops) {
        const nexthop = firstGood(netns, row, row.nexthops, flow, linkDown);
        if (typeof nexthop !== 'string') return { row, nexthop, ...(skipped && { skipped }) };
        skipped ??= { row, reason: nexthop };
        continue;
      }
      const reason = unusable(netns, row, flow, linkDown);
      if (reason === undefined) return skipped ? { row, skipped } : { row };
      skipped ??= { row, reason };
    }
  }
  return skipped ? { skipped } : NOTHING;
};

const NO_ROWS: readonly FibEntry[] = [];

/** fib_rule_match and fib4_rule_match (net/core/fib_rules.c, net/ipv4/fib_rules.c). */
export const fibRuleMatch = (rule: FibRule, flow: Flow): boolean => {
  if (rule.iif !== undefined && rule.iif !== (flow.iif ?? 'lo')) return false;
  if (rule.oif !== undefined && rule.oif !== flow.oif) return false;
  if (rule.fwmark && ((rule.fwmark.mark ^ (flow.mark ?? 0)) & rule.fwmark.mask) !== 0) return false;
  if (rule.to !== undefined && !cidrContains(rule.to, flow.dst)) return false;
  return rule.from === undefined || cidrContains(rule.from, flow.src ?? '0.0.0.0');
};

/** A result while it is made; lookups are too frequent for spreads. */
type Draft = { -readonly [Key in keyof FibResult]: FibResult[Key] };

const resultOf = (
  row: FibEntry,
  nexthop: Nexthop | undefined,
  rule: FibRule | undefined,
): Draft => {
  const errno = ERROR[row.type];
  const result: Draft = { type: row.type === 'throw' ? 'no-route' : row.type, row };
  if (nexthop) result.nexthop = nexthop;
  if (rule) result.rule = rule;
  if (errno !== undefined) result.errno = errno;
  return result;
};

/** The row that would have been next, had the winner not been there. */
const runnerUp = (
  netns: Netns,
  winner: FibEntry,
  flow: Flow,
  linkDown: LinkDown | undefined,
): Skipped | undefined => {
  const address = ipv4ToNumber(flow.dst);
  let passed = false;
  for (const { mask, byAddress } of levelsOf(netns, winner.table)) {
    for (const row of byAddress.get((address & mask) >>> 0) ?? NO_ROWS) {
      if (row === winner) passed = true;
      else if (passed && row.type !== 'throw' && !unusable(netns, row, flow, linkDown)) {
        if (row.dst !== winner.dst) return { row, reason: 'shorter-prefix' };
        if (row.metric > winner.metric) return { row, reason: 'higher-metric' };
      }
    }
  }
  return undefined;
};

/**
 * The row worth telling beside the result: one that matched better and could not be used; else one
 * behind a rule whose condition failed; else the one that would have been next. Packets to the
 * machine itself have none: their row is obvious.
 */
const nearMissOf = (
  netns: Netns,
  { row }: FibResult,
  flow: Flow,
  skipped: Skipped | undefined,
  unmatched: readonly FibRule[],
  linkDown: LinkDown | undefined,
): Skipped | undefined => {
  if (skipped) return skipped;
  if (row?.type === 'local' || row?.type === 'broadcast') return undefined;
  for (const rule of unmatched) {
    if (rule.action.kind !== 'table') continue;
    const other = fibTableLookup(netns, rule.action.table, flow, linkDown).row;
    if (other && other !== row) return { row: other, reason: 'rule-condition' };
  }
  return row && runnerUp(netns, row, flow, linkDown);
};

/** The rule that stands for a table while rules are not walked one by one. */
const builtInRule = ({ rules }: Netns, table: number): FibRule | undefined =>
  rules.find(({ action }) => action.kind === 'table' && action.table === table);

/** fib_lookup without custom rules (include/net/ip_fib.h): main, with local in it, then default. */
const lookupBuiltIn = (netns: Netns, flow: Flow, linkDown: LinkDown | undefined): FibResult => {
  let skipped: Skipped | undefined;
  for (const table of BUILT_IN_TABLES) {
    const found = fibTableLookup(netns, table, flow, linkDown);
    skipped ??= found.skipped;
    if (!found.row) continue;
    const result = resultOf(found.row, found.nexthop, builtInRule(netns, found.row.table));
    return withNearMiss(netns, result, flow, skipped, [], linkDown);
  }
  return withNearMiss(netns, noRoute(), flow, skipped, [], linkDown);
};

const noRoute = (): Draft => ({ type: 'no-route', errno: 'ENETUNREACH' });

const withNearMiss = (
  netns: Netns,
  result: Draft,
  flow: Flow,
  skipped: Skipped | undefined,
  unmatched: readonly FibRule[],
  linkDown: LinkDown | undefined,
): FibResult => {
  const nearMiss = nearMissOf(netns, result, flow, skipped, unmatched, linkDown);
  if (nearMiss) result.nearMiss = nearMiss;
  return result;
};

/** fib_rules_lookup (net/core/fib_rules.c): the first rule that matches and has an answer. */
const lookupRules = (netns: Netns, flow: Flow, linkDown: LinkDown | undefined): FibResult => {
  let skipped: Skipped | undefined;
  const unmatched: FibRule[] = [];
  for (const rule of netns.rules) {
    if (!fibRuleMatch(rule, flow)) {
      unmatched.push(rule);
      continue;
    }
    if (rule.action.kind !== 'table')
      return withNearMiss(
        netns,
        { type: rule.action.kind, rule, errno: RULE_ERROR[rule.action.kind] },
        flow,
        skipped,
        unmatched,
        linkDown,
      );
    const found = fibTableLookup(netns, rule.action.table, flow, linkDown);
    skipped ??= found.skipped;
    if (!found.row) continue;
    const result = resultOf(found.row, found.nexthop, rule);
    return withNearMiss(netns, result, flow, skipped, unmatched, linkDown);
  }
  return withNearMiss(netns, noRoute(), flow, skipped, unmatched, linkDown);
};

/** fib_lookup with the state of links given, or not looked at (FIB_LOOKUP_IGNORE_LINKSTATE). */
export const fibLookupWith = (netns: Netns, flow: Flow, linkDown?: LinkDown): FibResult =>
  hasCustomRules(netns) ? lookupRules(netns, flow, linkDown) : lookupBuiltIn(netns, flow, linkDown);

/**
 * fib_lookup (include/net/ip_fib.h, net/ipv4/fib_rules.c): the row that a flow takes. Rules by
 * priority (without custom ones: local and main as one table, then default); in a table the longest
 * prefix, of one prefix the lowest metric, then the order of insertion; rows of a wider scope than
 * asked for, of another device than `oif`, and with `ignore_routes_with_linkdown` of a device
 * without carrier are passed over; `throw` goes on with the next rule.
 *
 * Always answers; `errno` is set when the packet cannot go on. Of several next
 * hops it answers the first that can be used; fib_select_multipath takes one (fib-multipath.ts).
 */
export const fibLookup = (world: Hosts, netns: Netns, flow: Flow): FibResult =>
  fibLookupWith(netns, flow, (dev) => !hasCarrier(world, netns, dev));

export type AddrType = 'unicast' | 'local' | 'broadcast' | 'multicast';

/** The address that is none (ipv4_is_zeronet, include/linux/in.h): the rest of 0.0.0.0/8 is valid. */
export const isZeronet = (ip: Ip): boolean => ip === '0.0.0.0';

/** The limited broadcast address (ipv4_is_lbcast). */
export const LIMITED_BROADCAST: Ip = '255.255.255.255';

/** inet_addr_type_table (net/ipv4/fib_frontend.c): what an address is to one table. */
export const inetAddrTypeTable = (netns: Netns, ip: Ip, table: number): AddrType => {
  if (isZeronet(ip) || ip === LIMITED_BROADCAST) return 'broadcast';
  if (isMulticast(ip)) return 'multicast';
  const { row } = fibTableLookup(netns, table, { dst: ip });
  return row?.type === 'local' || row?.type === 'broadcast' ? row.type : 'unicast';
};

/** inet_addr_type (net/ipv4/fib_frontend.c): what an address is to this namespace. */
export const inetAddrType = (netns: Netns, ip: Ip): AddrType =>
  inetAddrTypeTable(netns, ip, TABLE_LOCAL);
