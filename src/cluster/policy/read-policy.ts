/** Policies of every kind, by kind. */
import { type Field, fieldAt, nameOf, type Spot, spotOf, warn } from '../field.ts';
import { namespaceOf } from '../pod-draft.ts';
import { readNetworkPolicy } from './network-policy.ts';
import type { Policy, PolicyKind } from './policy.ts';
import { readTierPolicy } from './tier-policy.ts';

const KINDS: Readonly<Record<PolicyKind, true>> = {
  NetworkPolicy: true,
  AdminNetworkPolicy: true,
  BaselineAdminNetworkPolicy: true,
  ClusterNetworkPolicy: true,
};

export const isPolicyKind = (kind: string): kind is PolicyKind => Object.hasOwn(KINDS, kind);

/** A policy, and where to report what is found out later. */
export interface PolicyObject {
  readonly policy: Policy;
  readonly spot: Spot;
}

/** An object of one of the kinds; undefined, with a warning, without a name. */
export const readPolicy = (kind: PolicyKind, object: Field): PolicyObject | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return undefined;
  }
  const policy =
    kind === 'NetworkPolicy'
      ? readNetworkPolicy(object, { namespace: namespaceOf(metadata), name })
      : readTierPolicy(kind, object, name);
  return { policy, spot: spotOf(object) };
};
