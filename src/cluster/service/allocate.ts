/** ClusterIPs, NodePorts and load balancers' addresses: those of the input, then the next free. */
import { cidrAt, cidrOverlaps, cidrSize } from '../../wire/ip.ts';
import type { Cidr } from '../../wire/packet.ts';
import type { LoadBalancerIngress, ServiceAddress, ServicePort } from '../cluster.ts';
import { warn } from '../field.ts';
import type { Family, ServiceObject } from './service-object.ts';

/** kube-apiserver's --service-node-port-range. */
const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 32_767;

/** Offsets into the Services' range that go by convention: kubeadm, and every DNS manifest. */
const API_SERVER = 1;
const CLUSTER_DNS = 10;

const RESERVED: ReadonlyMap<string, number> = new Map([
  ['default/kubernetes', API_SERVER],
  ['kube-system/kube-dns', CLUSTER_DNS],
]);

/** TEST-NET-2, and the range for benchmarks where there are more (RFC 5737, RFC 2544): nobody's. */
const BALANCER_CIDRS: readonly Cidr[] = ['198.51.100.0/24', '198.18.0.0/15'];

/** What a Service gets beside what is written. */
export interface Allocation {
  readonly clusterIPs: readonly ServiceAddress[];
  /** In the order of the object's ports. */
  readonly ports: readonly ServicePort[];
  readonly ingress: readonly LoadBalancerIngress[];
  readonly healthCheckNodePort?: number;
}

export interface Pool {
  readonly serviceCIDR: Cidr;
  /** Ranges of the cluster: no load balancer has an address in them. */
  readonly avoid: readonly Cidr[];
  /** Addresses that somebody else has. */
  readonly taken: readonly string[];
  /** Ports of nodes that Pods have. */
  readonly hostPorts: ReadonlySet<number>;
}

/** Gives the next address of a range that nobody has; undefined where it is used up. */
const createRange = (
  cidr: Cidr,
  first: number,
  taken: Set<string>,
  skipped: ReadonlySet<number>,
): (() => string | undefined) => {
  // The last address of a range is for broadcasts.
  const end = cidrSize(cidr) - 1;
  let at = first;
  return () => {
    for (; at < end; at++) {
      const ip = cidrAt(cidr, at);
      if (skipped.has(at) || taken.has(ip)) continue;
      taken.add(ip);
      return ip;
    }
    return undefined;
  };
};

/**
 * The families of a Service in a cluster whose Services have an IPv4 range (initIPFamilyFields of
 * pkg/registry/core/service/storage, v1.34): those that its addresses or it itself names, else IPv4.
 */
export const familiesOf = ({
  headless,
  selector,
  ipFamilies,
  ipFamilyPolicy,
  clusterIPs,
}: ServiceObject): Family[] => {
  const named = ipFamilies.length > 0 ? ipFamilies : clusterIPs.map(({ family }) => family);
  const families = new Set<Family>(named.length > 0 ? named : [4]);
  const isFree = headless && Object.keys(selector).length === 0;
  if (isFree && ipFamilyPolicy !== 'SingleStack')
    for (const one of [4, 6] as const) families.add(one);
  return [...families];
};

/** A port of the API server's range, or any that the input names: free whatever the protocol. */
const createNodePorts = (services: readonly ServiceObject[], hostPorts: ReadonlySet<number>) => {
  const taken = new Set(hostPorts);
  for (const { ports, healthCheckNodePort } of services) {
    for (const { nodePort } of ports) if (nodePort !== undefined) taken.add(nodePort);
    if (healthCheckNodePort !== undefined) taken.add(healthCheckNodePort);
  }
  let next = FIRST_NODE_PORT;
  return (): number | undefined => {
    while (taken.has(next)) next++;
    return next > LAST_NODE_PORT ? undefined : next++;
  };
};

/** Ports of one number and several protocols share a NodePort (initNodePorts). */
const portsOf = (
  { type, allocateNodePorts, ports }: ServiceObject,
  nextPort: () => number | undefined,
): ServicePort[] => {
  const allocates = type === 'NodePort' || (type === 'LoadBalancer' && allocateNodePorts);
  const serves = type === 'NodePort' || type === 'LoadBalancer';
  const byPort = new Map<number, number>();
  for (const { port, nodePort } of ports)
    if (nodePort !== undefined && !byPort.has(port)) byPort.set(port, nodePort);
  return ports.map(({ at: _, nodePort: written, ...port }) => {
    if (!serves) return port;
    if (written !== undefined) return { ...port, nodePort: written };
    if (!allocates) return port;
    const nodePort = byPort.get(port.port) ?? nextPort();
    if (nodePort === undefined) return port;
    byPort.set(port.port, nodePort);
    return { ...port, nodePort, nodePortInvented: true };
  });
};

/**
 * What every Service gets, in their order; what the input writes is never given to another one.
 * @param services in the order of (namespace, name)
 */
export const allocate = (
  services: readonly ServiceObject[],
  { serviceCIDR, avoid, taken: others, hostPorts }: Pool,
): ReadonlyMap<ServiceObject, Allocation> => {
  const taken = new Set(others);
  for (const { clusterIPs, externalIPs, ingress } of services) {
    for (const { ip } of clusterIPs) taken.add(ip);
    for (const ip of externalIPs) taken.add(ip);
    for (const { ip } of ingress) if (ip !== undefined) taken.add(ip);
  }
  const conventional = new Set([API_SERVER, CLUSTER_DNS]);
  const nextClusterIP = createRange(serviceCIDR, API_SERVER, taken, conventional);
  const balancers = BALANCER_CIDRS.filter(
    (cidr) => !avoid.some((other) => cidrOverlaps(cidr, other)),
  ).map((cidr) => createRange(cidr, 1, taken, new Set()));
  const nextVip = (): string | undefined => {
    for (const next of balancers) {
      const ip = next();
      if (ip !== undefined) return ip;
    }
    return undefined;
  };
  const nextPort = createNodePorts(services, hostPorts);

  const clusterIpOf = ({ namespace, name }: ServiceObject): string | undefined => {
    const at = RESERVED.get(`${namespace}/${name}`);
    const own =
      at === undefined || at >= cidrSize(serviceCIDR) - 1 ? undefined : cidrAt(serviceCIDR, at);
    if (own === undefined || taken.has(own)) return nextClusterIP();
    taken.add(own);
    return own;
  };
  const clusterIPsOf = (service: ServiceObject): ServiceAddress[] => {
    const { type, headless, clusterIPs, ipFamilyPolicy, field } = service;
    if (type === 'ExternalName' || headless) return [];
    if (ipFamilyPolicy === 'RequireDualStack' && clusterIPs.length < 2)
      warn(
        field,
        'no-address',
        'requires addresses of both families, and the cluster has no IPv6 range of Services',
        'Write both into spec.clusterIPs, or make spec.ipFamilyPolicy PreferDualStack.',
      );
    const written = clusterIPs.map((one) => ({ ...one, invented: false }));
    if (written.length > 0) return written;
    if (!familiesOf(service).includes(4)) {
      warn(
        field,
        'no-address',
        'has no ClusterIP: its only family is IPv6, and the cluster has no IPv6 range of Services',
        'Give it spec.clusterIP, or the family IPv4.',
      );
      return [];
    }
    const ip = clusterIpOf(service);
    if (ip !== undefined) return [{ ip, family: 4, invented: true }];
    warn(field, 'range-used-up', `gets no ClusterIP: ${serviceCIDR} has no free address`);
    return [];
  };
  const ingressOf = ({ type, ingress, requestedVip }: ServiceObject): LoadBalancerIngress[] => {
    if (type !== 'LoadBalancer' || ingress.length > 0) return [...ingress];
    const ip = requestedVip ?? nextVip();
    return ip === undefined ? [] : [{ ip, ipMode: 'VIP', assumed: true }];
  };
  const healthPortOf = (service: ServiceObject): number | undefined =>
    service.type === 'LoadBalancer' && service.externalTrafficPolicy === 'Local'
      ? (service.healthCheckNodePort ?? nextPort())
      : undefined;

  const allocations = new Map<ServiceObject, Allocation>();
  for (const service of services) {
    const clusterIPs = clusterIPsOf(service);
    const ports = portsOf(service, nextPort);
    const healthCheckNodePort = healthPortOf(service);
    allocations.set(service, {
      clusterIPs,
      ports,
      ingress: ingressOf(service),
      ...(healthCheckNodePort !== undefined && { healthCheckNodePort }),
    });
  }
  return allocations;
};
