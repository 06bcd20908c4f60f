/** What the sentences need from outside: rows as operators see them, names of addresses, glyphs. */
import type { FdbEntry } from '../kernel/fdb.ts';
import type { FibEntry, FibRule } from '../kernel/fib.ts';
import type { Neigh } from '../kernel/neigh.ts';
import type { ConntrackEntry } from '../kernel/netfilter/conntrack.ts';
import type { Match, Rule } from '../kernel/netfilter/ruleset.ts';
import type { Ip } from '../wire/packet.ts';

/** Rows of tables in the exact words of the tool that prints them on a node. */
export interface Quote {
  route(row: FibEntry): string;
  /** As `ip route get fibmatch` prints it. */
  routeMatch(row: FibEntry): string;
  fibRule(row: FibRule): string;
  neigh(row: Neigh): string;
  /** A bridge's own row names the bridge. */
  fdb(row: FdbEntry, bridge?: string): string;
  /** The arguments of one iptables rule, without the chain: `-s 10.244.0.0/16 -j ACCEPT`. */
  rule(rule: Rule): string;
  /** One condition of it: `! -d 224.0.0.0/4`. */
  match(match: Match): string;
  /** As `conntrack -L` prints it. */
  conntrack(entry: ConntrackEntry): string;
}

/** Characters of the drawing; plain ASCII where the terminal has nothing else. */
export interface Glyphs {
  readonly link: string;
  readonly wire: string;
  readonly to: string;
  readonly edit: string;
  readonly good: string;
  readonly bad: string;
  readonly unsure: string;
  readonly dash: string;
}

export const UNICODE: Glyphs = {
  link: '──▶',
  wire: '══▶',
  to: '→',
  edit: '→',
  good: '✔',
  bad: '✘',
  unsure: '?',
  dash: '·',
};

export const ASCII: Glyphs = {
  link: '-->',
  wire: '==>',
  to: '->',
  edit: '->',
  good: 'OK',
  bad: 'X',
  unsure: '?',
  dash: '-',
};

/** Everything a sentence may ask for. */
export interface Telling {
  readonly quote: Quote;
  readonly glyphs: Glyphs;
  /** What people call an address (`pod-a`, `cni0 of node-1`); absent: nobody's. */
  nameOf(ip: Ip): string | undefined;
}
