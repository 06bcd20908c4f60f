/**
 * Reads policies of the tiers: AdminNetworkPolicy and BaselineAdminNetworkPolicy
 * (policy.networking.k8s.io/v1alpha1) and ClusterNetworkPolicy (v1alpha2; v1beta1 has the same
 * shape), as network-policy-api v0.2.0 has them.
 */
import { type Field, fieldAt, integerOf, placeBelow, shown, textOf, warn } from '../field.ts';
import { isWritten, itemsOf, reportLength, reportUnknown } from './known-fields.ts';
import type { Policy, PolicyDirection, PolicyKind, PolicyRule, PolicyTier } from './policy.ts';
import type { Dialect } from './tier-peer.ts';
import { readTierRule } from './tier-rule.ts';
import { readSubject } from './tier-subject.ts';

export type TierKind = Exclude<PolicyKind, 'NetworkPolicy'>;

/** How the kinds differ. */
const DIALECTS: Readonly<Record<TierKind, Dialect>> = {
  AdminNetworkPolicy: {
    actions: { Allow: 'accept', Deny: 'deny', Pass: 'pass' },
    ports: 'ports',
    domainNames: true,
    most: 100,
  },
  BaselineAdminNetworkPolicy: {
    actions: { Allow: 'accept', Deny: 'deny' },
    ports: 'ports',
    domainNames: false,
    most: 100,
  },
  ClusterNetworkPolicy: {
    actions: { Accept: 'accept', Deny: 'deny', Pass: 'pass' },
    ports: 'protocols',
    domainNames: true,
    most: 25,
  },
};

const HIGHEST = 1000;

/** What is out of range counts as the nearest that is not. */
const readPriority = (spec: Field): number => {
  const field = fieldAt(spec, 'priority');
  if (!isWritten(field)) {
    warn(spec, 'missing-field', 'has no priority; it counts as 0, and is asked first');
    return 0;
  }
  const priority = integerOf(field, 0, HIGHEST);
  if (priority !== undefined) return priority;
  return typeof field.value === 'number' && field.value > 0 ? HIGHEST : 0;
};

const TIERS: Readonly<Record<string, PolicyTier>> = { Admin: 'admin', Baseline: 'baseline' };

const readTier = (spec: Field): PolicyTier => {
  const field = fieldAt(spec, 'tier');
  const text = textOf(field);
  const known = Object.keys(TIERS);
  const meant = known.find((tier) => tier.toLowerCase() === text?.toLowerCase());
  if (meant !== undefined && meant === text) return TIERS[meant] ?? 'admin';
  warn(
    text === undefined ? spec : field,
    text === undefined ? 'missing-field' : 'bad-value',
    text === undefined
      ? 'has no tier; it counts as Admin'
      : `is ${shown(text)}; it counts as ${meant ?? 'Admin'}`,
    'Tiers are Admin and Baseline.',
  );
  return (meant === undefined ? undefined : TIERS[meant]) ?? 'admin';
};

const FIELDS: Readonly<Record<TierKind, readonly string[]>> = {
  AdminNetworkPolicy: ['priority', 'subject', 'ingress', 'egress'],
  BaselineAdminNetworkPolicy: ['subject', 'ingress', 'egress'],
  ClusterNetworkPolicy: ['tier', 'priority', 'subject', 'ingress', 'egress'],
};

/** The tier of a policy, with its priority where its kind has one. */
const rankOf = (kind: TierKind, spec: Field): Pick<Policy, 'tier' | 'priority'> => {
  switch (kind) {
    case 'AdminNetworkPolicy':
      return { tier: 'admin', priority: readPriority(spec) };
    case 'BaselineAdminNetworkPolicy':
      return { tier: 'baseline' };
    case 'ClusterNetworkPolicy':
      return { tier: readTier(spec), priority: readPriority(spec) };
    default:
      return kind satisfies never;
  }
};

/** What a policy of a tier says; nothing is thrown, what is odd is reported. */
export const readTierPolicy = (kind: TierKind, object: Field, name: string): Policy => {
  const spec = fieldAt(object, 'spec');
  const dialect = DIALECTS[kind];
  const namespace = fieldAt(object, 'metadata', 'namespace');
  if (isWritten(namespace))
    warn(namespace, 'not-used', `counts for nothing: ${kind} belongs to the whole cluster`);
  if (kind === 'BaselineAdminNetworkPolicy' && name !== 'default')
    warn(
      fieldAt(object, 'metadata', 'name'),
      'baseline-name',
      `is ${shown(name)}; the API takes only one that is called "default"`,
    );
  reportUnknown(spec, FIELDS[kind], {
    podSelector: 'It stands in subject, below pods.',
    namespaceSelector: 'It stands in subject.',
    policyTypes: 'Only a NetworkPolicy has it.',
    priority: 'There is only one BaselineAdminNetworkPolicy.',
    tier: 'Only a ClusterNetworkPolicy has it.',
  });
  const rulesOf = (direction: PolicyDirection): PolicyRule[] => {
    const field = fieldAt(spec, direction);
    reportLength(field, dialect.most);
    return itemsOf(field).map((rule) => readTierRule(rule, direction, dialect));
  };
  const [ingress, egress] = [rulesOf('ingress'), rulesOf('egress')];
  return {
    kind,
    ...rankOf(kind, spec),
    name,
    subject: readSubject(fieldAt(spec, 'subject')),
    ...(ingress.length > 0 && { ingress }),
    ...(egress.length > 0 && { egress }),
    place: placeBelow(object),
  };
};
