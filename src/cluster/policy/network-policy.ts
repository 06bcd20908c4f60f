/** Reads NetworkPolicies (networking.k8s.io/v1, API and validation of Kubernetes v1.34). */
import { type Field, fieldAt, placeBelow, shown, textOf, warn } from '../field.ts';
import { didYouMean, nearest } from '../nearest.ts';
import { isWritten, itemsOf, reportUnknown } from './known-fields.ts';
import type { Policy, PolicyDirection, PolicyPeer, PolicyPort, PolicyRule } from './policy.ts';
import { readBlock } from './read-block.ts';
import { readNetworkPolicyPort } from './read-port.ts';
import { readSelector } from './read-selector.ts';

const SELECTORS = ['podSelector', 'namespaceSelector'] as const;

const PEER_HINTS = {
  matchLabels: 'It stands below podSelector or namespaceSelector.',
  matchExpressions: 'It stands below podSelector or namespaceSelector.',
  cidr: 'It stands below ipBlock.',
  except: 'It stands below ipBlock.',
  ports: 'ports stand beside from and to.',
};

const readPeer = (field: Field): PolicyPeer[] => {
  reportUnknown(field, [...SELECTORS, 'ipBlock'], PEER_HINTS);
  const [pods, namespaces] = [fieldAt(field, 'podSelector'), fieldAt(field, 'namespaceSelector')];
  const block = fieldAt(field, 'ipBlock');
  const selector = [pods, namespaces].find(isWritten);
  if (isWritten(block)) {
    if (selector)
      warn(
        selector,
        'one-of',
        'stands beside ipBlock, which the API refuses; ipBlock counts',
        'Write each as an item of its own.',
      );
    return readBlock(block, field);
  }
  if (!selector) {
    warn(
      field,
      'empty-peer',
      'has no podSelector, namespaceSelector or ipBlock, and matches nobody',
      'podSelector: {} is every Pod of the namespace, namespaceSelector: {} every Pod.',
    );
    return [];
  }
  return [
    {
      kind: 'pods',
      namespaces: isWritten(namespaces) ? readSelector(namespaces) : 'own',
      pods: readSelector(pods),
      place: placeBelow(field),
    },
  ];
};

/** Of what is written without being a list, nothing can be said: it matches nothing. */
const isEmpty = (field: Field): boolean =>
  !isWritten(field) || (Array.isArray(field.value) && field.value.length === 0);

const PEERS = { ingress: 'from', egress: 'to' } as const;

const readRule = (field: Field, direction: PolicyDirection): PolicyRule => {
  const key = PEERS[direction];
  const item = `Put it into ${key}, as an item with a dash.`;
  reportUnknown(field, [key, 'ports'], {
    from: 'Egress rules have to.',
    to: 'Ingress rules have from.',
    podSelector: item,
    namespaceSelector: item,
    ipBlock: item,
    port: 'Put it into ports, as an item with a dash.',
    protocol: 'Put it into ports, as an item with a dash.',
  });
  const peers = fieldAt(field, key);
  const ports = fieldAt(field, 'ports');
  return {
    action: 'accept',
    peers: isEmpty(peers) ? 'everyone' : itemsOf(peers).flatMap((peer) => readPeer(peer)),
    ports: isEmpty(ports)
      ? 'all'
      : itemsOf(ports).flatMap((port): PolicyPort[] => readNetworkPolicyPort(port)),
    place: placeBelow(field),
  };
};

const TYPES = ['Ingress', 'Egress'] as const;

const readTypes = (field: Field): PolicyDirection[] =>
  itemsOf(field).flatMap((item): PolicyDirection[] => {
    const text = textOf(item);
    if (text === undefined) return [];
    const meant = TYPES.find((type) => type.toLowerCase() === text.toLowerCase());
    if (meant !== text)
      warn(
        item,
        'bad-value',
        `is ${shown(text)}; Kubernetes wants ${TYPES.join(' or ')}`,
        didYouMean(nearest(text, TYPES, 1)),
      );
    return meant === undefined ? [] : [meant === 'Ingress' ? 'ingress' : 'egress'];
  });

/** SetDefaults_NetworkPolicy: ingress always, egress where it has rules. */
const directionsOf = (spec: Field): ReadonlySet<PolicyDirection> => {
  const types = fieldAt(spec, 'policyTypes');
  const egress = fieldAt(spec, 'egress');
  if (!isEmpty(types)) return new Set(readTypes(types));
  if (isEmpty(egress) && isWritten(egress))
    warn(
      egress,
      'not-used',
      'is empty and policyTypes is missing: it denies nothing',
      'To deny all egress, write policyTypes: [Egress].',
    );
  return new Set(isEmpty(egress) ? ['ingress'] : ['ingress', 'egress']);
};

const SPEC_FIELDS = ['podSelector', 'policyTypes', 'ingress', 'egress'];

const SPEC_HINTS = {
  from: 'It stands in a rule of ingress.',
  to: 'It stands in a rule of egress.',
  ports: 'They stand in a rule of ingress or egress.',
  namespaceSelector: 'A NetworkPolicy is about Pods of its own namespace.',
  matchLabels: 'It stands below podSelector.',
};

/** What a NetworkPolicy says; nothing is thrown, what is odd is reported. */
export const readNetworkPolicy = (
  object: Field,
  name: { readonly namespace: string; readonly name: string },
): Policy => {
  const spec = fieldAt(object, 'spec');
  if (!isWritten(spec)) warn(object, 'missing-field', 'has no spec: it denies all ingress');
  reportUnknown(spec, SPEC_FIELDS, SPEC_HINTS);
  const directions = directionsOf(spec);
  const rulesOf = (direction: PolicyDirection): PolicyRule[] | undefined => {
    const field = fieldAt(spec, direction);
    const rules = itemsOf(field).map((rule) => readRule(rule, direction));
    if (directions.has(direction)) return rules;
    if (rules.length > 0)
      warn(
        field,
        'not-used',
        `counts for nothing: policyTypes has no ${direction === 'ingress' ? 'Ingress' : 'Egress'}`,
      );
    return undefined;
  };
  const [ingress, egress] = [rulesOf('ingress'), rulesOf('egress')];
  return {
    kind: 'NetworkPolicy',
    tier: 'network-policy',
    ...name,
    subject: { namespaces: 'own', pods: readSelector(fieldAt(spec, 'podSelector')) },
    ...(ingress && { ingress }),
    ...(egress && { egress }),
    place: placeBelow(object),
  };
};
