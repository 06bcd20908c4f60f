/**
 * Random clusters with random Services as an operator writes them, and who calls what: the whole way
 * from YAML to the rules of a real kernel.
 */

import type { Service } from '../../src/cluster/cluster.ts';
import type { Probe } from '../../src/kernel/probe.ts';
import type { World } from '../../src/kernel/world.ts';
import { openScenario } from '../../src/scenario/open.ts';
import type { Random } from './random.ts';
import type { RandomCase } from './random-cluster.ts';
import { withFaults } from './random-fault.ts';

const NETWORKS = [
  { plugin: 'bridge', backend: 'static-routes' },
  { plugin: 'bridge', backend: 'cloud-routes' },
  { plugin: 'flannel', backend: 'vxlan' },
  { plugin: 'flannel', backend: 'vxlan' },
  { plugin: 'flannel', backend: 'host-gw' },
] as const;

export type ProxyMode = 'iptables' | 'nftables';

const configOf = (plugin: 'bridge' | 'flannel', { chance, pick }: Random): object => {
  if (plugin === 'flannel') return chance(0.4) ? { delegate: { hairpinMode: false } } : {};
  return {
    ...(chance(0.4) && { ipMasq: true }),
    ...(chance(0.7) && pick([{ hairpinMode: true }, { promiscMode: true }])),
  };
};

const DETECTION = [
  {},
  { detectLocalMode: 'ClusterCIDR', clusterCIDR: '10.244.0.0/16' },
  { detectLocalMode: 'ClusterCIDR', clusterCIDR: '10.244.0.0/16' },
  { detectLocalMode: 'NodeCIDR' },
  { detectLocalMode: 'BridgeInterface', detectLocal: { bridgeInterface: 'cni0' } },
  { detectLocalMode: 'InterfaceNamePrefix', detectLocal: { interfaceNamePrefix: 'cni' } },
] as const;

const proxyOf = (mode: ProxyMode, { chance, pick }: Random): object => ({
  mode,
  ...pick(DETECTION),
  ...(chance(0.25) && {
    nodePortAddresses: pick([['192.168.10.0/24'], ['primary'], ['127.0.0.0/8', '192.168.10.0/24']]),
  }),
  [mode]: {
    ...(chance(0.25) && { masqueradeAll: true }),
    ...(mode === 'iptables' && chance(0.25) && { localhostNodePorts: false }),
  },
});

interface Document {
  readonly kind: string;
}

const scenarioOf = (mode: ProxyMode, random: Random): Document & { spec: { nodes: object[] } } => {
  const { below, chance, pick } = random;
  const network = pick(NETWORKS);
  const nodes = Array.from({ length: pick([1, 2, 2, 3]) }, (_, n) => ({
    name: `node-${n + 1}`,
    sysctl: {
      'net.bridge.bridge-nf-call-iptables': pick([0, 1, 1]),
      ...(chance(0.1) && { 'net.ipv4.conf.all.rp_filter': 1 + below(2) }),
    },
  }));
  return {
    kind: 'Scenario',
    apiVersion: 'k8snet/v1',
    metadata: { name: 'random' },
    spec: {
      network: { ...network, config: configOf(network.plugin, random) },
      kubeProxy: proxyOf(mode, random),
      nodes,
    },
  } as Document & { spec: { nodes: object[] } };
};

const APPS = ['a', 'b', 'c', 'd'] as const;
const LISTEN = ['8080/tcp, 5353/udp', '8080/tcp, 5353/udp', '8080/tcp, 5353/udp', '8080/tcp', ''];

interface PodPlan {
  readonly document: Document;
  readonly node: number;
  readonly hostPorts: readonly { readonly port: number; readonly protocol: 'tcp' | 'udp' }[];
}

const podOf = (node: number, n: number, random: Random, taken: Set<string>): PodPlan => {
  const { chance, pick } = random;
  // Two Pods on a node's own network would want one port; a node's first Pod brings the bridge.
  const onHost = n > 1 && chance(0.18) && !taken.has(`host ${node}`);
  if (onHost) taken.add(`host ${node}`);
  const hostPort = !onHost && chance(0.2) ? 8000 + taken.size * 2 : undefined;
  if (hostPort !== undefined) taken.add(`port ${hostPort}`);
  const mapped = hostPort !== undefined && { hostPort };
  const document = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: `pod-${node}-${n}`,
      labels: { app: pick(APPS) },
      annotations: { 'k8snet/listen': onHost ? '8080/tcp, 5353/udp' : pick(LISTEN) },
    },
    spec: {
      nodeName: `node-${node}`,
      ...(onHost && { hostNetwork: true }),
      containers: [
        {
          name: 'app',
          image: 'app',
          ports: [
            { name: 'web', containerPort: 8080, ...mapped },
            { name: 'names', containerPort: 5353, protocol: 'UDP' },
          ],
        },
      ],
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: chance(0.2) ? 'False' : 'True' }],
    },
  };
  return {
    document,
    node,
    hostPorts: hostPort === undefined ? [] : [{ port: hostPort, protocol: 'tcp' }],
  };
};

const portsOf = (n: number, { chance, pick }: Random): object[] => {
  const nodePort = (at: number): object => (chance(0.5) ? { nodePort: 30_000 + 10 * n + at } : {});
  const http = {
    name: 'http',
    protocol: 'TCP',
    port: 80,
    targetPort: pick([8080, 8080, 'web']),
    ...nodePort(0),
  };
  const names = {
    name: 'names',
    protocol: 'UDP',
    port: 53,
    targetPort: pick([5353, 'names']),
    ...nodePort(1),
  };
  const odd = { name: 'odd', protocol: 'TCP', port: 81, targetPort: 8081, ...nodePort(2) };
  return [http, ...(chance(0.7) ? [names] : []), ...(chance(0.15) ? [odd] : [])];
};

const RANGES = ['203.0.113.0/24', '10.244.0.0/16', '192.168.10.0/24', '198.18.0.0/15'];

/** Endpoints that somebody writes by hand: Pods, addresses of nobody, a node, the host outside. */
const sliceOf = (name: string, nodes: number, { below, chance, pick }: Random): Document =>
  ({
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: 'names', port: 5353, protocol: 'UDP' },
    ],
    endpoints: Array.from({ length: below(4) }, () => {
      const node = 1 + below(nodes);
      return {
        addresses: [
          pick([`10.244.${node}.${2 + below(3)}`, `192.168.10.${10 + node}`, '203.0.113.10']),
        ],
        nodeName: `node-${node}`,
        conditions: pick([
          { ready: true },
          { ready: true },
          { ready: false, serving: true, terminating: true },
          { ready: false, serving: false },
        ]),
        ...(chance(0.2) && { hints: { forNodes: [{ name: `node-${node}` }] } }),
      };
    }),
  }) as Document;

const serviceOf = (n: number, nodes: number, random: Random): Document[] => {
  const { chance, pick } = random;
  const name = `svc-${n}`;
  const type = pick(['ClusterIP', 'ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer']);
  const headless = type === 'ClusterIP' && chance(0.1);
  const byHand = chance(0.2);
  const outside = type !== 'ClusterIP';
  const balanced = type === 'LoadBalancer';
  const service = {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name },
    spec: {
      type,
      ...(!byHand && { selector: { app: pick([...APPS, ...APPS, 'nobody']) } }),
      ...(headless && { clusterIP: 'None' }),
      ...(!headless && chance(0.5) && { clusterIP: `10.96.0.${20 + n}` }),
      ports: portsOf(n, random).map((port) => (outside ? port : { ...port, nodePort: undefined })),
      ...(!headless && chance(0.3) && { externalIPs: [`198.51.100.${200 + n}`] }),
      ...(chance(0.25) && {
        sessionAffinity: 'ClientIP',
        ...(chance(0.5) && { sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } } }),
      }),
      ...(chance(0.3) && { internalTrafficPolicy: 'Local' }),
      ...(outside && chance(0.45) && { externalTrafficPolicy: 'Local' }),
      ...(balanced &&
        chance(0.4) && {
          loadBalancerSourceRanges: [pick(RANGES), ...(chance(0.3) ? [pick(RANGES)] : [])],
        }),
      ...(chance(0.15) && { publishNotReadyAddresses: true }),
      ...(chance(0.15) && { trafficDistribution: 'PreferSameNode' }),
    },
    ...(balanced &&
      chance(0.5) && {
        status: {
          loadBalancer: {
            ingress: [{ ip: `198.51.100.${100 + n}`, ...(chance(0.15) && { ipMode: 'Proxy' }) }],
          },
        },
      }),
  } as Document;
  return byHand ? [service, sliceOf(name, nodes, random)] : [service];
};

/** An address and a port that somebody may call. */
interface Called {
  readonly dst: string;
  readonly protocol: 'tcp' | 'udp';
  readonly dport: number;
}

/** The ways in which one Service is called, and two in which it is called wrongly. */
const calledOf = (service: Service, nodes: readonly string[]): Called[] => {
  const { clusterIPs, ingress, externalIPs, slices } = service;
  const addresses = [
    ...clusterIPs.map(({ ip }) => ip),
    ...ingress.flatMap(({ ip }) => (ip === undefined ? [] : [ip])),
    ...externalIPs,
  ];
  const direct = slices.flatMap(({ endpoints }) => endpoints.map(({ address }) => address));
  return [
    ...service.ports.flatMap(({ protocol, port, nodePort }): Called[] => {
      if (protocol === 'sctp') return [];
      return [
        ...addresses.map((dst) => ({ dst, protocol, dport: port })),
        ...(nodePort === undefined ? [] : nodes.map((dst) => ({ dst, protocol, dport: nodePort }))),
      ];
    }),
    ...addresses.slice(0, 1).flatMap((dst): Called[] => [
      { dst, protocol: 'tcp', dport: 99 },
      { dst, protocol: 'udp', dport: 80 },
    ]),
    ...(addresses.length === 0
      ? direct.map((dst): Called => ({ dst, protocol: 'tcp', dport: 8080 }))
      : []),
  ];
};

/** Everybody with a socket of their own: Pods, nodes, the router, the host outside. */
const sourcesIn = (world: World): { readonly pods: string[]; readonly others: string[] } => {
  const all = world.hostNames.flatMap((name) => [...world.host(name).netns.values()]);
  return {
    pods: all.filter(({ name }) => name !== 'host').map(({ id }) => id),
    others: all.filter(({ name, host }) => name === 'host' && host !== 'gw').map(({ id }) => id),
  };
};

const probesOf = (
  world: World,
  called: readonly Called[],
  flows: number,
  { chance, pick, below }: Random,
): Probe[] => {
  const { pods, others } = sourcesIn(world);
  return Array.from({ length: flows }, (_, n) => {
    const { dst, protocol, dport } = pick(called);
    const netns = pods.length > 0 && chance(0.6) ? pick(pods) : pick(others);
    return {
      from: { netns },
      protocol,
      dst:
        netns.startsWith('node-') && netns.endsWith('/host') && dport >= 30_000 && chance(0.15)
          ? '127.0.0.1'
          : dst,
      sport: 40_000 + n,
      dport,
      ...(protocol === 'udp' && chance(0.5) && { size: below(200) }),
    };
  });
};

/**
 * 1 to 3 nodes of any plugin and back end with Pods, 3 to 6 Services of any kind, and who calls them.
 * One case in four has faults as an operator types them.
 */
export const serviceCase = async (
  random: Random,
  flows: number,
  mode: ProxyMode,
): Promise<RandomCase> => {
  const { below, chance } = random;
  const scenario = scenarioOf(mode, random);
  const count = scenario.spec.nodes.length;
  const taken = new Set<string>();
  const pods = Array.from({ length: count }, (_, node) =>
    Array.from({ length: 1 + below(4) }, (__, pod) => podOf(node + 1, pod + 1, random, taken)),
  ).flat();
  const services = Array.from({ length: 3 + below(4) }, (_, n) => serviceOf(n, count, random));
  const documents = [scenario, ...pods.map(({ document }) => document), ...services.flat()];
  const text = documents.map((item) => JSON.stringify(item)).join('\n---\n');
  const opened = await openScenario([{ file: 'random.yaml', text }]);
  if (!opened.ok) throw new Error(`${JSON.stringify(opened.diagnostics)}\n${text}`);
  const { cluster, world: sound } = opened.scenario;
  const { world, faults } = chance(0.25) ? withFaults(sound, random) : { world: sound, faults: [] };
  const nodes = cluster.nodes.map(({ ip }) => ip);
  const called = [
    ...cluster.services.flatMap((service) => calledOf(service, nodes)),
    ...pods.flatMap(({ node, hostPorts }) =>
      hostPorts.map(
        ({ port, protocol }): Called => ({ dst: nodes[node - 1] ?? '', protocol, dport: port }),
      ),
    ),
  ];
  return { about: text, faults, world, probes: probesOf(sound, called, flows, random) };
};
