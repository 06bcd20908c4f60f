/** What the policies of one subject let through in one direction, for all peers at once. */
import type { PolicyDirection } from '../cluster/policy/policy.ts';
import {
  addBits,
  andBits,
  andNotBits,
  type Bitset,
  countBits,
  hasBit,
  isEmptyBits,
} from './bitset.ts';
import { connectionsOf, unionOf } from './connection-set.ts';
import { ALL, type ConnectionTable, NONE } from './connection-table.ts';
import type { Ends } from './ends.ts';
import { protocolsOf } from './named-port.ts';
import { type NamedPorts, portKey } from './vertices.ts';
import type { CompiledPolicy, CompiledRule, NamedPort } from './vocabulary.ts';

/** Peers by what they may: the groups do not overlap, and who is in none has `others`. */
export interface Profile {
  readonly others: number;
  readonly groups: readonly { readonly ends: Bitset; readonly connections: number }[];
}

/** Nothing stands in the way. */
export const OPEN: Profile = { others: ALL, groups: [] };

export const allowedBy = ({ others, groups }: Profile, end: number): number => {
  for (const { ends, connections } of groups) if (hasBit(ends, end)) return connections;
  return others;
};

/** Ends with the same answer so far. */
interface Group {
  readonly ends: Bitset;
  /** What is allowed where no tier above decides. */
  readonly lower: number;
  readonly allowed: number;
}

type Change = (group: Group) => Pick<Group, 'lower' | 'allowed'>;

/** Splits groups along a set of ends, and changes what is inside. Equal groups become one. */
const refine = (groups: readonly Group[], ends: Bitset, change: Change): readonly Group[] => {
  if (isEmptyBits(ends)) return groups;
  const parts: Group[] = [];
  for (const group of groups) {
    const changed = change(group);
    if (changed.allowed === group.allowed && changed.lower === group.lower) {
      parts.push(group);
      continue;
    }
    const inside = andBits(group.ends, ends);
    if (isEmptyBits(inside)) {
      parts.push(group);
      continue;
    }
    const rest = andNotBits(group.ends, inside);
    if (!isEmptyBits(rest)) parts.push({ ...group, ends: rest });
    parts.push({ ...changed, ends: inside });
  }
  return merged(parts);
};

const merged = (groups: readonly Group[]): readonly Group[] => {
  const known = new Map<string, Group>();
  for (const group of groups) {
    const key = `${group.lower} ${group.allowed}`;
    const same = known.get(key);
    if (same) {
      const ends = same.ends.slice();
      addBits(ends, group.ends);
      known.set(key, { ...same, ends });
    } else known.set(key, group);
  }
  return known.size === groups.length ? groups : [...known.values()];
};

const numbersOf = (ports: readonly NamedPort[], { numbers }: NamedPorts) =>
  ports
    .flatMap(({ name, protocol }) =>
      protocolsOf(protocol).flatMap((each) =>
        (numbers.get(portKey(name, each)) ?? []).map((port) =>
          connectionsOf([each], [{ from: port, to: port }]),
        ),
      ),
    )
    .reduce(unionOf, {});

/** A rule's ports as numbers, with the ends for which they are that. */
const portsOf = (
  rule: CompiledRule,
  direction: PolicyDirection,
  own: NamedPorts,
  ends: Ends,
  table: ConnectionTable,
): readonly { readonly ports: number; readonly at?: Bitset }[] => {
  const { named, ports } = rule;
  if (named.length === 0) return [{ ports }];
  if (direction === 'ingress')
    return [{ ports: table.union(ports, table.idOf(numbersOf(named, own))) }];
  // The rule is taken apart: what it says of numbers, and what its names mean on each kind of Pod.
  const names = ends.byNames.map(({ named: theirs, bits }) => ({
    ports: table.idOf(numbersOf(named, theirs)),
    at: bits,
  }));
  return [{ ports }, ...names].filter((part) => part.ports !== NONE);
};

/**
 * @param policies those that select the subject in the direction, in order
 * @param own what names of ports mean on the subject
 */
export const profileOf = (
  policies: readonly CompiledPolicy[],
  direction: PolicyDirection,
  own: NamedPorts,
  ends: Ends,
  table: ConnectionTable,
): Profile => {
  let groups: readonly Group[] = [];

  /** From the last rule to the first: a rule that comes before another one has the last word. */
  const tier = (name: 'admin' | 'baseline'): void => {
    const rules = policies
      .filter(({ policy }) => policy.tier === name)
      .flatMap((policy) => policy.rules[direction] ?? []);
    for (const rule of rules.toReversed())
      for (const { ports, at } of portsOf(rule, direction, own, ends, table)) {
        const peers =
          rule.peers === 'everyone' ? { certain: ends.everyone } : ends.peersOf(rule.peers);
        const certain = at ? andBits(peers.certain, at) : peers.certain;
        if ('unknown' in peers) {
          const unsure = andNotBits(peers.unknown, certain);
          groups = refine(
            groups,
            at ? andBits(unsure, at) : unsure,
            doubt(rule.action, ports, table),
          );
        }
        groups = refine(groups, certain, effect(rule.action, ports, table));
      }
  };

  const middle = policies.filter(({ policy }) => policy.tier === 'network-policy');
  const start = middle.length > 0 ? NONE : ALL;
  groups = [{ ends: ends.everyone, lower: start, allowed: start }];
  if (middle.length === 0) tier('baseline');
  for (const rule of middle.flatMap((policy) => policy.rules[direction] ?? []))
    for (const { ports, at } of portsOf(rule, direction, own, ends, table)) {
      const peers = rule.peers === 'everyone' ? ends.everyone : ends.peersOf(rule.peers).certain;
      groups = refine(groups, at ? andBits(peers, at) : peers, effect('accept', ports, table));
    }
  groups = groups.map((group) => ({ ...group, lower: group.allowed }));
  tier('admin');

  // The largest group needs no bits.
  const final = merged(groups.map((group) => ({ ...group, lower: NONE })));
  const sizes = final.map((group) => countBits(group.ends));
  const largest = sizes.indexOf(Math.max(...sizes));
  return {
    others: final[largest]?.allowed ?? ALL,
    groups: final
      .filter((_, at) => at !== largest)
      .map((group) => ({ ends: ends.pool(group.ends), connections: group.allowed })),
  };
};

/** What a rule does where it matches. */
const effect =
  (action: CompiledRule['action'], ports: number, table: ConnectionTable): Change =>
  ({ lower, allowed }) => {
    switch (action) {
      case 'accept':
        return { lower, allowed: table.union(allowed, ports) };
      case 'deny':
        return { lower, allowed: table.subtract(allowed, ports) };
      case 'pass':
        return {
          lower,
          allowed: table.union(table.subtract(allowed, ports), table.intersect(lower, ports)),
        };
      default:
        throw new TypeError(`not an action: ${action satisfies never}`);
    }
  };

/** What is certainly allowed where nobody knows whether a rule matches. */
const doubt =
  (action: CompiledRule['action'], ports: number, table: ConnectionTable): Change =>
  (group) => {
    const { allowed } = effect(action, ports, table)(group);
    return { lower: group.lower, allowed: table.intersect(group.allowed, allowed) };
  };
