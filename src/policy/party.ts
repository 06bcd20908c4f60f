/** Who the two ends of a connection are to policies. */
import type { Cluster, ClusterNode, Pod } from '../cluster/cluster.ts';
import type { Labels } from '../cluster/selector.ts';
import type { EngineOptions } from './policy-engine.ts';
import type { Party } from './verdict.ts';

/** What the engine looks at. */
export type PolicyCluster = Pick<Cluster, 'pods' | 'nodes' | 'namespaceLabels' | 'policies'>;

/** An end as rules are held against it. */
export type Peer =
  | { readonly kind: 'pod'; readonly pod: Pod; readonly ip: string | undefined }
  /** Without a node: a Pod of a node's network that has no node yet. */
  | {
      readonly kind: 'node';
      readonly node: ClusterNode | undefined;
      readonly ip: string | undefined;
    }
  | { readonly kind: 'address'; readonly ip: string };

export interface Parties {
  readonly namespaceLabels: (namespace: string) => Labels;
  readonly nodeOf: (name: string | undefined) => ClusterNode | undefined;
  /** A Pod on a node's network, where such Pods are no Pods to policies. */
  readonly isNodeTraffic: (pod: Pod) => boolean;
  readonly hasNetwork: (pod: Pod) => boolean;
  /** Primary first; none: the Pod has no address yet. */
  readonly addressesOf: (pod: Pod) => readonly string[];
  /** @param peerIp what the packet carries, where it is another address */
  readonly peerOf: (party: Party, peerIp: string | undefined) => Peer;
}

const nodeIp = (node: ClusterNode | undefined): string | undefined => node?.onlyIpv6 ?? node?.ip;

/**
 * The Node that a rule about nodes may mean: an agent knows nodes by the address that their object
 * shows, not by those of their bridges and tunnels.
 */
export const nodeMeant = (peer: Peer): ClusterNode | undefined =>
  peer.kind === 'node' && (peer.ip === undefined || peer.ip === nodeIp(peer.node))
    ? peer.node
    : undefined;

export const createParties = (
  { pods, nodes, namespaceLabels }: PolicyCluster,
  options: EngineOptions,
): Parties => {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const bare = new Map<string, Labels>();
  const labelsOf = (namespace: string): Labels => {
    const known = namespaceLabels.get(namespace) ?? bare.get(namespace);
    if (known) return known;
    const labels = { 'kubernetes.io/metadata.name': namespace };
    bare.set(namespace, labels);
    return labels;
  };
  const nodeOf: Parties['nodeOf'] = (name) => (name === undefined ? undefined : byName.get(name));
  const isNodeTraffic = (pod: Pod): boolean => pod.hostNetwork && options.hostNetwork !== 'pods';
  const addressesOf = (pod: Pod): readonly string[] => {
    const first =
      pod.onlyIpv6 ?? pod.ip ?? (pod.hostNetwork ? nodeIp(nodeOf(pod.node)) : undefined);
    if (first === undefined) return [];
    return pod.ipv6 === undefined || pod.ipv6 === first ? [first] : [first, pod.ipv6];
  };
  return {
    namespaceLabels: labelsOf,
    nodeOf,
    isNodeTraffic,
    hasNetwork: ({ phase }) =>
      options.finished === 'pods' || (phase !== 'Succeeded' && phase !== 'Failed'),
    addressesOf,
    peerOf: (party, peerIp) => {
      switch (party.kind) {
        case 'pod': {
          const pod = pods[party.pod];
          if (!pod) throw new RangeError(`the cluster has no Pod ${party.pod}`);
          const ip = peerIp ?? addressesOf(pod)[0];
          return isNodeTraffic(pod)
            ? { kind: 'node', node: nodeOf(pod.node), ip }
            : { kind: 'pod', pod, ip };
        }
        case 'node': {
          const node = nodeOf(party.node);
          return { kind: 'node', node, ip: peerIp ?? nodeIp(node) };
        }
        case 'address':
          return { kind: 'address', ip: peerIp ?? party.ip };
        default:
          throw new TypeError(`not a party: ${JSON.stringify(party satisfies never)}`);
      }
    },
  };
};
