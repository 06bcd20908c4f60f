/** Which policies are on one side only, or say something else there. */
import type { Policy } from '../../cluster/policy/policy.ts';
import type { SideName } from './change.ts';

export type PolicyEdit = 'added' | 'removed' | 'edited';

const keyOf = ({ kind, namespace = '', name }: Policy): string => `${kind} ${namespace}/${name}`;

/** What a policy says, without where it stands. */
const contentOf = (policy: Policy): string =>
  JSON.stringify(policy, (key, value: unknown) => (key === 'place' ? undefined : value));

/** @returns what has happened to a policy of a side; undefined: nothing */
export const policyEdits = (
  policies: Readonly<Record<SideName, readonly Policy[]>>,
): ((side: SideName, policy: Policy) => PolicyEdit | undefined) => {
  const indexes = {
    base: new Map(policies.base.map((policy) => [keyOf(policy), policy])),
    head: new Map(policies.head.map((policy) => [keyOf(policy), policy])),
  };
  const known = new Map<string, PolicyEdit | undefined>();
  return (side, policy) => {
    const key = keyOf(policy);
    if (known.has(key)) return known.get(key);
    const other = indexes[side === 'base' ? 'head' : 'base'].get(key);
    const edit =
      other === undefined
        ? side === 'base'
          ? 'removed'
          : 'added'
        : contentOf(policy) === contentOf(other)
          ? undefined
          : 'edited';
    known.set(key, edit);
    return edit;
  };
};

/** Every label that a policy of either side asks for: others decide nothing. */
export const labelsAsked = (policies: readonly Policy[]): ReadonlySet<string> => {
  const keys = new Set<string>();
  const add = (selector: 'own' | readonly { readonly key: string }[]): void => {
    if (selector !== 'own') for (const { key } of selector) keys.add(key);
  };
  for (const { subject, ingress = [], egress = [] } of policies) {
    add(subject.namespaces);
    add(subject.pods);
    for (const { peers } of [...ingress, ...egress]) {
      if (peers === 'everyone') continue;
      for (const peer of peers) {
        if (peer.kind !== 'pods') continue;
        add(peer.namespaces);
        add(peer.pods);
      }
    }
  }
  return keys;
};
