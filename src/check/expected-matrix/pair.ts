/** One source against one destination: what is let through there, and who is asked for the reasons. */
import type { Cluster } from '../../cluster/cluster.ts';
import { addressText } from '../../policy/address-set.ts';
import {
  ALL_CONNECTIONS,
  type ConnectionSet,
  differenceOf,
  intersectionOf,
  isEmpty,
  PROTOCOLS,
  unionOf,
} from '../../policy/connection-set.ts';
import type { Intervals } from '../../policy/intervals.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import type { Party, PolicyProtocol, Verdict } from '../../policy/verdict.ts';
import type { PodGroup } from '../matrix/groups.ts';
import type { Chosen } from './chosen.ts';
import { outsideText } from './outside.ts';

/** The Pods of one workload, or one block: what a report names. */
export interface End {
  /** `ns/name[Kind]`; `FIRST-LAST` of addresses. */
  readonly id: string;
  /** By class. */
  readonly pods: ReadonlyMap<number, readonly number[]>;
  readonly outside?: { readonly block: number; readonly ranges: Intervals<bigint> };
}

/** A connection of which the reasons are asked. */
export interface Sample {
  readonly from: Party;
  readonly to: Party;
  readonly protocol: PolicyProtocol;
  readonly port: number;
}

/** What is let through, or not, against what is wanted. */
export interface Mismatch {
  readonly from: End;
  readonly to: End;
  /** What should be let through and is not, or the other way round. */
  readonly ports: ConnectionSet;
  readonly sample: Sample;
}

/** The ends that a choice has, in order of their names. */
export const endsOf = (
  { pods, outside }: Pick<Chosen, 'pods' | 'outside'>,
  groups: readonly PodGroup[],
  engine: PolicyEngine,
): End[] => {
  const workloads = groups.flatMap((group): End[] => {
    const byClass = new Map<number, number[]>();
    for (const pod of group.pods) {
      const of = pods.has(pod) ? engine.classOf(pod) : undefined;
      if (of !== undefined) byClass.set(of, [...(byClass.get(of) ?? []), pod]);
    }
    return byClass.size === 0 ? [] : [{ id: group.peer.id, pods: byClass }];
  });
  const addresses = [...outside].map(
    ([block, ranges]): End => ({
      id: outsideText([[block, ranges]], engine),
      pods: new Map(),
      outside: { block, ranges },
    }),
  );
  return [...workloads, ...addresses];
};

/** Parts of two ends that can talk: what of them policies let through, and one of each. */
function* partsOf(
  engine: PolicyEngine,
  from: End,
  to: End,
): Generator<{ readonly allowed: ConnectionSet; readonly from: Party; readonly to: Party }> {
  const addressOf = ({ block, ranges: [first] }: NonNullable<End['outside']>): Party => ({
    kind: 'address',
    ip: addressText(engine.blocks[block]?.family ?? 4, first?.from ?? 0n),
  });
  if (from.outside) {
    for (const [of, [pod = -1]] of to.pods)
      yield {
        allowed: engine.fromBlock(from.outside.block, of),
        from: addressOf(from.outside),
        to: { kind: 'pod', pod },
      };
    return;
  }
  for (const [of, sources] of from.pods) {
    const [source = -1] = sources;
    if (to.outside)
      yield {
        allowed: engine.toBlock(of, to.outside.block),
        from: { kind: 'pod', pod: source },
        to: addressOf(to.outside),
      };
    for (const [other, targets] of to.pods) {
      // A Pod always reaches itself.
      const pair = sources.flatMap((a) => {
        const b = targets.find((target) => target !== a);
        return b === undefined ? [] : [[a, b] as const];
      })[0];
      if (pair)
        yield {
          allowed: engine.between(of, other),
          from: { kind: 'pod', pod: pair[0] },
          to: { kind: 'pod', pod: pair[1] },
        };
    }
  }
}

/** A port of a set; of all of them one that the destination shows. */
const portIn = (
  set: ConnectionSet,
  to: Party,
  { pods }: Cluster,
): Pick<Sample, 'protocol' | 'port'> => {
  const shown = to.kind === 'pod' ? (pods[to.pod]?.containers ?? []) : [];
  for (const { ports } of shown)
    for (const { protocol, port } of ports)
      if (set[protocol]?.some((range) => range.from <= port && port <= range.to))
        return { protocol, port };
  for (const protocol of PROTOCOLS) {
    const [first] = set[protocol] ?? [];
    if (first) {
      const usual = set[protocol]?.find((range) => range.from <= 443 && 443 <= range.to);
      return { protocol, port: usual ? 443 : first.from };
    }
  }
  return { protocol: 'tcp', port: 443 };
};

/**
 * Whether everything (`allowed`) or nothing (`denied`) that is wanted is let through.
 * @param ports absent: something at all, or nothing at all
 */
export const mismatchOf = (
  cluster: Cluster,
  engine: PolicyEngine,
  want: 'allowed' | 'denied',
  from: End,
  to: End,
  ports: ConnectionSet | undefined,
): Mismatch | undefined => {
  let wrong: ConnectionSet = {};
  let sample: Sample | undefined;
  for (const part of partsOf(engine, from, to)) {
    const missing = ports
      ? differenceOf(ports, part.allowed)
      : isEmpty(part.allowed)
        ? ALL_CONNECTIONS
        : {};
    const here =
      want === 'allowed' ? missing : intersectionOf(ports ?? ALL_CONNECTIONS, part.allowed);
    if (isEmpty(here)) continue;
    wrong = unionOf(wrong, here);
    sample ??= { from: part.from, to: part.to, ...portIn(here, part.to, cluster) };
  }
  return sample && { from, to, ports: wrong, sample };
};

/** A connection to an address that a rule by names of the DNS may allow; nobody knows offline. */
export const undecidedOf = (
  cluster: Cluster,
  engine: PolicyEngine,
  from: End,
  to: End,
  ports: ConnectionSet | undefined,
): Sample | undefined => {
  if (!to.outside || engine.undecided.length === 0) return undefined;
  for (const part of partsOf(engine, from, to)) {
    const set = ports ?? ALL_CONNECTIONS;
    const sample = { from: part.from, to: part.to, ...portIn(set, part.to, cluster) };
    const verdicts = verdictsOf(engine, sample);
    const denied = verdicts.some(({ decision }) => decision === 'deny');
    if (!denied && verdicts.some(({ decision }) => decision === 'unknown')) return sample;
  }
  return undefined;
};

/** Both sides' verdicts on a connection; an address outside has none. */
export const verdictsOf = (
  engine: PolicyEngine,
  { from, to, protocol, port }: Sample,
): Verdict[] => [
  ...(from.kind === 'pod'
    ? [engine.judge({ direction: 'egress', subject: from.pod, peer: to, protocol, port })]
    : []),
  ...(to.kind === 'pod'
    ? [engine.judge({ direction: 'ingress', subject: to.pod, peer: from, protocol, port })]
    : []),
];
