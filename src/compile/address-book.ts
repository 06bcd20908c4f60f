/** Who owns which address: ranges, and every address ever given, known without compiling a node. */
import type { Cluster, ClusterNode } from '../cluster/cluster.ts';
import { createBook } from '../kernel/book.ts';
import type { Book, BookOwner, BookRange } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import { podNetnsName, podRanges } from './machine.ts';
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

const ownersOfNode = (input: BookInput, node: ClusterNode): BookOwner[] => {
  const host = node.name;
  const netns = `${host}/host`;
  const plugin = forNode('cni', node);
  return [
    {
      ip: node.ip,
      netns,
      host,
      name: host,
      invented: node.invented.ip,
      origin: forNode('scenario', node)('node-address'),
    },
    ...input.addressesOf(node).map(
      ({ ip, ifname, why }): BookOwner => ({
        ip,
        netns,
        host,
        name: `${ifname} of ${host}`,
        invented: node.invented.podCIDR,
        origin: plugin(why),
      }),
    ),
    ...input.podsOf(node).own.map((pod): BookOwner => {
      const name = podNetnsName(pod);
      return {
        ip: pod.ip,
        netns: `${host}/${name}`,
        host,
        name,
        invented: pod.invented.ip,
        origin: forPod('cni', pod)('pod-address'),
      };
    }),
  ];
};

const ownersOf = (input: BookInput): BookOwner[] => {
  const { cluster, others } = input;
  const machine = (host: string, ip: Ip): BookOwner => ({
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

/**
 * The book of a cluster. Owners are gathered when first asked for. Pods on a node's network have no
 * address of their own, and Pods that do not run have none any more.
 */
export const addressBook = (input: BookInput): Book => {
  const ranges = rangesOf(input);
  let book: Book | undefined;
  const full = (): Book => {
    book ??= createBook(ranges, ownersOf(input));
    return book;
  };
  return { ranges, owners: (ip) => full().owners(ip), rangeOf: (ip) => full().rangeOf(ip) };
};
