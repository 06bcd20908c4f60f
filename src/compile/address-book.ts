/** Who owns which address: ranges, and every address ever given, known without compiling a node. */
import type { Cluster, ClusterNode } from '../cluster/cluster.ts';
import { createBook, type LateOwner } from '../kernel/book.ts';
import type { Book, BookOwner, BookRange } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import { podNetnsName, podRanges, type RunningPod } from './machine.ts';
import type { NodePods } from './node.ts';
import { forMachine, forNode, forPod } from './object-origin.ts';
import { type OtherHosts, outsideOf } from './underlay.ts';

/** An address of a node, and the device that has it. */
export interface NodeAddress {
  readonly ip: Ip;
  readonly ifname: string;
  readonly why: 'tunnel-address' | 'bridge-gateway';
}

export interface BookInput {
  readonly cluster: Cluster;
  readonly others: OtherHosts;
  podsOf(node: ClusterNode): NodePods;
  /** Addresses that the plugin gives a node, beside its own. */
  addressesOf(node: ClusterNode): readonly NodeAddress[];
}

const rangesOf = ({ cluster, others }: BookInput): BookRange[] => {
  const { network, underlay, nodes } = cluster;
  return [
    ...nodes.flatMap((node) =>
      podRanges(node).map(
        (cidr): BookRange => ({
          cidr,
          kind: 'node-pods',
          host: node.name,
          origin: forNode('kubelet', node)('peer-route', 'podCIDR'),
        }),
      ),
    ),
    { cidr: network.podCIDR, kind: 'pod' },
    { cidr: network.serviceCIDR, kind: 'service' },
    { cidr: underlay.cidr, kind: 'node' },
    { cidr: outsideOf(cluster).cidr, kind: 'external', host: others.external },
  ];
};

const ownerOfPod = (pod: RunningPod): BookOwner => {
  const name = podNetnsName(pod);
  return {
    ip: pod.ip,
    netns: `${pod.node}/${name}`,
    host: pod.node,
    name,
    invented: pod.invented.ip,
    origin: forPod('cni', pod)('pod-address'),
  };
};

/** A Pod's entry: there are many, so each is no more than the Pod. */
class PodOwner implements LateOwner {
  readonly #pod: RunningPod;
  constructor(pod: RunningPod) {
    this.#pod = pod;
  }
  get ip(): Ip {
    return this.#pod.ip;
  }
  owner(): BookOwner {
    return ownerOfPod(this.#pod);
  }
}

const known = (owner: BookOwner): LateOwner => ({ ip: owner.ip, owner: () => owner });

const ownersOfNode = (input: BookInput, node: ClusterNode): LateOwner[] => {
  const host = node.name;
  const netns = `${host}/host`;
  const plugin = forNode('cni', node);
  return [
    known({
      ip: node.ip,
      netns,
      host,
      name: host,
      invented: node.invented.ip,
      origin: forNode('scenario', node)('node-address'),
    }),
    ...input.addressesOf(node).map(({ ip, ifname, why }) =>
      known({
        ip,
        netns,
        host,
        name: `${ifname} of ${host}`,
        invented: node.invented.podCIDR,
        origin: plugin(why),
      }),
    ),
    ...input.podsOf(node).own.map((pod) => new PodOwner(pod)),
  ];
};

const ownersOf = (input: BookInput): LateOwner[] => {
  const { cluster, others } = input;
  const machine = (host: string, ip: Ip): LateOwner =>
    known({
      ip,
      netns: `${host}/host`,
      host,
      name: host,
      invented: true,
      origin: forMachine(host)('node-address'),
    });
  return [
    ...cluster.nodes.flatMap((node) => ownersOfNode(input, node)),
    machine(others.gw, cluster.underlay.gateway),
    machine(others.gw, outsideOf(cluster).gateway),
    machine(others.external, cluster.external.ip),
  ];
};

/** ClusterIPs, addresses of load balancers and external IPs; the first Service keeps the name. */
const serviceNames = ({ services }: Cluster): ReadonlyMap<Ip, string> => {
  const names = new Map<Ip, string>();
  for (const { namespace, name, clusterIPs, ingress, externalIPs } of services)
    for (const ip of [
      ...clusterIPs.map((address) => address.ip),
      ...ingress.flatMap((row) => (row.ip === undefined ? [] : [row.ip])),
      ...externalIPs,
    ])
      if (!names.has(ip)) names.set(ip, `${namespace}/svc/${name}`);
  return names;
};

/**
 * The book of a cluster. Owners are gathered when first asked for. Pods on a node's network have no
 * address of their own, and Pods that do not run have none any more.
 */
export const addressBook = (input: BookInput): Book =>
  createBook(rangesOf(input), { [Symbol.iterator]: () => ownersOf(input).values() }, () =>
    serviceNames(input.cluster),
  );
