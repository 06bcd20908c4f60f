/** Clusters for tests: what is not given is as a scenario would default it. */
import type {
  Cluster,
  ClusterNode,
  Container,
  Listener,
  Network,
  Pod,
  Service,
} from '../../src/cluster/cluster.ts';
import { settleKubeProxy } from '../../src/cluster/service/kube-proxy.ts';

export const node = (
  name: string,
  index: number,
  more: Partial<ClusterNode> = {},
): ClusterNode => ({
  name,
  index,
  ip: `192.168.10.${11 + index}`,
  podCIDR: `10.244.${1 + index}.0/24`,
  labels: {},
  taints: [],
  sysctl: {},
  ready: true,
  invented: { node: false, ip: false, podCIDR: false },
  ...more,
});

export const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  sidecar: false,
  ports: [],
  ...more,
});

export const listener = (port: number, more: Partial<Listener> = {}): Listener => ({
  container: 'app',
  protocol: 'tcp',
  ip: '0.0.0.0',
  port,
  evidence: 'containerPort',
  ...more,
});

export const pod = (name: string, on: string, ip: string, more: Partial<Pod> = {}): Pod => ({
  namespace: 'default',
  name,
  node: on,
  ip,
  hostNetwork: false,
  phase: 'Running',
  ready: true,
  labels: {},
  containers: [container('app')],
  owners: [],
  ordinal: 0,
  invented: { name: false, ip: false, node: false },
  listeners: { rows: [], unlisted: 'assumed-open' },
  ...more,
});

export const network = (more: Partial<Network> = {}): Network => ({
  plugin: 'flannel',
  backend: 'vxlan',
  podCIDR: '10.244.0.0/16',
  serviceCIDR: '10.96.0.0/12',
  config: {},
  ...more,
});

/** A Service with a ClusterIP, without ports and endpoints. */
export const service = (name: string, more: Partial<Service> = {}): Service => ({
  namespace: 'default',
  name,
  type: 'ClusterIP',
  headless: false,
  selector: {},
  clusterIPs: [{ ip: '10.96.0.2', family: 4, invented: false }],
  ports: [],
  externalIPs: [],
  ingress: [],
  sourceRanges: [],
  externalTrafficPolicy: 'Cluster',
  internalTrafficPolicy: 'Cluster',
  publishNotReadyAddresses: false,
  slices: [],
  ...more,
});

/** Two nodes; pod-a on the first, pod-b (8080/tcp) on the second. */
export const cluster = (more: Partial<Cluster> = {}): Cluster => ({
  name: 'test',
  network: network(),
  underlay: { cidr: '192.168.10.0/24', mtu: 1500, gateway: '192.168.10.1' },
  nodes: [node('node-1', 0), node('node-2', 1)],
  pods: [
    pod('pod-a', 'node-1', '10.244.1.2'),
    pod('pod-b', 'node-2', '10.244.2.2', {
      listeners: { rows: [listener(8080)], unlisted: 'unknown' },
    }),
  ],
  workloads: [],
  namespaces: ['default'],
  namespaceLabels: new Map([['default', { 'kubernetes.io/metadata.name': 'default' }]]),
  services: [],
  kubeProxy: settleKubeProxy('10.244.0.0/16'),
  ingressBackends: [],
  policies: [],
  policyEngine: 'none',
  external: { ip: '203.0.113.10' },
  notes: [],
  ...more,
});
