/** Holds what Expectations say about who may talk to whom against what policies let through. */
import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnostic } from '../../cluster/diagnostic.ts';
import {
  ALL_CONNECTIONS,
  type ConnectionSet,
  connectionText,
  differenceOf,
  isEmpty,
  unionOf,
} from '../../policy/connection-set.ts';
import { engineOf } from '../../policy/engine.ts';
import type { Intervals } from '../../policy/intervals.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import type { Verdict } from '../../policy/verdict.ts';
import type { MatrixExpectation } from '../../scenario/expectations/matrix-expectation.ts';
import { groupPods, type PodGroup } from '../matrix/groups.ts';
import { type Chosen, chosenBy } from './chosen.ts';
import { everywhere, NOWHERE, outsideText, without } from './outside.ts';
import { type End, endsOf, mismatchOf, type Sample, undecidedOf, verdictsOf } from './pair.ts';

export type MatrixVerb = 'only' | 'allow' | 'deny';

/** A pair that is otherwise than expected. */
export interface MatrixFinding {
  readonly verb: MatrixVerb;
  readonly expected: 'allowed' | 'denied';
  /** `undecided`: a rule by names of the DNS may allow it. */
  readonly found: 'allowed' | 'denied' | 'undecided';
  /** `ns/name[Kind]`, or a range of addresses. */
  readonly from: string;
  readonly to: string;
  /** Of what is wrong; absent: nothing at all is let through. */
  readonly ports?: ConnectionSet;
  /** What both sides' policies say to one such connection. */
  readonly verdicts: readonly SideVerdict[];
}

export interface SideVerdict extends Verdict {
  /** `namespace/name` of the Pod whose policies are asked. */
  readonly pod: string;
}

export type JudgedMatrix =
  | { readonly kind: 'judged'; readonly findings: readonly MatrixFinding[] }
  | { readonly kind: 'unanswerable'; readonly diagnostics: readonly Diagnostic[] };

/** What is asked about one cluster, kept between expectations. */
export interface MatrixJudge {
  readonly judge: (expectation: MatrixExpectation) => JudgedMatrix;
}

interface Asked {
  readonly cluster: Cluster;
  readonly engine: PolicyEngine;
  readonly groups: readonly PodGroup[];
}

const sides = ({ cluster, engine }: Asked, sample: Sample): SideVerdict[] =>
  verdictsOf(engine, sample).map((verdict) => {
    const party = verdict.direction === 'egress' ? sample.from : sample.to;
    const pod = party.kind === 'pod' ? cluster.pods[party.pod] : undefined;
    return { ...verdict, pod: pod ? `${pod.namespace}/${pod.name}` : '' };
  });

/** A finding between two ends, before blocks of one fate are told as one. */
type Draft = Omit<MatrixFinding, 'from' | 'to'> & { readonly from: End; readonly to: End };

/** Every source against every destination. */
const compare = (
  asked: Asked,
  verb: MatrixVerb,
  expected: 'allowed' | 'denied',
  from: readonly Pick<Chosen, 'pods' | 'outside'>[],
  to: readonly Chosen[],
): Draft[] => {
  const { cluster, engine, groups } = asked;
  const drafts: Draft[] = [];
  const look = (source: End, target: End, ports: ConnectionSet | undefined): void => {
    const mismatch = mismatchOf(cluster, engine, expected, source, target, ports);
    const pair = { verb, expected, from: source, to: target };
    if (mismatch) {
      const verdicts = sides(asked, mismatch.sample);
      const isOpen = verdicts.every(({ decision }) => decision !== 'deny');
      drafts.push({
        ...pair,
        found: expected === 'denied' ? 'allowed' : isOpen ? 'undecided' : 'denied',
        ...((expected === 'denied' || ports) && { ports: mismatch.ports }),
        verdicts,
      });
    } else if (expected === 'denied') {
      const sample = undecidedOf(cluster, engine, source, target, ports);
      if (sample) drafts.push({ ...pair, found: 'undecided', verdicts: sides(asked, sample) });
    }
  };
  const targets = to.map((one) => ({ ports: one.ports, ends: endsOf(one, groups, engine) }));
  for (const one of from)
    for (const source of endsOf(one, groups, engine))
      for (const { ports, ends } of targets) for (const target of ends) look(source, target, ports);
  return drafts;
};

/** Addresses that fare alike are one finding. */
const merged = (drafts: readonly Draft[], engine: PolicyEngine): MatrixFinding[] => {
  const byFate = new Map<string, { draft: Draft; parts: [number, Intervals<bigint>][] }>();
  for (const draft of drafts) {
    const { verb, found, from, to, ports } = draft;
    const outside = from.outside ?? to.outside;
    const ends = [from.outside ? 'external' : from.id, to.outside ? 'external' : to.id];
    const key = [verb, found, ...ends, ports && connectionText(ports)].join(' ');
    const same = byFate.get(key) ?? { draft, parts: [] };
    byFate.set(key, same);
    if (outside) same.parts.push([outside.block, outside.ranges]);
  }
  return [...byFate.values()].map(({ draft: { from, to, ...draft }, parts }) => ({
    ...draft,
    from: from.outside ? outsideText(parts, engine) : from.id,
    to: to.outside ? outsideText(parts, engine) : to.id,
  }));
};

/** Everybody but those. */
const others = (
  { engine, groups }: Asked,
  ...those: readonly (readonly Chosen[])[]
): Pick<Chosen, 'pods' | 'outside'> => {
  const pods = new Set(groups.flatMap((group) => group.pods));
  for (const one of those.flat()) for (const pod of one.pods) pods.delete(pod);
  const taken = those.flat().map(({ outside }) => outside);
  return { pods, outside: without(everywhere(engine), ...taken) };
};

/** `to: X, only: L`: each of L may, and nobody else. Other replicas of X are not anybody else. */
const onlyFrom = (asked: Asked, subjects: readonly Chosen[], listed: readonly Chosen[]) => [
  ...compare(asked, 'only', 'allowed', listed, subjects),
  ...compare(asked, 'only', 'denied', [others(asked, subjects, listed)], subjects),
];

/** What a list leaves closed of those that it names: every port that none of its entries has. */
const beyond = (listed: readonly Chosen[]): Chosen[] => {
  const open = new Map<number, ConnectionSet>();
  for (const { pods, ports = ALL_CONNECTIONS } of listed)
    for (const pod of pods) open.set(pod, unionOf(open.get(pod) ?? {}, ports));
  const closed = [...open].flatMap(([pod, ports]): Chosen[] => {
    const rest = differenceOf(ALL_CONNECTIONS, ports);
    return isEmpty(rest) ? [] : [{ pods: new Set([pod]), outside: NOWHERE, ports: rest }];
  });
  const wholly = listed.flatMap(({ ports, outside }) => (ports ? [] : [outside]));
  const outside = listed.flatMap(({ ports, outside: named }): Chosen[] => {
    const rest = ports ? without(named, ...wholly) : NOWHERE;
    return ports && rest.size > 0
      ? [{ pods: new Set(), outside: rest, ports: differenceOf(ALL_CONNECTIONS, ports) }]
      : [];
  });
  return [...closed, ...outside];
};

/** `from: X, only: L`: it may talk to each of L, at its ports and no others, and to nobody else. */
const onlyTo = (asked: Asked, subjects: readonly Chosen[], listed: readonly Chosen[]) => [
  ...compare(asked, 'only', 'allowed', subjects, listed),
  ...compare(asked, 'only', 'denied', subjects, beyond(listed)),
  ...compare(asked, 'only', 'denied', subjects, [others(asked, subjects, listed)]),
];

const judge = (asked: Asked, expectation: MatrixExpectation): JudgedMatrix => {
  const { side, subjects, namespace } = expectation;
  const world = { cluster: asked.cluster, engine: asked.engine, namespace };
  const other = side === 'to' ? 'from' : 'to';
  const about = chosenBy(subjects, side, world);
  const [only, allow, deny] = (['only', 'allow', 'deny'] as const).map((verb) => {
    const peers = expectation[verb];
    return peers && chosenBy(peers, other, world);
  });
  const diagnostics = [about, only, allow, deny].flatMap((one) => one?.diagnostics ?? []);
  if (diagnostics.length > 0) return { kind: 'unanswerable', diagnostics };
  const between = (verb: 'allow' | 'deny', listed: readonly Chosen[] | undefined) => {
    if (!listed) return [];
    const [from, to] = side === 'to' ? [listed, about.chosen] : [about.chosen, listed];
    return compare(asked, verb, verb === 'allow' ? 'allowed' : 'denied', from, to);
  };
  const exactly = side === 'to' ? onlyFrom : onlyTo;
  const drafts = [
    ...(only ? exactly(asked, about.chosen, only.chosen) : []),
    ...between('allow', allow?.chosen),
    ...between('deny', deny?.chosen),
  ];
  return { kind: 'judged', findings: merged(drafts, asked.engine) };
};

/** Judges by the policies of a cluster, whoever enforces them. */
export const matrixJudge = (cluster: Cluster): MatrixJudge => {
  const engine = engineOf(cluster);
  const asked = { cluster, engine, groups: groupPods(cluster, engine, 'workload') };
  return { judge: (expectation) => judge(asked, expectation) };
};
