/** The policies that a small cluster needs, and the labels that they ask for. */
import type { Pod } from '../cluster/cluster.ts';
import { NAME_LABEL } from '../cluster/namespace.ts';
import type { Policy, PolicyPeer } from '../cluster/policy/policy.ts';
import { selects } from '../cluster/policy/selects.ts';
import type { Labels, Selector } from '../cluster/selector.ts';
import type { OpenedScenario } from '../scenario/open.ts';

/** Keys of labels that decide something, by what has them. */
export interface AskedLabels {
  readonly pods: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

/** Policies about one of these Pods. */
export const policiesAbout = (
  { cluster }: Pick<OpenedScenario, 'cluster'>,
  pods: readonly Pod[],
): readonly Policy[] =>
  cluster.policies.filter((policy) => pods.some((pod) => selects(cluster, policy, pod)));

export const peersOf = ({ ingress = [], egress = [] }: Policy): readonly PolicyPeer[] =>
  [...ingress, ...egress].flatMap(({ peers }) => (peers === 'everyone' ? [] : peers));

/** Names of container ports that a policy asks for. */
export const askedPorts = ({ ingress = [], egress = [] }: Policy): readonly string[] =>
  [...ingress, ...egress].flatMap(({ ports }) =>
    ports === 'all' ? [] : ports.flatMap(({ port }) => (typeof port === 'string' ? [port] : [])),
  );

export const askedLabels = (policies: readonly Policy[]): AskedLabels => {
  const pods = new Set<string>();
  const namespaces = new Set<string>();
  const nodes = new Set<string>();
  const add = (to: Set<string>, selector: Selector | 'own'): void => {
    if (selector !== 'own') for (const { key } of selector) to.add(key);
  };
  for (const policy of policies) {
    const selections = [{ kind: 'pods', ...policy.subject } as const, ...peersOf(policy)];
    for (const one of selections) {
      if (one.kind === 'nodes') add(nodes, one.nodes);
      if (one.kind !== 'pods') continue;
      add(pods, one.pods);
      add(namespaces, one.namespaces);
    }
  }
  // Every namespace has it anyway.
  namespaces.delete(NAME_LABEL);
  return { pods, namespaces, nodes };
};

export const labelsWith = (labels: Labels, keys: Iterable<string>): Labels =>
  Object.fromEntries(
    [...keys].flatMap((key) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      return value === undefined ? [] : [[key, value]];
    }),
  );
