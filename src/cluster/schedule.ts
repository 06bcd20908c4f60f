/** Placing Pods on nodes: the scheduler's filters that concern names, then an even spread. */
import { LazyHeap } from './lazy-heap.ts';
import type { NodeDraft } from './node.ts';
import type { PodDraft } from './pod-draft.ts';
import type { PodSpec, Toleration } from './pod-spec.ts';
import { matches } from './selector.ts';
import type { PlacedBefore } from './top-controller.ts';

type Taint = NodeDraft['taints'][number];

/** v1.Toleration.ToleratesTaint. */
const tolerates = (toleration: Toleration, taint: Taint): boolean =>
  (toleration.effect === undefined || toleration.effect === taint.effect) &&
  (toleration.key === undefined
    ? toleration.operator === 'Exists'
    : toleration.key === taint.key) &&
  (toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? ''));

const untolerated = (spec: PodSpec, node: NodeDraft): Taint | undefined =>
  node.taints.find(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !spec.tolerations.some((toleration) => tolerates(toleration, taint)),
  );

const affine = ({ nodeTerms }: PodSpec, node: NodeDraft): boolean =>
  nodeTerms === undefined ||
  nodeTerms.some(
    ({ labels, fields }) =>
      // An empty term matches no node (nodeaffinity.NewNodeSelector).
      labels.length + fields.length > 0 &&
      matches(labels, node.labels) &&
      matches(fields, { 'metadata.name': node.name }),
  );

/** Why the Pod may not run on the node; undefined when it may. */
const obstacle = (spec: PodSpec, node: NodeDraft): string | undefined => {
  if (!matches(spec.nodeSelector, node.labels)) return 'no match for nodeSelector';
  if (!affine(spec, node)) return 'no match for node affinity';
  const taint = untolerated(spec, node);
  return taint && `untolerated taint ${taint.key}${taint.value ? `=${taint.value}` : ''}`;
};

export const fits = (spec: PodSpec, node: NodeDraft): boolean => obstacle(spec, node) === undefined;

/** `0 of 2 nodes fit: 2 untolerated taint a=b`. */
const reasonOf = (spec: PodSpec, nodes: readonly NodeDraft[]): string => {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const reason = obstacle(spec, node);
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const list = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `0 of ${nodes.length} nodes fit: ${list}`;
};

export type Placement =
  | { readonly node: string; readonly invented: boolean }
  | { readonly pendingReason: string };

/** Nodes on which Pods with the same wishes may run. */
interface Candidates {
  /** Indexes of nodes, in order. */
  readonly nodes: readonly number[];
  /** By the number of their Pods. */
  readonly byLoad: LazyHeap;
  /** Why there are none. */
  readonly reason?: string;
}

/** More Pods than a node can have, or a controller: what counts first is this much more. */
const HEAVY = 2 ** 26;

const controllerOf = ({ namespace, owners: [owner], name }: PodDraft): string =>
  `${namespace}/${owner ? `${owner.kind}/${owner.name}` : `Pod/${name}`}`;

/** Equal for Pods that the same nodes will do for. */
const wishesOf = ({ nodeSelector, nodeTerms, tolerations }: PodSpec): string =>
  JSON.stringify([nodeSelector, nodeTerms, tolerations]);

/** Nodes that Pods had before, where they still fit. */
const keptBy = (
  before: PlacedBefore,
  pods: readonly PodDraft[],
  nodes: readonly NodeDraft[],
): ReadonlyMap<PodDraft, string> => {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return new Map(
    pods.flatMap((pod) => {
      const node = byName.get(before(pod) ?? '');
      return node && fits(pod.spec, node) ? [[pod, node.name] as const] : [];
    }),
  );
};

/**
 * Places Pods in the given order. `nodeOf` has those that the input has placed. The others go to
 * the fitting node with the fewest Pods of their own controller, then the fewest Pods in all, then
 * the first. Resources, preferences and Pod affinity are left out: they are about load.
 * @param before where a Pod was placed in another state of the cluster: it stays, if it fits there
 */
export const schedule = (
  pods: readonly PodDraft[],
  nodes: readonly NodeDraft[],
  nodeOf: ReadonlyMap<PodDraft, string>,
  before?: PlacedBefore,
): Placement[] => {
  const indexOf = new Map(nodes.map(({ name }, at) => [name, at]));
  const kept = before ? keptBy(before, pods, nodes) : undefined;
  const placedOn = (pod: PodDraft): string | undefined =>
    nodeOf.get(pod) ?? pod.boundTo ?? kept?.get(pod);
  const total = new Float64Array(nodes.length);
  /** Of the controllers that have Pods to be placed: how many Pods each node has of theirs. */
  const own = new Map<string, Map<number, number>>();
  for (const pod of pods)
    if (placedOn(pod) === undefined) own.set(controllerOf(pod), new Map<number, number>());
  const put = (node: number, counts: Map<number, number> | undefined): void => {
    total[node] = (total[node] ?? 0) + 1;
    counts?.set(node, (counts.get(node) ?? 0) + 1);
  };
  for (const pod of pods) {
    const node = indexOf.get(placedOn(pod) ?? '');
    if (node !== undefined) put(node, own.size > 0 ? own.get(controllerOf(pod)) : undefined);
  }

  const known = new Map<string, Candidates>();
  const candidatesOf = (spec: PodSpec): Candidates => {
    const wishes = wishesOf(spec);
    const before = known.get(wishes);
    if (before) return before;
    const found = nodes.flatMap((node, at) => (fits(spec, node) ? [at] : []));
    const candidates: Candidates = {
      nodes: found,
      byLoad: LazyHeap.of(found.length),
      ...(found.length === 0 && { reason: reasonOf(spec, nodes) }),
    };
    known.set(wishes, candidates);
    return candidates;
  };

  /** Pods of one controller follow each other: the order of nodes for the last one is kept. */
  let last: { readonly of: Candidates; readonly counts: unknown; readonly heap: LazyHeap };
  const choose = (of: Candidates, counts: ReadonlyMap<number, number>): number | undefined => {
    const loadOf = (at: number): number => total[of.nodes[at] ?? 0] ?? 0;
    if (counts.size === 0) return of.nodes[of.byLoad.top(loadOf) ?? -1];
    if (last?.of !== of || last.counts !== counts) last = { of, counts, heap: of.byLoad.copy() };
    const ownLoadOf = (at: number): number =>
      (counts.get(of.nodes[at] ?? 0) ?? 0) * HEAVY + loadOf(at);
    return of.nodes[last.heap.top(ownLoadOf) ?? -1];
  };

  return pods.map((pod): Placement => {
    const given = placedOn(pod);
    if (given !== undefined) return { node: given, invented: !nodeOf.has(pod) };
    const candidates = candidatesOf(pod.spec);
    const counts = own.get(controllerOf(pod)) ?? new Map<number, number>();
    const best = choose(candidates, counts);
    const node = best === undefined ? undefined : nodes[best];
    if (best === undefined || !node) return { pendingReason: candidates.reason ?? '' };
    put(best, counts);
    return { node: node.name, invented: true };
  });
};
