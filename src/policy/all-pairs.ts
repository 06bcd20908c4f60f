/** What may be said between all vertices: pair by pair, and united over groups of them. */
import type { Policy, PolicyDirection } from '../cluster/policy/policy.ts';
import type { ConnectionSet } from './connection-set.ts';
import { ALL, createConnectionTable, NONE } from './connection-table.ts';
import { endsOf } from './ends.ts';
import { kindsOf } from './kinds.ts';
import type { Parties, PolicyCluster } from './party.ts';
import type { GroupConnections, VertexGroup } from './policy-engine.ts';
import { allowedBy, OPEN, type Profile, profileOf } from './profile.ts';
import { createRows } from './rows.ts';
import { type PodVertex, type Vertex, verticesOf } from './vertices.ts';
import { type CompiledPolicy, vocabularyOf } from './vocabulary.ts';

export interface AllPairs {
  readonly classes: readonly PodVertex[];
  readonly blocks: ReturnType<typeof verticesOf>['blocks'];
  readonly classOf: Int32Array;
  /** A NetworkPolicy isolates the class in the direction. */
  isIsolated(index: number, direction: PolicyDirection): boolean;
  /** Vertices: classes by their index, blocks behind them. */
  between(from: number, to: number): ConnectionSet;
  unions(groups: readonly VertexGroup[]): Iterable<GroupConnections>;
}

/** @param policies in order */
export const allPairsOf = (
  cluster: PolicyCluster,
  policies: readonly Policy[],
  parties: Parties,
): AllPairs => {
  const table = createConnectionTable();
  const vocabulary = vocabularyOf(policies, table);
  const { classes, blocks, classOf } = verticesOf(cluster, vocabulary, parties);
  const vertices: readonly Vertex[] = [...classes, ...blocks];
  const ends = endsOf(vertices);

  const bySubject = new Map<number, number[]>();
  for (const [index, { subject }] of vocabulary.policies.entries()) {
    const list = bySubject.get(subject);
    if (list) list.push(index);
    else bySubject.set(subject, [index]);
  }
  const selecting = (vertex: Vertex, direction: PolicyDirection): CompiledPolicy[] =>
    vertex.kind === 'pod'
      ? vertex.selected
          .flatMap((id) => bySubject.get(id) ?? [])
          .sort((a, b) => a - b)
          .map((index) => vocabulary.policies[index] as CompiledPolicy)
          .filter(({ rules }) => rules[direction] !== undefined)
      : [];

  /** Profiles in a direction: equal policies and names make one. */
  const profilesOf = (direction: PolicyDirection): readonly Profile[] => {
    const known = new Map<string, Profile>();
    return vertices.map((vertex) => {
      const own = selecting(vertex, direction);
      if (own.length === 0) return OPEN;
      const names =
        direction === 'ingress' && own.some(({ hasNames }) => hasNames.ingress)
          ? vertex.named.key
          : '';
      const key = `${own.map(({ policy }) => numberOf(policy)).join()} ${names}`;
      const profile = known.get(key) ?? profileOf(own, direction, vertex.named, ends, table);
      known.set(key, profile);
      return profile;
    });
  };
  const numbers = new Map(policies.map((policy, index) => [policy, index]));
  const numberOf = (policy: Policy): number => numbers.get(policy) ?? -1;
  const profiles = { ingress: profilesOf('ingress'), egress: profilesOf('egress') };

  const pairOf = (from: number, to: number): number => {
    const [source, target] = [vertices[from], vertices[to]];
    if (!source || !target) throw new RangeError(`no class or block ${source ? to : from}`);
    if (source.kind === 'block' && target.kind === 'block') return NONE;
    const egress = profiles.egress[from] as Profile;
    const ingress = profiles.ingress[to] as Profile;
    let allowed = NONE;
    for (const [i, a] of source.ends.entries())
      for (const [j, b] of target.ends.entries()) {
        // Addresses of two families never meet; a Pod without one may get either.
        if (a.family !== b.family && a.family !== 'none' && b.family !== 'none') continue;
        const out = allowedBy(egress, (ends.firstOf[to] as number) + j);
        const into = allowedBy(ingress, (ends.firstOf[from] as number) + i);
        allowed = table.union(allowed, table.intersect(out, into));
        if (allowed === ALL) return ALL;
      }
    return allowed;
  };

  function* unions(groups: readonly VertexGroup[]): Iterable<GroupConnections> {
    const sources = kindsOf(vertices, ends, profiles.egress, new Set(profiles.ingress));
    const targets = kindsOf(vertices, ends, profiles.ingress, new Set(profiles.egress));
    const membersOf = ({ classes: own, blocks: outside }: VertexGroup): readonly number[] => [
      ...own,
      ...outside.map((block) => classes.length + block),
    ];
    const kinds = (group: VertexGroup, of: Int32Array): readonly number[] => [
      ...new Set(membersOf(group).map((vertex) => of[vertex] as number)),
    ];
    const sourcesOf = groups.map((group) => kinds(group, sources.of));
    const targetsOf = groups.map((group) => kinds(group, targets.of));

    const rowOf = createRows(vertices, ends, profiles.egress, profiles.ingress, targets, table);
    // One row for each kind of source, kept while the next groups may ask for it again.
    const rows = new Map<number, Int32Array>();
    const rowOfKind = (kind: number): Int32Array => {
      const known = rows.get(kind) ?? rowOf(sources.samples[kind] as number);
      if (rows.size >= ROWS) rows.clear();
      rows.set(kind, known);
      return known;
    };

    for (const [from, own] of sourcesOf.entries()) {
      const [first, ...others] = own;
      if (first === undefined) continue;
      let row = rowOfKind(first);
      for (const kind of others) {
        const other = rowOfKind(kind);
        const joined = new Int32Array(row.length);
        for (let at = 0; at < joined.length; at++)
          joined[at] = table.union(row[at] as number, other[at] as number);
        row = joined;
      }
      const to: { group: number; connections: ConnectionSet }[] = [];
      for (const [group, kindsThere] of targetsOf.entries()) {
        let allowed = NONE;
        if (group === from) allowed = within(groups[group] as VertexGroup);
        else
          for (const kind of kindsThere) {
            allowed = table.union(allowed, row[kind] as number);
            if (allowed === ALL) break;
          }
        if (allowed !== NONE) to.push({ group, connections: table.setOf(allowed) });
      }
      yield { from, to };
    }
  }

  /** Between different Pods of one group. */
  const within = ({ classes: own, blocks: outside }: VertexGroup): number => {
    const members = [...own, ...outside.map((block) => classes.length + block)];
    let allowed = NONE;
    for (const from of members)
      for (const to of members) {
        if (from === to && (classes[from]?.pods.length ?? 0) < 2) continue;
        allowed = table.union(allowed, pairOf(from, to));
        if (allowed === ALL) return ALL;
      }
    return allowed;
  };

  return {
    classes,
    blocks,
    classOf,
    isIsolated: (index, direction) =>
      selecting(vertices[index] as Vertex, direction).some(
        ({ policy }) => policy.tier === 'network-policy',
      ),
    between: (from, to) => table.setOf(pairOf(from, to)),
    unions,
  };
};

/** Rows that are kept at once: a few megabytes at the most. */
const ROWS = 64;
