/**
 * Random clusters with random Services as an operator writes them: the whole way from YAML to the
 * rules of a real kernel.
 */
import { openScenario } from '../../src/scenario/open.ts';
import type { Random } from './random.ts';
import { randomCalls } from './random-calls.ts';
import type { RandomCase } from './random-cluster.ts';
import { withFaults } from './random-fault.ts';
import { NETWORKS } from './random-networks.ts';

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

const ZONES = ['near', 'near', 'far'];

const proxyOf = (mode: ProxyMode, { chance, pick }: Random): object => ({
  mode,
  ...pick(DETECTION),
  ...(chance(0.25) && {
    nodePortAddresses: pick([['192.168.10.0/24'], ['primary'], ['127.0.0.0/8', '192.168.10.0/24']]),
  }),
  ...(chance(0.25) && { conntrack: { tcpBeLiberal: true } }),
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
  const zoned = chance(0.6);
  const nodes = Array.from({ length: pick([1, 2, 2, 3]) }, (_, n) => ({
    name: `node-${n + 1}`,
    ...(zoned && { labels: { 'topology.kubernetes.io/zone': pick(ZONES) } }),
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

const APPS = ['a', 'b', 'c'] as const;
const LISTEN = ['8080/tcp, 5353/udp', '8080/tcp, 5353/udp', '8080/tcp, 5353/udp', '8080/tcp', ''];

const podOf = (node: number, n: number, random: Random, taken: Set<string>): Document => {
  const { chance, pick } = random;
  // Two Pods on a node's own network would want one port; a node's first Pod brings the bridge.
  const onHost = n > 1 && chance(0.18) && !taken.has(`host ${node}`);
  if (onHost) taken.add(`host ${node}`);
  const hostPort = !onHost && chance(0.2) ? 8000 + taken.size * 2 : undefined;
  if (hostPort !== undefined) taken.add(`port ${hostPort}`);
  const mapped = hostPort !== undefined && { hostPort };
  const named = chance(0.8);
  const asked = hostPort !== undefined && chance(0.5) && { hostPort: hostPort + 1 };
  return {
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
            { ...(named && { name: 'web' }), containerPort: 8080, ...mapped },
            { ...(named && { name: 'names' }), containerPort: 5353, protocol: 'UDP', ...asked },
          ],
        },
      ],
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: chance(0.15) ? 'False' : 'True' }],
    },
  } as Document;
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
          pick([
            `10.244.${node}.${2 + below(3)}`,
            `192.168.10.${10 + node}`,
            '203.0.113.10',
            '203.0.113.77',
          ]),
        ],
        nodeName: `node-${node}`,
        conditions: pick([
          { ready: true },
          { ready: true },
          { ready: false, serving: true, terminating: true },
          { ready: false, serving: false },
        ]),
        ...(chance(0.4) && { zone: pick(ZONES) }),
        ...(chance(0.4) && {
          hints: pick([
            { forNodes: [{ name: `node-${node}` }] },
            { forZones: [{ name: 'near' }] },
            { forZones: [{ name: 'far' }], forNodes: [{ name: `node-${node}` }] },
          ]),
        }),
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
      ...(!byHand && { selector: { app: pick([...APPS, ...APPS, ...APPS, 'nobody']) } }),
      ...(headless && { clusterIP: 'None' }),
      ...(!headless && chance(0.5) && { clusterIP: `10.96.0.${20 + n}` }),
      ports: portsOf(n, random).map((port) => (outside ? port : { ...port, nodePort: undefined })),
      ...(!headless && chance(0.3) && { externalIPs: [`198.51.100.${200 + n}`] }),
      ...(chance(outside ? 0.4 : 0.25) && {
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
      ...(chance(0.35) && {
        trafficDistribution: pick(['PreferSameNode', 'PreferSameZone', 'PreferClose']),
      }),
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
  const documents = [scenario, ...pods, ...services.flat()];
  const text = documents.map((item) => JSON.stringify(item)).join('\n---\n');
  const opened = await openScenario([{ file: 'random.yaml', text }]);
  if (!opened.ok) throw new Error(`${JSON.stringify(opened.diagnostics)}\n${text}`);
  const { cluster, world: sound } = opened.scenario;
  const { world, faults } = chance(0.25) ? withFaults(sound, random) : { world: sound, faults: [] };
  return { about: text, faults, world, probes: randomCalls(cluster, sound, flows, random) };
};
