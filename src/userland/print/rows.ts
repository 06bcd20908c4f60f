/** Rows of a namespace's tables, each in the words of the tool that shows it on a node. */
import type { FdbEntry } from '../../kernel/fdb.ts';
import type { FibEntry, FibRule } from '../../kernel/fib.ts';
import type { Neigh } from '../../kernel/neigh.ts';
import type { ConntrackEntry } from '../../kernel/netfilter/conntrack.ts';
import type { Match, Rule } from '../../kernel/netfilter/ruleset.ts';
import { printMatch, printRule } from '../iptables/print.ts';
import { printConntrack } from './conntrack.ts';
import { printFdb } from './fdb.ts';
import { printNeigh } from './neigh.ts';
import { printRoute } from './route.ts';
import { printRule as printFibRule } from './rule.ts';

export const rows = {
  route: (row: FibEntry): string => printRoute(row),
  /** `ip route get fibmatch`: the kernel does not say which table it is of. */
  routeMatch: (row: FibEntry): string => printRoute(row, { shown: row.table }),
  fibRule: (row: FibRule): string => printFibRule(row),
  neigh: (row: Neigh): string => printNeigh(row),
  fdb: (row: FdbEntry, bridge?: string): string => printFdb(row, bridge),
  /** The arguments of one iptables rule, without the chain. */
  rule: (row: Rule): string => printRule(row),
  /** One condition of an iptables rule: `--dport 80`. */
  match: (match: Match): string => printMatch(match),
  conntrack: (entry: ConntrackEntry): string => printConntrack(entry),
};
