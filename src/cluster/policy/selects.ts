/** Whom a policy is about. */
import type { Cluster, Pod } from '../cluster.ts';
import { type Labels, matches } from '../selector.ts';
import type { PodSelection, Policy } from './policy.ts';

const NO_LABELS: Labels = {};

/** @param own the namespace of the policy that the selection stands in */
export const selectsPod = (
  { namespaces, pods }: PodSelection,
  own: string | undefined,
  { namespaceLabels }: Pick<Cluster, 'namespaceLabels'>,
  { namespace, labels }: Pick<Pod, 'namespace' | 'labels'>,
): boolean =>
  (namespaces === 'own'
    ? namespace === own
    : matches(namespaces, namespaceLabels.get(namespace) ?? NO_LABELS)) && matches(pods, labels);

/**
 * Whether a Pod is a subject of a policy, by namespace and labels alone: whether a Pod on its
 * node's network, or one that has ended, can be one is for who judges.
 */
export const selects = (
  cluster: Pick<Cluster, 'namespaceLabels'>,
  policy: Policy,
  pod: Pick<Pod, 'namespace' | 'labels'>,
): boolean => selectsPod(policy.subject, policy.namespace, cluster, pod);

/** `shop/deny-all`; with its kind where it belongs to no namespace: `AdminNetworkPolicy/base`. */
export const policyName = ({ kind, namespace, name }: Policy): string =>
  `${namespace ?? kind}/${name}`;
