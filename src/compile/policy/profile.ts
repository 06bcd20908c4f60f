/** Which policies a Pod has to do with in one direction. Pods with equal ones share their chains. */
import type { Policy, PolicyDirection } from '../../cluster/policy/policy.ts';
import { isAbout, type PodGroup, type Population } from './population.ts';

/** In the order in which they are asked. */
export interface Profile {
  readonly direction: PolicyDirection;
  readonly admin: readonly Policy[];
  /** NetworkPolicies: with one of them the Pod is isolated, and the baseline is never asked. */
  readonly isolating: readonly Policy[];
  readonly baseline: readonly Policy[];
}

/** Absent: no policy touches Pods of the group in that direction. */
export const profileOf = (
  population: Population,
  group: PodGroup,
  direction: PolicyDirection,
): Profile | undefined => {
  const about = policiesFor(population, group.namespace).filter(
    (policy) => policy[direction] !== undefined && isAbout(population, policy, group),
  );
  const ruling = about.filter((policy) => (policy[direction]?.length ?? 0) > 0);
  const isolating = about.filter(({ tier }) => tier === 'network-policy');
  const admin = ruling.filter(({ tier }) => tier === 'admin');
  const baseline = isolating.length > 0 ? [] : ruling.filter(({ tier }) => tier === 'baseline');
  if (admin.length + isolating.length + baseline.length === 0) return undefined;
  return { direction, admin, isolating, baseline };
};

interface Shelf {
  readonly ofCluster: readonly Policy[];
  readonly ofNamespace: ReadonlyMap<string, readonly Policy[]>;
}

const shelves = new WeakMap<Population, Shelf>();

const shelfOf = (population: Population): Shelf => {
  const known = shelves.get(population);
  if (known) return known;
  const ofCluster = population.policies.filter(({ namespace }) => namespace === undefined);
  const ofNamespace = new Map<string, Policy[]>();
  for (const policy of population.policies) {
    if (policy.namespace === undefined) continue;
    const same = ofNamespace.get(policy.namespace);
    if (same) same.push(policy);
    else ofNamespace.set(policy.namespace, [policy]);
  }
  const made = { ofCluster, ofNamespace };
  shelves.set(population, made);
  return made;
};

/** Those of a namespace and of the cluster; each tier in its order of evaluation. */
const policiesFor = (population: Population, namespace: string): readonly Policy[] => {
  const { ofCluster, ofNamespace } = shelfOf(population);
  return [...ofCluster, ...(ofNamespace.get(namespace) ?? [])];
};
