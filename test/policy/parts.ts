/** Small clusters and policies, written down in a line each. */
import type { ClusterNode, Container, ContainerPort, Pod } from '../../src/cluster/cluster.ts';
import type {
  Policy,
  PolicyPeer,
  PolicyPort,
  PolicyRule,
} from '../../src/cluster/policy/policy.ts';
import { equalities, type Labels, type Selector } from '../../src/cluster/selector.ts';
import type { PolicyCluster } from '../../src/policy/party.ts';

/** `app=web`, `app in (a,b)`, `!x`, `x`; nothing: everything. */
export const selector = (labels: Labels = {}): Selector => equalities(labels);

export const node = (name: string, ip: string, labels: Labels = {}): ClusterNode => ({
  name,
  index: 0,
  ip,
  podCIDR: '10.244.0.0/24',
  labels,
  taints: [],
  sysctl: {},
  ready: true,
  invented: { node: false, ip: false, podCIDR: false },
});

/** `http:80`, `dns:53/udp`, `9090`. */
export const port = (text: string): ContainerPort => {
  const [, name, number, protocol = 'tcp'] = /^(?:([a-z-]+):)?(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
  return {
    port: Number(number),
    protocol: protocol as ContainerPort['protocol'],
    ...(name !== undefined && { name }),
  };
};

export const container = (ports: readonly string[]): Container => ({
  name: 'app',
  sidecar: false,
  ports: ports.map(port),
});

/** @param id `namespace/name` */
export const pod = (
  id: string,
  labels: Labels,
  rest: Partial<Pod> & { readonly ports?: readonly string[] } = {},
): Pod => {
  const [namespace = '', name = ''] = id.split('/');
  const { ports = [], ...fields } = rest;
  return {
    namespace,
    name,
    node: 'node-1',
    hostNetwork: false,
    phase: 'Running',
    ready: true,
    labels,
    containers: [container(ports)],
    owners: [],
    ordinal: 0,
    invented: { name: false, ip: false, node: false },
    listeners: { rows: [], unlisted: 'assumed-open' },
    ...fields,
  };
};

export const rule = (fields: Partial<PolicyRule> = {}): PolicyRule => ({
  action: 'accept',
  peers: 'everyone',
  ports: 'all',
  ...fields,
});

/** A NetworkPolicy of a namespace. @param id `namespace/name` */
export const networkPolicy = (
  id: string,
  pods: Labels,
  rules: Pick<Policy, 'ingress' | 'egress'>,
): Policy => {
  const [namespace = '', name = ''] = id.split('/');
  return {
    kind: 'NetworkPolicy',
    tier: 'network-policy',
    namespace,
    name,
    subject: { namespaces: 'own', pods: selector(pods) },
    ...rules,
  };
};

/** About all Pods. */
export const tierPolicy = (
  tier: 'admin' | 'baseline',
  priority: number,
  rules: Pick<Policy, 'ingress' | 'egress'>,
): Policy => ({
  kind: tier === 'admin' ? 'AdminNetworkPolicy' : 'BaselineAdminNetworkPolicy',
  tier,
  name: `${tier}-${priority}`,
  priority,
  subject: { namespaces: [], pods: [] },
  ...rules,
});

/** Pods of the policy's own namespace. */
export const podsHere = (labels: Labels = {}): PolicyPeer => ({
  kind: 'pods',
  namespaces: 'own',
  pods: selector(labels),
});

export const podsOf = (namespaces: Labels, pods: Labels = {}): PolicyPeer => ({
  kind: 'pods',
  namespaces: selector(namespaces),
  pods: selector(pods),
});

export const block = (cidr: string, ...except: string[]): PolicyPeer => ({
  kind: 'block',
  cidr,
  except,
});

export const tcp = (number?: number | string, endPort?: number): PolicyPort => ({
  protocol: 'tcp',
  ...(number !== undefined && { port: number }),
  ...(endPort !== undefined && { endPort }),
});

export const clusterOf = (
  pods: readonly Pod[],
  policies: readonly Policy[],
  namespaces: Readonly<Record<string, Labels>> = {},
  nodes: readonly ClusterNode[] = [
    node('node-1', '192.168.10.11'),
    node('node-2', '192.168.10.12'),
  ],
): PolicyCluster => ({
  pods,
  nodes,
  policies,
  namespaceLabels: new Map(
    [...new Set([...pods.map(({ namespace }) => namespace), ...Object.keys(namespaces)])].map(
      (namespace) => [
        namespace,
        { 'kubernetes.io/metadata.name': namespace, ...namespaces[namespace] },
      ],
    ),
  ),
});
