/** Policies as documents, so that reading them gives the same again. */
import type { Json, JsonObject } from '../cluster/kube-object.ts';
import type {
  PodSelection,
  Policy,
  PolicyDirection,
  PolicyPeer,
  PolicyPort,
  PolicyRule,
} from '../cluster/policy/policy.ts';
import type { Selector } from '../cluster/selector.ts';

/** Matches nothing, in a form that nothing is wrong with. */
const NOTHING: JsonObject = {
  matchExpressions: [
    { key: 'nothing', operator: 'Exists' },
    { key: 'nothing', operator: 'DoesNotExist' },
  ],
};

export const selectorDocument = (selector: Selector): JsonObject => {
  if (selector.some(({ operator, values }) => operator === 'In' && values.length === 0))
    return NOTHING;
  const isEqual = selector.every(
    ({ operator, values }) => operator === 'In' && values.length === 1,
  );
  const keys = new Set(selector.map(({ key }) => key));
  if (isEqual && keys.size === selector.length)
    return selector.length === 0
      ? {}
      : {
          matchLabels: Object.fromEntries(
            selector.map(({ key, values }) => [key, values[0] ?? '']),
          ),
        };
  return {
    matchExpressions: selector.map(({ key, operator, values }) => ({
      key,
      operator,
      ...((operator === 'In' || operator === 'NotIn') && { values: [...values] }),
    })),
  };
};

const networkPeer = (peer: PolicyPeer): JsonObject[] => {
  if (peer.kind === 'block') {
    const { cidr, except } = peer;
    return [{ ipBlock: { cidr, ...(except.length > 0 && { except: [...except] }) } }];
  }
  if (peer.kind !== 'pods') return [];
  const pods = selectorDocument(peer.pods);
  return peer.namespaces === 'own'
    ? [{ podSelector: pods }]
    : [
        {
          namespaceSelector: selectorDocument(peer.namespaces),
          ...(peer.pods.length > 0 && { podSelector: pods }),
        },
      ];
};

const podsDocument = ({ namespaces, pods }: PodSelection): JsonObject => {
  const chosen = selectorDocument(namespaces === 'own' ? [] : namespaces);
  return pods.length === 0
    ? { namespaces: chosen }
    : { pods: { namespaceSelector: chosen, podSelector: selectorDocument(pods) } };
};

const tierPeer = (peer: PolicyPeer): JsonObject => {
  switch (peer.kind) {
    case 'pods':
      return podsDocument(peer);
    case 'block':
      return { networks: [peer.cidr] };
    case 'nodes':
      return { nodes: selectorDocument(peer.nodes) };
    case 'domain-names':
      return { domainNames: [...peer.names] };
    default:
      return peer satisfies never;
  }
};

const networkPort = ({ protocol, port, endPort }: PolicyPort): JsonObject => ({
  ...(port !== undefined && { port }),
  ...(endPort !== undefined && { endPort }),
  protocol: protocol.toUpperCase(),
});

/** Numbers of a port of the tiers; every port of its protocol is a range there. */
const spanOf = ({ port, endPort }: PolicyPort): readonly [number, number] =>
  typeof port === 'number' ? [port, endPort ?? port] : [1, 65_535];

const adminPort = (item: PolicyPort): JsonObject => {
  if (typeof item.port === 'string') return { namedPort: item.port };
  const protocol = item.protocol.toUpperCase();
  const [start, end] = spanOf(item);
  return start === end
    ? { portNumber: { protocol, port: start } }
    : { portRange: { protocol, start, end } };
};

const clusterPort = (item: PolicyPort): JsonObject => {
  if (typeof item.port === 'string') return { destinationNamedPort: item.port };
  const [start, end] = spanOf(item);
  const destinationPort = start === end ? { number: start } : { range: { start, end } };
  return { [item.protocol]: { destinationPort } };
};

const PEERS = { ingress: 'from', egress: 'to' } as const;

/** Nobody: of a rule that could not be read, or whose ports could not. */
const matchesNothing = ({ peers, ports }: PolicyRule): boolean =>
  (peers !== 'everyone' && peers.length === 0) || (ports !== 'all' && ports.length === 0);

const networkRule = (rule: PolicyRule, direction: PolicyDirection): JsonObject => {
  const { peers, ports } = rule;
  if (matchesNothing(rule)) return { [PEERS[direction]]: [{ podSelector: NOTHING }] };
  return {
    ...(peers !== 'everyone' && { [PEERS[direction]]: peers.flatMap(networkPeer) }),
    ...(ports !== 'all' && { ports: ports.map(networkPort) }),
  };
};

const tierRule = (
  kind: Policy['kind'],
  rule: PolicyRule,
  direction: PolicyDirection,
): JsonObject => {
  const { name, action, peers, ports } = rule;
  const isCluster = kind === 'ClusterNetworkPolicy';
  const word = { accept: isCluster ? 'Accept' : 'Allow', deny: 'Deny', pass: 'Pass' }[action];
  const base = { ...(name !== undefined && { name }), action: word };
  if (matchesNothing(rule)) return { ...base, [PEERS[direction]]: [{ namespaces: NOTHING }] };
  return {
    ...base,
    // Everybody: the way in which a peer that nobody can read is understood.
    [PEERS[direction]]: peers === 'everyone' ? [{}] : peers.map(tierPeer),
    ...(ports !== 'all' && {
      [isCluster ? 'protocols' : 'ports']: ports.map(isCluster ? clusterPort : adminPort),
    }),
  };
};

const networkPolicy = (policy: Policy): JsonObject => {
  const { namespace = 'default', name, subject, ingress, egress } = policy;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: policy.kind,
    metadata: { name, ...(namespace !== 'default' && { namespace }) },
    spec: {
      podSelector: selectorDocument(subject.pods),
      policyTypes: [...(ingress ? ['Ingress'] : []), ...(egress ? ['Egress'] : [])],
      ...(ingress && { ingress: ingress.map((rule): Json => networkRule(rule, 'ingress')) }),
      ...(egress && { egress: egress.map((rule): Json => networkRule(rule, 'egress')) }),
    },
  };
};

const tierPolicy = (policy: Policy): JsonObject => {
  const { kind, tier, priority, name, subject, ingress, egress } = policy;
  const isCluster = kind === 'ClusterNetworkPolicy';
  const rules = (direction: PolicyDirection): Json[] =>
    (policy[direction] ?? []).map((rule) => tierRule(kind, rule, direction));
  return {
    apiVersion: `policy.networking.k8s.io/${isCluster ? 'v1alpha2' : 'v1alpha1'}`,
    kind,
    metadata: { name },
    spec: {
      ...(isCluster && { tier: tier === 'admin' ? 'Admin' : 'Baseline' }),
      ...(priority !== undefined && { priority }),
      subject: podsDocument(subject),
      ...(ingress && { ingress: rules('ingress') }),
      ...(egress && { egress: rules('egress') }),
    },
  };
};

export const policyDocument = (policy: Policy): JsonObject =>
  policy.kind === 'NetworkPolicy' ? networkPolicy(policy) : tierPolicy(policy);
