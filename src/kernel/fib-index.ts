/** The routing tables of a namespace, indexed by table and prefix (fib_trie's place in the kernel). */
import { ipv4ToNumber } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import type { FibEntry, FibRule } from './fib.ts';
import { TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN } from './fib.ts';
import { DEFAULT_RULES } from './netns.ts';
import type { PrefixMap } from './prefix-map.ts';
import { createPrefixMap, matchPrefix } from './prefix-map.ts';
import type { Netns } from './world.ts';

const byTable = new WeakMap<readonly FibEntry[], Map<number, PrefixMap<FibEntry>>>();
const customRules = new WeakMap<readonly FibRule[], boolean>();

/** Forgets what was indexed about the routes of a namespace; netlink calls it after every edit. */
export const routesChanged = (netns: Netns): void => {
  byTable.delete(netns.routes);
};

/** Forgets what is known about the rules of a namespace; netlink calls it after every edit. */
export const rulesChanged = (netns: Netns): void => {
  customRules.delete(netns.rules);
};

/** The longest prefix first; of one prefix the lowest metric first; else as they were inserted. */
const buildTable = (routes: readonly FibEntry[], table: number): PrefixMap<FibEntry> => {
  const rows = routes.filter((row) => row.table === table);
  const map = createPrefixMap(rows, ({ dst }) => dst);
  for (const level of map.levels)
    for (const same of level.byAddress.values())
      if (same.length > 1) same.sort((a, b) => a.metric - b.metric);
  return map;
};

const tableOf = ({ routes }: Netns, table: number): PrefixMap<FibEntry> => {
  let tables = byTable.get(routes);
  if (!tables) {
    tables = new Map();
    byTable.set(routes, tables);
  }
  let map = tables.get(table);
  if (!map) {
    map = buildTable(routes, table);
    tables.set(table, map);
  }
  return map;
};

/** Whether a table was ever written to, as far as its rows show (fib_get_table). */
export const tableExists = (netns: Netns, table: number): boolean =>
  tableOf(netns, table).levels.length > 0;

/**
 * Whether the rules differ from the three that a namespace starts with. The kernel remembers that
 * they once did (fib_has_custom_rules, net/ipv4/fib_rules.c); the model sees only what is there.
 */
export const hasCustomRules = ({ rules }: Netns): boolean => {
  const known = customRules.get(rules);
  if (known !== undefined) return known;
  const custom =
    rules.length !== DEFAULT_RULES.length ||
    rules.some((rule, n) => {
      const initial = DEFAULT_RULES[n];
      return (
        initial === undefined ||
        rule.priority !== initial.priority ||
        rule.action.kind !== 'table' ||
        initial.action.kind !== 'table' ||
        rule.action.table !== initial.action.table ||
        rule.from !== undefined ||
        rule.to !== undefined ||
        rule.iif !== undefined ||
        rule.oif !== undefined ||
        rule.fwmark !== undefined
      );
    });
  customRules.set(rules, custom);
  return custom;
};

/** Rows of two tables that share one trie: by prefix length, and of one prefix the first table's first. */
function* matchBoth(
  first: PrefixMap<FibEntry>,
  second: PrefixMap<FibEntry>,
  ip: Ip,
): Generator<FibEntry, void, void> {
  const address = ipv4ToNumber(ip);
  let a = 0;
  let b = 0;
  for (;;) {
    const left = first.levels[a];
    const right = second.levels[b];
    const takeLeft = left && (!right || left.prefix >= right.prefix);
    const level = takeLeft ? left : right;
    if (!level) return;
    if (takeLeft) a++;
    else b++;
    const rows = level.byAddress.get((address & level.mask) >>> 0);
    if (rows) yield* rows;
  }
}

/**
 * Every row of a table whose prefix holds the address, in the order in which fib_table_lookup
 * tries them. While a namespace has no rules of its own, tables local and main are one trie
 * (fib_new_table and fib_trie_unmerge, net/ipv4/fib_trie.c): a longer prefix in main then beats a
 * local row.
 */
export const candidates = (netns: Netns, table: number, ip: Ip): Generator<FibEntry, void, void> =>
  (table === TABLE_MAIN || table === TABLE_LOCAL) && !hasCustomRules(netns)
    ? matchBoth(tableOf(netns, TABLE_LOCAL), tableOf(netns, TABLE_MAIN), ip)
    : matchPrefix(tableOf(netns, table), ip);

/** The tables that are asked without custom rules, in order; local is part of main. */
export const BUILT_IN_TABLES: readonly number[] = [TABLE_MAIN, TABLE_DEFAULT];
