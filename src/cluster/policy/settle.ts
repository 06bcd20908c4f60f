/** All policies of a cluster in the order in which they are asked. */
import type { Cluster, Pod } from '../cluster.ts';
import { type Spot, warn } from '../field.ts';
import { compareKeys } from '../order.ts';
import type { Policy, PolicyTier } from './policy.ts';
import type { PolicyObject } from './read-policy.ts';
import { policyName, selects } from './selects.ts';

const RANKS: Readonly<Record<PolicyTier, number>> = { admin: 0, 'network-policy': 1, baseline: 2 };

/** After all that have a priority: a BaselineAdminNetworkPolicy beside ClusterNetworkPolicies. */
const LAST = 1001;

const keyOf = ({ tier, priority, namespace, name, kind }: Policy): (string | number)[] => [
  RANKS[tier],
  tier === 'network-policy' ? 0 : (priority ?? LAST),
  namespace ?? '',
  name,
  kind,
];

const share = (a: Policy, b: Policy): boolean =>
  (a.ingress !== undefined && b.ingress !== undefined) ||
  (a.egress !== undefined && b.egress !== undefined);

/** One Pod of each namespace and set of labels; Pods of a controller share theirs. */
const kindsOfPods = (pods: readonly Pod[]): Pod[] => {
  const found = new Map<string, Map<Pod['labels'], Pod>>();
  for (const pod of pods) {
    const known = found.get(pod.namespace) ?? new Map<Pod['labels'], Pod>();
    found.set(pod.namespace, known);
    known.set(pod.labels, pod);
  }
  return [...found.values()].flatMap((known) => [...known.values()]);
};

const warnOfTwin = (spot: Spot, policy: Policy, twin: Policy): void =>
  warn(
    { ...spot, path: [...spot.path, 'spec', 'priority'] },
    'equal-priority',
    `is ${policy.priority}, as is that of ${policyName(twin)}, and both select the same Pods: the API leaves open which is asked first; here it is ${policyName(twin)}`,
    'Give each a priority of its own.',
  );

/** Two of one tier and priority that a Pod has both: the API leaves open which is asked first. */
const reportEqual = (
  objects: readonly PolicyObject[],
  cluster: Pick<Cluster, 'namespaceLabels' | 'pods'>,
): void => {
  const groups = new Map<string, PolicyObject[]>();
  for (const object of objects) {
    const { tier, priority } = object.policy;
    if (priority === undefined) continue;
    const key = `${tier} ${priority}`;
    groups.set(key, [...(groups.get(key) ?? []), object]);
  }
  const several = [...groups.values()].filter(({ length }) => length > 1);
  if (several.length === 0) return;
  const pods = kindsOfPods(cluster.pods);
  for (const group of several) {
    const subjects = group.map(({ policy }) => pods.filter((pod) => selects(cluster, policy, pod)));
    for (const [at, { policy, spot }] of group.entries()) {
      const own = new Set(subjects[at]);
      const twin = group.find(
        ({ policy: other }, before) =>
          before < at && share(other, policy) && subjects[before]?.some((pod) => own.has(pod)),
      )?.policy;
      if (twin) warnOfTwin(spot, policy, twin);
    }
  }
};

/** Orders the policies by tier, priority, namespace and name, and reports what has no order. */
export const settlePolicies = (
  objects: readonly PolicyObject[],
  cluster: Pick<Cluster, 'namespaceLabels' | 'pods'>,
): readonly Policy[] => {
  const sorted = objects.toSorted((a, b) => compareKeys(keyOf(a.policy), keyOf(b.policy)));
  reportEqual(sorted, cluster);
  return sorted.map(({ policy }) => policy);
};
