/** Where an endpoint of a question is in the World: its namespace, its address, what answers there. */
import type { Cluster, ClusterNode, Pod, Service, Target } from '../cluster/cluster.ts';
import { serviceOfAddress } from '../cluster/service/lookup.ts';
import type { NetnsId, World } from '../kernel/world.ts';
import { isIpv4, isLoopback, isUnicast } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import { isRunning, podNetnsName, type RunningPod } from './machine.ts';
import { otherHosts } from './underlay.ts';

/** What a person named, and what it turned out to be (the trace's `probe.from` and `probe.to`). */
export interface ProbeEnd {
  readonly text: string;
  readonly kind: 'pod' | 'node' | 'service' | 'ip' | 'external';
  readonly namespace?: string;
  readonly name?: string;
  readonly container?: string;
  readonly ip?: Ip;
  readonly node?: string;
  readonly workload?: { readonly kind: string; readonly name: string; readonly replicas: number };
}

/** A question about an address that the model has no answer to. */
export type Unanswerable = 'ipv6' | 'special-address' | 'no-such-source' | 'balancer-proxy';

export type Endpoint =
  /** Somebody has the address. */
  | {
      readonly kind: 'owned';
      readonly end: Omit<ProbeEnd, 'text'>;
      readonly ip: Ip;
      readonly netns: NetnsId;
      readonly pod?: RunningPod;
      readonly container?: string;
      readonly node?: ClusterNode;
      /** It is the world outside, on whichever of its addresses. */
      readonly outside?: true;
    }
  /** An address that nobody has: in one of the cluster's ranges, or a Service's. */
  | {
      readonly kind: 'nobody';
      readonly end: Omit<ProbeEnd, 'text'>;
      readonly ip: Ip;
      readonly service?: Service;
    }
  /** A Service by its name: which address that is depends on who asks. */
  | { readonly kind: 'service'; readonly end: Omit<ProbeEnd, 'text'>; readonly service: Service }
  /** A Pod without a namespace. */
  | { readonly kind: 'not-running'; readonly end: Omit<ProbeEnd, 'text'>; readonly pod: Pod }
  | {
      readonly kind: 'unanswerable';
      readonly end: Omit<ProbeEnd, 'text'>;
      readonly why: Unanswerable;
    };

export type Owned = Extract<Endpoint, { kind: 'owned' }>;

const nodeNamed = ({ nodes }: Cluster, name: string): ClusterNode => {
  const node = nodes.find((one) => one.name === name);
  if (!node) throw new RangeError(`no node ${name}`);
  return node;
};

const machineOf = (host: string): NetnsId => `${host}/host`;

const podEndpoint = (
  cluster: Cluster,
  target: Extract<Target, { kind: 'container' }>,
): Endpoint => {
  const pod = cluster.pods[target.pod];
  if (!pod) throw new RangeError(`no Pod number ${target.pod}`);
  const { container, workload } = target;
  const end = {
    kind: 'pod',
    namespace: pod.namespace,
    name: pod.name,
    ...(container !== undefined && { container }),
    ...(pod.node !== undefined && { node: pod.node }),
    ...(workload && { workload }),
  } as const;
  const home = cluster.nodes.find(({ name }) => name === pod.node);
  const onlyIpv6 = pod.hostNetwork ? home?.onlyIpv6 : pod.onlyIpv6;
  if (pod.phase === 'Running' && onlyIpv6 !== undefined)
    return { kind: 'unanswerable', end, why: 'ipv6' };
  if (!isRunning(pod)) return { kind: 'not-running', end, pod };
  const node = nodeNamed(cluster, pod.node);
  // A Pod on its node's network has the address that the machine has, whatever its status says.
  const ip = pod.hostNetwork ? node.ip : pod.ip;
  return {
    kind: 'owned',
    end: { ...end, ip },
    ip,
    netns: pod.hostNetwork ? machineOf(pod.node) : `${pod.node}/${podNetnsName(pod)}`,
    pod,
    ...(container !== undefined && { container }),
    node,
  };
};

const nodeEndpoint = (cluster: Cluster, name: string): Endpoint => {
  const node = nodeNamed(cluster, name);
  if (node.onlyIpv6 !== undefined)
    return { kind: 'unanswerable', end: { kind: 'node', name, node: name }, why: 'ipv6' };
  return {
    kind: 'owned',
    end: { kind: 'node', name, node: name, ip: node.ip },
    ip: node.ip,
    netns: machineOf(name),
    node,
  };
};

const serviceEndpoint = ({ services }: Cluster, index: number): Endpoint => {
  const service = services[index];
  if (!service) throw new RangeError(`no Service number ${index}`);
  const { namespace, name, clusterIPs } = service;
  const ip = clusterIPs.find(({ family }) => family === 4)?.ip;
  return {
    kind: 'service',
    end: { kind: 'service', namespace, name, ...(ip !== undefined && { ip }) },
    service,
  };
};

const outsideEndpoint = (cluster: Cluster, kind: 'external' | 'ip', ip: Ip): Endpoint => ({
  kind: 'owned',
  end: { kind, ip },
  ip,
  netns: machineOf(otherHosts(cluster).external),
  outside: true,
});

const ipEndpoint = (
  cluster: Cluster,
  world: World,
  ip: Ip,
  asker: NetnsId | undefined,
): Endpoint => {
  const end = { kind: 'ip', ip } as const;
  const unanswerable = (why: Unanswerable): Endpoint => ({ kind: 'unanswerable', end, why });
  if (!isIpv4(ip)) return unanswerable('ipv6');
  if (isLoopback(ip))
    return asker === undefined
      ? unanswerable('no-such-source')
      : { kind: 'owned', end, ip, netns: asker };
  if (!isUnicast(ip)) return unanswerable('special-address');
  const [owner] = world.book.owners(ip);
  if (!owner) {
    const service = serviceOfAddress(cluster, ip);
    if (service) {
      // kube-proxy leaves such an address to a balancer that ends connections and begins its own.
      if (service.ingress.some((row) => row.ip === ip && row.ipMode === 'Proxy'))
        return unanswerable('balancer-proxy');
      const { namespace, name } = service;
      return { kind: 'nobody', end: { ...end, name: `${namespace}/${name}` }, ip, service };
    }
    const range = world.book.rangeOf(ip);
    return range ? { kind: 'nobody', end, ip } : outsideEndpoint(cluster, 'ip', ip);
  }
  const { external } = otherHosts(cluster);
  if (owner.host === external) return outsideEndpoint(cluster, 'ip', ip);
  const named = { ...end, name: owner.name };
  const node = cluster.nodes.find(({ name }) => name === owner.host);
  const found = cluster.pods.find(
    (one) => one.node === owner.host && `${owner.host}/${podNetnsName(one)}` === owner.netns,
  );
  const pod = found && isRunning(found) ? found : undefined;
  return {
    kind: 'owned',
    end: node ? { ...named, node: node.name } : named,
    ip,
    netns: owner.netns,
    ...(pod && { pod }),
    ...(node && { node }),
  };
};

/**
 * Finds an endpoint in the World.
 * @param asker the namespace that asks; 127.0.0.1 is its own
 * @throws {RangeError} for a Pod, node or Service that the cluster does not have
 */
export const findEndpoint = (
  cluster: Cluster,
  world: World,
  target: Target,
  asker?: NetnsId,
): Endpoint => {
  switch (target.kind) {
    case 'container':
      return podEndpoint(cluster, target);
    case 'node':
      return nodeEndpoint(cluster, target.node);
    case 'service':
      return serviceEndpoint(cluster, target.service);
    case 'external':
      return outsideEndpoint(cluster, 'external', cluster.external.ip);
    case 'ip':
      return ipEndpoint(cluster, world, target.ip, asker);
    case 'name':
      throw new RangeError(`${target.name} is not resolved`);
    default: {
      const never: never = target;
      return never;
    }
  }
};
