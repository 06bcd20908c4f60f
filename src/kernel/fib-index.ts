/** The routing tables of a namespace, indexed by table and prefix (fib_trie's place in the kernel). */
import type { Cidr } from '../wire/packet.ts';
import type { FibEntry, FibRule } from './fib.ts';
import { TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN } from './fib.ts';
import { DEFAULT_RULES } from './netns.ts';
import type { PrefixLevel, PrefixMap } from './prefix-map.ts';
import { createPrefixMap, prefixGroup, setPrefixGroup } from './prefix-map.ts';
import type { Netns } from './world.ts';

/** Tables by number; local and main together under a number that no table has. */
type Tables = Map<number, PrefixMap<FibEntry>>;

const TOGETHER = -1;

const indexes = new WeakMap<readonly FibEntry[], Tables>();
const customLocal = new WeakMap<readonly FibEntry[], boolean>();
const customRules = new WeakMap<readonly FibRule[], boolean>();

/** Forgets what was indexed about the routes of a namespace; netlink calls it when rows go. */
export const routesChanged = (netns: Netns): void => {
  indexes.delete(netns.routes);
  customLocal.delete(netns.routes);
};

/** Forgets what is known about the rules of a namespace; netlink calls it after every edit. */
export const rulesChanged = (netns: Netns): void => {
  customRules.delete(netns.rules);
};

const isCustomLocal = ({ type, protocol }: FibEntry): boolean =>
  type === 'local' && protocol !== 'kernel';

const isTogether = (table: number): boolean => table === TABLE_LOCAL || table === TABLE_MAIN;

const belongs = (row: FibEntry, table: number): boolean =>
  table === TOGETHER ? isTogether(row.table) : row.table === table;

/** Rows of one prefix: table local first, then the lowest metric, else as they were inserted. */
const inOrder = (rows: FibEntry[]): FibEntry[] =>
  rows.length > 1 ? rows.sort((a, b) => b.table - a.table || a.metric - b.metric) : rows;

const buildTable = (routes: readonly FibEntry[], table: number): PrefixMap<FibEntry> => {
  const rows = routes.filter((row) => belongs(row, table));
  const map = createPrefixMap(rows, ({ dst }) => dst);
  for (const { byAddress } of map.levels) for (const same of byAddress.values()) inOrder(same);
  return map;
};

const tableOf = ({ routes }: Netns, table: number): PrefixMap<FibEntry> => {
  let tables = indexes.get(routes);
  if (!tables) {
    tables = new Map();
    indexes.set(routes, tables);
  }
  let map = tables.get(table);
  if (!map) {
    map = buildTable(routes, table);
    tables.set(table, map);
  }
  return map;
};

/** Keeps the index true after a row was put among the routes; netlink calls it. */
export const routeInserted = ({ routes }: Netns, row: FibEntry): void => {
  if (isCustomLocal(row)) customLocal.set(routes, true);
  const tables = indexes.get(routes);
  if (!tables) return;
  for (const [table, map] of tables) {
    if (!belongs(row, table)) continue;
    const alone = prefixGroup(map, row.dst) === undefined;
    const group = alone
      ? [row]
      : routes.filter((other) => other.dst === row.dst && belongs(other, table));
    setPrefixGroup(map, row.dst, inOrder(group));
  }
};

/** The rows of exactly one prefix of a table, in the order of their metrics. */
export const rowsOfPrefix = (netns: Netns, table: number, dst: Cidr): readonly FibEntry[] =>
  prefixGroup(tableOf(netns, table), dst) ?? [];

/** Whether a table has rows: the kernel makes one when its first row comes (fib_new_table). */
export const tableExists = (netns: Netns, table: number): boolean =>
  tableOf(netns, table).levels.length > 0;

const isInitial = (rule: FibRule, initial: FibRule | undefined): boolean =>
  initial !== undefined &&
  rule.priority === initial.priority &&
  rule.action.kind === 'table' &&
  initial.action.kind === 'table' &&
  rule.action.table === initial.action.table &&
  rule.from === undefined &&
  rule.to === undefined &&
  rule.iif === undefined &&
  rule.oif === undefined &&
  rule.fwmark === undefined;

/**
 * Whether the rules differ from the three that a namespace starts with. The kernel remembers that
 * they once did (fib_has_custom_rules, net/ipv4/fib_rules.c); the model sees only what is there.
 */
export const hasCustomRules = ({ rules }: Netns): boolean => {
  const known = customRules.get(rules);
  if (known !== undefined) return known;
  const custom =
    rules.length !== DEFAULT_RULES.length ||
    rules.some((rule, n) => !isInitial(rule, DEFAULT_RULES[n]));
  customRules.set(rules, custom);
  return custom;
};

/**
 * The rows of a table by prefix, in the order in which fib_table_lookup tries them. While a
 * namespace has no rules of its own, tables local and main are one trie (fib_new_table and
 * fib_trie_unmerge, net/ipv4/fib_trie.c): a longer prefix in main then beats a local row.
 */
export const levelsOf = (netns: Netns, table: number): readonly PrefixLevel<FibEntry>[] =>
  tableOf(netns, isTogether(table) && !hasCustomRules(netns) ? TOGETHER : table).levels;

/**
 * fib_has_custom_local_routes (net/ipv4/fib_frontend.c): somebody other than the kernel made an
 * address local.
 */
export const hasCustomLocalRoutes = (netns: Netns): boolean => {
  const { routes } = netns;
  const known = customLocal.get(routes);
  if (known !== undefined) return known;
  const custom = routes.some(isCustomLocal);
  customLocal.set(routes, custom);
  return custom;
};

/** The tables that are asked without custom rules, in order; local is part of main. */
export const BUILT_IN_TABLES: readonly number[] = [TABLE_MAIN, TABLE_DEFAULT];
