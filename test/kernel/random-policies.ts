/** Random policies of all four kinds over random clusters, as an operator writes them. */
import type { Random } from './random.ts';
import { NETWORKS } from './random-networks.ts';

export interface Document {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly spec?: object;
}

interface PodSite {
  readonly name: string;
  readonly namespace: string;
  readonly node: number;
  readonly hostNetwork: boolean;
  readonly hostPort?: number;
}

/** What of a cluster stays while its policies, labels and names of ports change. */
export interface Topology {
  readonly about: string;
  /** bridge-nf-call-iptables, on every node. */
  readonly bridged: boolean;
  readonly scenario: Document;
  readonly services: readonly Document[];
  readonly pods: readonly PodSite[];
  readonly nodes: number;
}

export const NAMESPACES = ['default', 'shop', 'data'] as const;

/** TCP ports that every Pod listens on, and one that none does; the same of UDP. */
export const OPEN = { tcp: [8080, 8081], udp: [5353] } as const;
export const CLOSED = { tcp: 9999, udp: 9998 } as const;
export const HOST_POD_PORT = 8090;

const PODS_OF_NODE = [3, 2, 1];

/** Two or three nodes, a few Pods on each, some behind a Service or a port of their node. */
export const randomTopology = ({ chance, pick }: Random, policyEngine: boolean): Topology => {
  const network = pick(NETWORKS);
  const mode = pick(['iptables', 'nftables']);
  const count = pick([2, 2, 3]);
  const bridged = chance(0.8);
  const config = network.plugin === 'bridge' && chance(0.5) ? { hairpinMode: true } : {};
  const pods: PodSite[] = Array.from({ length: count }, (_, node) =>
    Array.from({ length: PODS_OF_NODE[node] ?? 1 }, (__, n) => ({
      name: `pod-${node + 1}-${n + 1}`,
      namespace: pick(NAMESPACES),
      node: node + 1,
      hostNetwork: false,
      ...(n === 0 && node === 1 && { hostPort: 8000 }),
    })),
  ).flat();
  pods.push({ name: 'on-host', namespace: 'default', node: 1, hostNetwork: true });
  const nodes = Array.from({ length: count }, (_, n) => ({
    name: `node-${n + 1}`,
    labels: { zone: pick(['near', 'far']) },
    sysctl: { 'net.bridge.bridge-nf-call-iptables': bridged ? 1 : 0 },
  }));
  const scenario = {
    apiVersion: 'k8snet/v1',
    kind: 'Scenario',
    metadata: { name: 'policies' },
    spec: {
      network: { ...network, config },
      kubeProxy: { mode, clusterCIDR: '10.244.0.0/16' },
      policyEngine: policyEngine ? 'nftables' : 'none',
      nodes,
    },
  };
  const served = pods.filter(({ name }) => ['pod-1-1', 'pod-1-2', 'pod-2-1'].includes(name));
  return {
    about: `${network.plugin} ${network.backend}, ${count} nodes, ${mode}, bridge-nf ${bridged}`,
    bridged,
    scenario,
    pods,
    nodes: count,
    services: served.map(({ name, namespace }, n) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: {
        type: 'NodePort',
        clusterIP: `10.96.0.${20 + n}`,
        selector: { id: name },
        ports: [
          { name: 'http', port: 80, targetPort: 8080, nodePort: 30_000 + n },
          { name: 'names', port: 53, protocol: 'UDP', targetPort: 5353, nodePort: 30_100 + n },
        ],
      },
    })),
  };
};

const APPS = ['a', 'b', 'c'];
const TIERS = ['front', 'back'];
const PORT_NAMES = ['web', 'alt', 'names'];

const labelsOf = (name: string, { chance, pick }: Random): object => ({
  id: name,
  ...(chance(0.85) && { app: pick(APPS) }),
  ...(chance(0.5) && { tier: pick(TIERS) }),
});

/** The same name may be another number on another Pod, of another protocol, or be missing. */
const portsOf = ({ chance, pick }: Random): object[] => {
  const web = pick(OPEN.tcp);
  const other = OPEN.tcp.find((port) => port !== web);
  return [
    ...(chance(0.85) ? [{ name: 'web', containerPort: web }] : []),
    ...(chance(0.5) ? [{ name: 'alt', containerPort: other }] : []),
    ...(chance(0.6)
      ? [{ name: pick(['names', 'names', 'alt2']), containerPort: 5353, protocol: 'UDP' }]
      : []),
  ];
};

const podOf = (
  { name, namespace, node, hostNetwork, hostPort }: PodSite,
  random: Random,
): Document => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace,
    labels: labelsOf(name, random),
    annotations: {
      'k8snet/listen': hostNetwork ? `${HOST_POD_PORT}/tcp` : '8080/tcp, 8081/tcp, 5353/udp',
    },
  },
  spec: {
    nodeName: `node-${node}`,
    hostNetwork,
    containers: [
      {
        name: 'app',
        image: 'app',
        ports: [
          ...(hostNetwork ? [] : portsOf(random)),
          ...(hostPort === undefined ? [] : [{ containerPort: 8080, hostPort }]),
        ],
      },
    ],
  },
});

type Selector = object;

const labelSelector = ({ below, chance, pick }: Random): Selector => {
  const app = pick(APPS);
  const tier = pick(TIERS);
  return [
    {},
    { matchLabels: { app } },
    { matchLabels: { app } },
    { matchLabels: { app, tier } },
    { matchExpressions: [{ key: 'app', operator: 'In', values: [app, pick(APPS)] }] },
    { matchExpressions: [{ key: 'app', operator: 'NotIn', values: [app] }] },
    { matchExpressions: [{ key: 'tier', operator: chance(0.5) ? 'Exists' : 'DoesNotExist' }] },
    {
      matchLabels: { tier },
      matchExpressions: [{ key: 'app', operator: 'NotIn', values: [app] }],
    },
  ][below(8)] as Selector;
};

const namespaceSelector = ({ below, chance, pick }: Random): Selector => {
  const name = pick(NAMESPACES);
  return [
    {},
    { matchLabels: { team: pick(['red', 'blue']) } },
    { matchLabels: { 'kubernetes.io/metadata.name': name } },
    { matchExpressions: [{ key: 'team', operator: chance(0.5) ? 'Exists' : 'DoesNotExist' }] },
    {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [name] }],
    },
  ][below(5)] as Selector;
};

const blockOf = ({ pods, nodes }: Topology, { below, chance, pick }: Random): object => {
  const node = 1 + below(nodes);
  const pod = `10.244.${node}.${2 + below(3)}`;
  const [cidr, ...holes] = pick([
    ['0.0.0.0/0', `10.244.${node}.0/24`, `${pod}/32`, '192.168.10.0/24', '203.0.113.0/24'],
    ['10.244.0.0/16', `10.244.${node}.0/24`, `${pod}/32`],
    [`10.244.${node}.0/24`, `${pod}/32`, `10.244.${node}.2/31`],
    [`${pod}/32`],
    ['192.168.10.0/24', `192.168.10.1${node}/32`],
    ['203.0.113.0/24', '203.0.113.10/32'],
    ['10.0.0.0/8'],
    ['::/0'],
  ]);
  const except = pods.length > 0 ? holes.filter(() => chance(0.4)) : [];
  return { ipBlock: { cidr, ...(except.length > 0 && { except }) } };
};

const some = <Item>(most: number, { below }: Random, make: () => Item): Item[] =>
  Array.from({ length: 1 + below(most) }, make);

const PORTS = [8080, 8080, 8081, 5353, 80, 9999, 10250];

const networkPolicyPort = ({ chance, pick }: Random): object => {
  const protocol = chance(0.5) ? {} : { protocol: pick(['TCP', 'UDP', 'SCTP', 'UDP']) };
  if (chance(0.15)) return protocol.protocol === undefined ? { protocol: 'TCP' } : protocol;
  if (chance(0.35)) return { ...protocol, port: pick(PORT_NAMES) };
  const port = pick(PORTS);
  return { ...protocol, port, ...(chance(0.3) && { endPort: port + pick([0, 1, 2000]) }) };
};

const networkPolicyPeer = (topology: Topology, random: Random): object => {
  const { below } = random;
  switch (below(5)) {
    case 0:
      return { podSelector: labelSelector(random) };
    case 1:
      return { namespaceSelector: namespaceSelector(random) };
    case 2:
    case 3:
      return {
        namespaceSelector: namespaceSelector(random),
        podSelector: labelSelector(random),
      };
    default:
      return blockOf(topology, random);
  }
};

const networkPolicyRule = (key: 'from' | 'to', topology: Topology, random: Random): object => ({
  ...(random.chance(0.8) && {
    [key]: some(3, random, () => networkPolicyPeer(topology, random)),
  }),
  ...(random.chance(0.6) && { ports: some(3, random, () => networkPolicyPort(random)) }),
});

const networkPolicy = (n: number, topology: Topology, random: Random): Document => {
  const { chance, pick } = random;
  const types = pick([['Ingress'], ['Egress'], ['Ingress', 'Egress'], undefined]);
  const rules = (key: 'from' | 'to') =>
    chance(0.15) ? [] : some(2, random, () => networkPolicyRule(key, topology, random));
  const spec = {
    podSelector: labelSelector(random),
    ...(types && { policyTypes: types }),
    ...((!types || types.includes('Ingress')) && { ingress: rules('from') }),
    ...((types?.includes('Egress') ?? chance(0.3)) && { egress: rules('to') }),
  };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `np-${n}`, namespace: pick(NAMESPACES) },
    spec,
  };
};

const subject = (random: Random): object =>
  random.chance(0.5)
    ? { namespaces: namespaceSelector(random) }
    : {
        pods: {
          namespaceSelector: namespaceSelector(random),
          podSelector: labelSelector(random),
        },
      };

type Tier = 'admin' | 'baseline';

const tierPeer = (
  direction: 'ingress' | 'egress',
  tier: Tier,
  topology: Topology,
  random: Random,
): object => {
  const { below, chance, pick } = random;
  if (direction === 'egress' && chance(0.3)) {
    const node = 1 + below(topology.nodes);
    return pick([
      { nodes: pick([{}, { matchLabels: { zone: pick(['near', 'far']) } }]) },
      { networks: [pick([`10.244.${node}.0/24`, `10.244.${node}.2/32`, '0.0.0.0/0'])] },
      { networks: ['203.0.113.0/24', `192.168.10.1${node}/32`] },
      ...(tier === 'admin' ? [{ domainNames: ['www.example.com', '*.example.org'] }] : []),
    ]);
  }
  return subject(random);
};

const adminPort = ({ chance, pick }: Random): object => {
  const protocol = pick(['TCP', 'TCP', 'UDP', 'SCTP']);
  if (chance(0.3)) return { namedPort: pick(PORT_NAMES) };
  const port = pick(PORTS);
  if (chance(0.3)) return { portRange: { protocol, start: port, end: port + pick([1, 2000]) } };
  return { portNumber: { protocol, port } };
};

const clusterPort = ({ chance, pick }: Random): object => {
  const protocol = pick(['tcp', 'tcp', 'udp', 'sctp']);
  if (chance(0.3)) return { destinationNamedPort: pick(PORT_NAMES) };
  const number = pick(PORTS);
  const range = { start: number, end: number + pick([1, 2000]) };
  return { [protocol]: { destinationPort: chance(0.3) ? { range } : { number } } };
};

const ACTIONS = {
  AdminNetworkPolicy: ['Allow', 'Deny', 'Deny', 'Pass', 'Pass'],
  BaselineAdminNetworkPolicy: ['Allow', 'Allow', 'Deny'],
  ClusterNetworkPolicy: ['Accept', 'Deny', 'Deny', 'Pass', 'Pass'],
} as const;

const tierRule = (
  kind: keyof typeof ACTIONS,
  direction: 'ingress' | 'egress',
  tier: Tier,
  topology: Topology,
  random: Random,
): object => {
  const action = random.pick(ACTIONS[kind]);
  const peers = some(2, random, () => tierPeer(direction, tier, topology, random));
  // The API lets names of domains into rules that allow, and into no other.
  const lawful = peers.filter((peer) => !('domainNames' in peer) || /^A/.test(action));
  const isCluster = kind === 'ClusterNetworkPolicy';
  return {
    name: `rule of ${kind}`,
    action,
    [direction === 'ingress' ? 'from' : 'to']: lawful.length > 0 ? lawful : [subject(random)],
    ...(random.chance(0.6) && {
      [isCluster ? 'protocols' : 'ports']: some(2, random, () =>
        isCluster ? clusterPort(random) : adminPort(random),
      ),
    }),
  };
};

const tierPolicy = (
  kind: keyof typeof ACTIONS,
  tier: Tier,
  n: number,
  topology: Topology,
  random: Random,
): Document => {
  const rules = (direction: 'ingress' | 'egress') =>
    random.chance(0.3)
      ? {}
      : { [direction]: some(3, random, () => tierRule(kind, direction, tier, topology, random)) };
  const version = kind === 'ClusterNetworkPolicy' ? 'v1alpha2' : 'v1alpha1';
  const isBaseline = kind === 'BaselineAdminNetworkPolicy';
  return {
    apiVersion: `policy.networking.k8s.io/${version}`,
    kind,
    metadata: { name: isBaseline ? 'default' : `${tier}-${n}` },
    spec: {
      // No two are equal: what would be asked first is nobody's promise.
      ...(!isBaseline && { priority: 10 * n + random.below(10) }),
      ...(kind === 'ClusterNetworkPolicy' && { tier: tier === 'admin' ? 'Admin' : 'Baseline' }),
      subject: subject(random),
      ...rules('ingress'),
      ...rules('egress'),
    },
  };
};

/** A set of policies over a topology, with labels and names of ports that they look at. */
export const randomPolicies = (topology: Topology, random: Random): Document[] => {
  const { chance, pick } = random;
  const namespaces = NAMESPACES.filter(() => chance(0.7)).map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: chance(0.8) ? { team: pick(['red', 'blue']) } : {} },
  }));
  const admin = Array.from({ length: pick([0, 1, 1, 2]) }, (_, n) =>
    tierPolicy(pick(['AdminNetworkPolicy', 'ClusterNetworkPolicy']), 'admin', n, topology, random),
  );
  const baseline = chance(0.6)
    ? [
        tierPolicy(
          pick(['BaselineAdminNetworkPolicy', 'ClusterNetworkPolicy']),
          'baseline',
          0,
          topology,
          random,
        ),
      ]
    : [];
  const policies = Array.from({ length: pick([1, 2, 3, 4, 5]) }, (_, n) =>
    networkPolicy(n, topology, random),
  );
  return [
    topology.scenario,
    ...namespaces,
    ...topology.pods.map((pod) => podOf(pod, random)),
    ...topology.services,
    ...admin,
    ...baseline,
    ...policies,
  ];
};
