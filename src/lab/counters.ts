/** How many packets met each firewall rule: what the kernel counted, and what the model did. */
import type { NetnsId } from '../kernel/world.ts';
import type { CounterText } from './agent.ts';

/** Packets by `table chain number`; rules that none met are left out. */
export type RuleCounters = ReadonlyMap<string, number>;

/** Packets by rule, of what `iptables-save -c` prints. */
const parseCounters = (saved: string): Map<string, number> => {
  const counters = new Map<string, number>();
  let table = '';
  let last = '';
  let number = 0;
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const [, packets, chain] = /^\[(\d+):\d+\] -A (\S+)/.exec(line) ?? [];
    if (chain === undefined) continue;
    const key = `${table} ${chain}`;
    number = key === last ? number + 1 : 1;
    last = key;
    if (packets !== '0') counters.set(`${key} ${number}`, Number(packets));
  }
  return counters;
};

/** Of `nft -j list ruleset`: rules in the order in which they stand in their chains. */
interface NftRuleJson {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly expr: readonly { readonly counter?: { readonly packets: number } | string }[];
}

/** Tables that iptables keeps in nf_tables, and counts itself. */
const IPTABLES = /^ip (?:raw|mangle|nat|filter|security)$/;

/** The same of rules of nft that have a `counter`. */
const parseNftCounters = (listed: string): Map<string, number> => {
  const counters = new Map<string, number>();
  if (listed === '') return counters;
  const { nftables } = JSON.parse(listed) as { nftables: readonly { rule?: NftRuleJson }[] };
  const numbers = new Map<string, number>();
  for (const { rule } of nftables) {
    if (rule === undefined || IPTABLES.test(`${rule.family} ${rule.table}`)) continue;
    const chain = `${rule.family} ${rule.table} ${rule.chain}`;
    const number = (numbers.get(chain) ?? 0) + 1;
    numbers.set(chain, number);
    for (const { counter } of rule.expr)
      if (typeof counter === 'object' && counter.packets > 0)
        counters.set(`${chain} ${number}`, counter.packets);
  }
  return counters;
};

const countersOf = ([iptables, nft]: CounterText): Map<string, number> =>
  new Map([...parseCounters(iptables), ...parseNftCounters(nft)]);

/** What was counted between two readings. */
export const countedBetween = ([before, after]: readonly [
  CounterText,
  CounterText,
]): RuleCounters => {
  const start = countersOf(before);
  const counted = new Map<string, number>();
  for (const [rule, packets] of countersOf(after)) {
    const since = packets - (start.get(rule) ?? 0);
    if (since > 0) counted.set(rule, since);
  }
  return counted;
};

/** What the model counts while it walks. */
export interface CounterSheet {
  readonly byNetns: ReadonlyMap<NetnsId, RuleCounters>;
  count(netns: NetnsId, table: string, chain: string, number: number): void;
}

export const createCounterSheet = (): CounterSheet => {
  const byNetns = new Map<NetnsId, Map<string, number>>();
  return {
    byNetns,
    count: (netns, table, chain, number) => {
      const counters = byNetns.get(netns) ?? new Map<string, number>();
      byNetns.set(netns, counters);
      const rule = `${table} ${chain} ${number}`;
      counters.set(rule, (counters.get(rule) ?? 0) + 1);
    },
  };
};

/** One line for each rule of a namespace that kernel and model counted otherwise. */
export const compareCounters = (
  netns: NetnsId,
  expected: RuleCounters,
  found: RuleCounters,
): string[] =>
  [...new Set([...expected.keys(), ...found.keys()])]
    .filter((rule) => expected.get(rule) !== found.get(rule))
    .map(
      (rule) =>
        `rule ${rule} in ${netns}: the trace has ${expected.get(rule) ?? 0} packets, ` +
        `the kernel ${found.get(rule) ?? 0}`,
    );
