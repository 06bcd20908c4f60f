/** Which policies are about a Pod, in the order in which they are asked. */
import type { Pod } from '../cluster/cluster.ts';
import type { Policy, PolicyDirection, PolicyTier } from '../cluster/policy/policy.ts';
import { matches } from '../cluster/selector.ts';
import type { Parties } from './party.ts';

const TIERS: readonly PolicyTier[] = ['admin', 'network-policy', 'baseline'];

/** Tiers one after the other; in a tier the lowest priority first, and equal ones as they are given. */
export const inOrder = (policies: readonly Policy[]): readonly Policy[] =>
  policies.toSorted(
    (a, b) =>
      TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) || (a.priority ?? 0) - (b.priority ?? 0),
  );

/**
 * Policies that select a Pod and say something about the direction.
 * @param policies in order
 */
export const createPoliciesOf = (
  policies: readonly Policy[],
  { namespaceLabels }: Parties,
): ((pod: Pod, direction: PolicyDirection) => readonly Policy[]) => {
  // What can be about a namespace at all is found once for each.
  const byNamespace = new Map<string, readonly Policy[]>();
  const candidates = (namespace: string): readonly Policy[] => {
    const known =
      byNamespace.get(namespace) ??
      policies.filter(({ namespace: own, subject: { namespaces } }) =>
        namespaces === 'own' ? own === namespace : matches(namespaces, namespaceLabels(namespace)),
      );
    byNamespace.set(namespace, known);
    return known;
  };
  const found = new WeakMap<Pod, Readonly<Record<PolicyDirection, readonly Policy[]>>>();
  return (pod, direction) => {
    let known = found.get(pod);
    if (!known) {
      const selecting = candidates(pod.namespace).filter(({ subject }) =>
        matches(subject.pods, pod.labels),
      );
      known = {
        ingress: selecting.filter(({ ingress }) => ingress !== undefined),
        egress: selecting.filter(({ egress }) => egress !== undefined),
      };
      found.set(pod, known);
    }
    return known[direction];
  };
};
