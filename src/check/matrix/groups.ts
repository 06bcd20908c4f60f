/** Which Pods are told as one peer: those of a controller, of a namespace, or each by itself. */
import type { Cluster, ObjectRef, Place, Pod } from '../../cluster/cluster.ts';
import { compareText } from '../../cluster/order.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import type { GroupBy, MatrixPeer } from './matrix.ts';

/** Pods of one peer that policies cannot tell apart. */
interface Part {
  /** Index into the engine's classes. */
  readonly class: number;
  /** How many Pods: a Pod is no peer of itself. */
  readonly count: number;
}

export interface PodGroup {
  readonly peer: MatrixPeer;
  readonly parts: readonly Part[];
  /** Indexes into `Cluster.pods`, ascending. */
  readonly pods: readonly number[];
}

/**
 * The controller that the input shows. A Pod of the input names it; of a Pod that was made from a
 * workload it is that workload, and not the ReplicaSet or Job that we invented between the two.
 */
const controllersOf = ({ workloads }: Cluster): ((pod: Pod) => ObjectRef | undefined) => {
  const made = new Map<Place, ObjectRef>();
  for (const workload of workloads) if (workload.place) made.set(workload.place, workload);
  return ({ place, owners }) => (place && made.get(place)) ?? owners[0];
};

interface Draft {
  readonly identity: Pick<MatrixPeer, 'id' | 'namespace' | 'name' | 'kind'>;
  readonly counts: Map<number, number>;
  readonly pods: number[];
}

const workloadId = (namespace: string, kind: string, name: string): string =>
  `${namespace}/${name}[${kind}]`;

const identityOf = (
  pod: Pod,
  groupBy: GroupBy,
  controllerOf: (pod: Pod) => ObjectRef | undefined,
): Draft['identity'] => {
  const { namespace, name } = pod;
  switch (groupBy) {
    case 'namespace':
      return { id: `namespace:${namespace}`, namespace };
    case 'pod':
      return { id: workloadId(namespace, 'Pod', name), namespace, name, kind: 'Pod' };
    case 'workload': {
      const owner = controllerOf(pod) ?? { kind: 'Pod', name };
      const { kind } = owner;
      return { id: workloadId(namespace, kind, owner.name), namespace, name: owner.name, kind };
    }
    default:
      return groupBy satisfies never;
  }
};

/** In order of id. Pods without a network are in none. */
export const groupPods = (
  cluster: Cluster,
  engine: Pick<PolicyEngine, 'classes' | 'classOf'>,
  groupBy: GroupBy,
): PodGroup[] => {
  const { pods } = cluster;
  const controllerOf = controllersOf(cluster);
  const drafts = new Map<string, Draft>();
  for (const [at, pod] of pods.entries()) {
    const of = engine.classOf(at);
    if (of === undefined) continue;
    const identity = identityOf(pod, groupBy, controllerOf);
    let draft = drafts.get(identity.id);
    if (!draft) {
      draft = { identity, counts: new Map(), pods: [] };
      drafts.set(identity.id, draft);
    }
    draft.counts.set(of, (draft.counts.get(of) ?? 0) + 1);
    draft.pods.push(at);
  }
  return [...drafts.values()]
    .sort((a, b) => compareText(a.identity.id, b.identity.id))
    .map(({ identity, counts, pods: members }) => {
      const parts = [...counts].map(([of, count]) => ({ class: of, count }));
      const isolated = (direction: 'ingress' | 'egress'): boolean =>
        parts.every((part) => engine.classes[part.class]?.isolated[direction] === true);
      const names = members.map((at) => pods[at]?.name ?? '');
      return {
        peer: {
          ...identity,
          pods: names,
          isolated: { ingress: isolated('ingress'), egress: isolated('egress') },
        },
        parts,
        pods: members,
      };
    });
};
