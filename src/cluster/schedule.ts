/** Placing Pods on nodes: the scheduler's filters that concern names, then an even spread. */
import type { NodeDraft } from './node.ts';
import type { PodDraft } from './pod-draft.ts';
import type { PodSpec, Toleration } from './pod-spec.ts';
import { matches } from './selector.ts';

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

/**
 * Places Pods in the given order. `nodeOf` has those that the input has placed. The others go to
 * the fitting node with the fewest Pods of their own controller, then the fewest Pods in all, then
 * the first. Resources, preferences and Pod affinity are left out: they are about load.
 */
export const schedule = (
  pods: readonly PodDraft[],
  nodes: readonly NodeDraft[],
  nodeOf: ReadonlyMap<PodDraft, string>,
): Placement[] => {
  const total = new Map<string, number>();
  const own = new Map<string, Map<string, number>>();
  const controller = ({ namespace, owners: [owner], name }: PodDraft): string =>
    `${namespace}/${owner ? `${owner.kind}/${owner.name}` : `Pod/${name}`}`;
  const put = (pod: PodDraft, node: string): void => {
    total.set(node, (total.get(node) ?? 0) + 1);
    const counts = own.get(controller(pod)) ?? new Map<string, number>();
    own.set(controller(pod), counts.set(node, (counts.get(node) ?? 0) + 1));
  };
  for (const pod of pods) {
    const node = nodeOf.get(pod) ?? pod.boundTo;
    if (node !== undefined) put(pod, node);
  }
  // Pods of one template have the same answers.
  const fitting = new Map<PodSpec, NodeDraft[]>();
  return pods.map((pod): Placement => {
    const given = nodeOf.get(pod);
    if (given !== undefined) return { node: given, invented: false };
    if (pod.boundTo !== undefined) return { node: pod.boundTo, invented: true };
    let candidates = fitting.get(pod.spec);
    if (!candidates) {
      candidates = nodes.filter((node) => fits(pod.spec, node));
      fitting.set(pod.spec, candidates);
    }
    const counts = own.get(controller(pod));
    let best: NodeDraft | undefined;
    let fewest: readonly [number, number] = [0, 0];
    for (const node of candidates) {
      const load = [counts?.get(node.name) ?? 0, total.get(node.name) ?? 0] as const;
      if (best && (load[0] > fewest[0] || (load[0] === fewest[0] && load[1] >= fewest[1])))
        continue;
      best = node;
      fewest = load;
    }
    if (!best) return { pendingReason: reasonOf(pod.spec, nodes) };
    put(pod, best.name);
    return { node: best.name, invented: true };
  });
};
