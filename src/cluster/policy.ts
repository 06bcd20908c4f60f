/** NetworkPolicies, as far as this version needs them: what they select. */
import type { PolicyFacts } from './cluster.ts';
import { type Field, fieldAt, nameOf, warn } from './field.ts';
import { namespaceOf } from './pod-draft.ts';
import { type Labels, matches, readLabelSelector, type Selector } from './selector.ts';

export interface Policy {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Selector;
}

/** A `kind: NetworkPolicy`; undefined, with a warning, without a name. */
export const readPolicy = (object: Field): Policy | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return undefined;
  }
  return {
    namespace: namespaceOf(metadata),
    name,
    selector: readLabelSelector(fieldAt(object, 'spec', 'podSelector')),
  };
};

/** @param pods those of its namespace, with their indexes in the cluster */
export const policyFacts = (
  { namespace, name, selector }: Policy,
  pods: readonly { readonly index: number; readonly labels: Labels }[],
): PolicyFacts => ({
  namespace,
  name,
  pods: pods.flatMap(({ index, labels }) => (matches(selector, labels) ? [index] : [])),
});
