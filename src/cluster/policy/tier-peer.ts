/** Reads the peers of the tiers' rules: Pods, nodes, ranges and names. */
import { type Field, fieldAt, listOf, placeBelow, textOf, warn } from '../field.ts';
import { isWritten, reportLength, reportUnknown } from './known-fields.ts';
import type { PolicyDirection, PolicyPeer, PolicyRule } from './policy.ts';
import { readCidr } from './read-block.ts';
import { readSelector } from './read-selector.ts';
import { readNamespacedPods } from './tier-subject.ts';

/** How the kinds of the tiers differ. */
export interface Dialect {
  readonly actions: Readonly<Record<string, PolicyRule['action']>>;
  /** What the list of ports is called. */
  readonly ports: 'ports' | 'protocols';
  readonly domainNames: boolean;
  /** Rules of a direction, and peers and ports of a rule. */
  readonly most: number;
}

/** The pattern of DomainName; its `A-z` takes a few signs too many, as the API does. */
const DOMAIN =
  /^(?:\*\.)?(?:[a-zA-z0-9](?:[-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9](?:[-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/;

const MOST_OF_A_PEER = 25;

const readNames = (field: Field, place: PolicyPeer['place']): PolicyPeer[] => {
  reportLength(field, MOST_OF_A_PEER);
  const names = listOf(field).flatMap((item) => {
    const text = textOf(item);
    if (text === undefined) return [];
    if (DOMAIN.test(text)) return [text];
    warn(
      item,
      'bad-domain-name',
      `is ${JSON.stringify(text)}, which is no name such as kubernetes.io or *.kubernetes.io`,
    );
    return [];
  });
  return names.length === 0 ? [] : [{ kind: 'domain-names', names, ...(place && { place }) }];
};

const readNetworks = (field: Field): PolicyPeer[] => {
  reportLength(field, MOST_OF_A_PEER);
  return listOf(field).flatMap((item): PolicyPeer[] => {
    const block = readCidr(item);
    return block ? [{ kind: 'block', cidr: block.cidr, except: [], place: placeBelow(item) }] : [];
  });
};

const POD_KEYS = ['namespaces', 'pods'] as const;

/** What each form of a peer stands for. */
const readForm = (field: Field, key: string): PolicyPeer[] => {
  const form = fieldAt(field, key);
  const place = placeBelow(field);
  switch (key) {
    case 'namespaces':
      return [{ kind: 'pods', namespaces: readSelector(form), pods: [], place }];
    case 'pods':
      return [{ kind: 'pods', ...readNamespacedPods(form), place }];
    case 'nodes':
      return [{ kind: 'nodes', nodes: readSelector(form), place }];
    case 'networks':
      return readNetworks(form);
    default:
      return readNames(form, place);
  }
};

/**
 * What one item stands for: several peers where it has several ranges. Undefined: it has none of
 * the forms, so that nobody knows what it means.
 */
export const readTierPeer = (
  field: Field,
  direction: PolicyDirection,
  dialect: Dialect,
): readonly PolicyPeer[] | undefined => {
  const outside = ['nodes', 'networks', ...(dialect.domainNames ? ['domainNames'] : [])];
  const keys: readonly string[] = direction === 'egress' ? [...POD_KEYS, ...outside] : POD_KEYS;
  const egressOnly = 'Only egress rules have it.';
  reportUnknown(field, keys, {
    ...(direction === 'ingress' && {
      nodes: egressOnly,
      networks: egressOnly,
      domainNames: egressOnly,
    }),
    namespaceSelector: 'It is called namespaces, or stands below pods.',
    podSelector: 'It stands below pods.',
    ipBlock: 'Ranges are networks: [203.0.113.0/24].',
  });
  const written = keys.filter((key) => isWritten(fieldAt(field, key)));
  if (written.length === 0) {
    warn(field, 'empty-peer', `has none of ${keys.join(', ')}`);
    return undefined;
  }
  if (written.length > 1)
    warn(
      field,
      'one-of',
      `has ${written.join(' and ')}; the API takes one of them, and each counts`,
      'Write each as an item of its own.',
    );
  return written.flatMap((key) => readForm(field, key));
};
