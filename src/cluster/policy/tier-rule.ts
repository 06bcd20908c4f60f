/** Reads the rules of the tiers, whose order matters. */
import { type Field, fieldAt, placeBelow, shown, textOf, warn } from '../field.ts';
import { didYouMean, nearest } from '../nearest.ts';
import { isWritten, itemsOf, reportLength, reportUnknown } from './known-fields.ts';
import type { PolicyDirection, PolicyPeer, PolicyPort, PolicyRule } from './policy.ts';
import { readAdminPort, readClusterPort } from './read-port.ts';
import { type Dialect, readTierPeer } from './tier-peer.ts';

type Action = PolicyRule['action'];

/** Of all kinds: each is called otherwise in another one. */
const ACTIONS: Readonly<Record<string, Action>> = {
  allow: 'accept',
  accept: 'accept',
  deny: 'deny',
  pass: 'pass',
};

const readAction = (field: Field, { actions }: Dialect): Action | undefined => {
  const known = Object.keys(actions);
  if (!isWritten(field)) {
    warn(
      field,
      'missing-field',
      'is missing, and the rule matches nothing',
      `${known.join(', ')}.`,
    );
    return undefined;
  }
  const text = textOf(field);
  if (text === undefined) return undefined;
  const action = Object.hasOwn(actions, text) ? actions[text] : undefined;
  if (action) return action;
  const meant = Object.hasOwn(ACTIONS, text.toLowerCase())
    ? ACTIONS[text.toLowerCase()]
    : undefined;
  const own = known.find((word) => actions[word] === meant);
  warn(
    field,
    'bad-value',
    `is ${shown(text)}; ${known.join(', ')} are known`,
    own === undefined ? didYouMean(nearest(text, known, 1)) : `It is called ${own} here.`,
  );
  return own === undefined ? undefined : meant;
};

const LONGEST_NAME = 100;

const nameOfRule = (field: Field): string | undefined => {
  const name = textOf(field);
  if (name !== undefined && name.length > LONGEST_NAME)
    warn(field, 'too-long', `has ${name.length} characters; the API takes ${LONGEST_NAME} at most`);
  return name === '' ? undefined : name;
};

/** Peers that are to be there; of what cannot be read, `broken`. */
const readPeers = (
  field: Field,
  direction: PolicyDirection,
  dialect: Dialect,
): { readonly peers: PolicyPeer[]; readonly broken: boolean } => {
  reportLength(field, dialect.most);
  const items = itemsOf(field);
  if (items.length === 0 && (!isWritten(field) || Array.isArray(field.value)))
    warn(field, 'missing-field', 'needs a peer', 'Everybody in the cluster is namespaces: {}.');
  const read = items.map((item) => readTierPeer(item, direction, dialect));
  return {
    peers: read.flatMap((peers) => peers ?? []),
    broken: items.length === 0 || read.includes(undefined),
  };
};

const PEERS = { ingress: 'from', egress: 'to' } as const;

const NAMELESS: readonly PolicyPeer['kind'][] = ['block', 'nodes', 'domain-names'];

/**
 * A rule. One that cannot be read keeps its place in the order: a peer that cannot be read closes,
 * as the API wants it (an accepting rule matches nobody, any other denies everybody).
 */
export const readTierRule = (
  field: Field,
  direction: PolicyDirection,
  dialect: Dialect,
): PolicyRule => {
  const key = PEERS[direction];
  const other = dialect.ports === 'ports' ? 'protocols' : 'ports';
  const item = `Put it into ${key}, as an item with a dash.`;
  reportUnknown(field, ['name', 'action', key, dialect.ports], {
    from: 'Egress rules have to.',
    to: 'Ingress rules have from.',
    [other]: `This kind has ${dialect.ports}.`,
    namespaces: item,
    pods: item,
    networks: item,
    nodes: item,
  });
  const name = nameOfRule(fieldAt(field, 'name'));
  const action = readAction(fieldAt(field, 'action'), dialect);
  const { peers, broken } = readPeers(fieldAt(field, key), direction, dialect);
  const portsField = fieldAt(field, dialect.ports);
  reportLength(portsField, dialect.most);
  const read = dialect.ports === 'ports' ? readAdminPort : readClusterPort;
  const ports: readonly PolicyPort[] | 'all' = isWritten(portsField)
    ? itemsOf(portsField).flatMap((port) => read(port))
    : 'all';
  if (Array.isArray(portsField.value) && portsField.value.length === 0)
    warn(portsField, 'missing-field', 'is empty, and the rule matches nothing');
  const outside = peers.find(({ kind }) => NAMELESS.includes(kind));
  const named = ports === 'all' ? undefined : ports.find(({ port }) => typeof port === 'string');
  if (outside && named)
    warn(
      portsField,
      'named-port-outside',
      `has the name ${JSON.stringify(named.port)}, and only Pods have named ports`,
      'Write a rule of its own for nodes, networks and domainNames.',
    );
  const base = { ...(name !== undefined && { name }), place: placeBelow(field) };
  if (action === undefined) return { ...base, action: 'deny', peers: [], ports };
  if (!broken) return { ...base, action, peers, ports };
  if (action === 'accept') return { ...base, action, peers: [], ports };
  return { ...base, action: 'deny', peers: 'everyone', ports: 'all' };
};
