/** A node while it is being programmed: what kubelet, flanneld and the plugins all look at. */
import type { Cluster, ClusterNode, Pod } from '../cluster/cluster.ts';
import type { Netns } from '../kernel/world.ts';
import type { Cidr, Ip } from '../wire/packet.ts';

export interface Machine {
  readonly cluster: Cluster;
  readonly node: ClusterNode;
  /** The machine's own namespace. */
  readonly netns: Netns;
  /** ifname of the device on the underlay. */
  readonly nic: string;
  /** The address that the plugin's IPAM gives the node's side; absent: the range has no room. */
  readonly gateway: Ip | undefined;
  /** Running Pods with a namespace of their own, in the order in which they were added. */
  readonly pods: readonly RunningPod[];
}

/** A Pod that has a network namespace and an address in it. */
export type RunningPod = Pod & { readonly node: string; readonly ip: Ip };

/** The first network device of every machine. */
export const NIC = 'eth0';
/** What container runtimes call a Pod's device (CNI_IFNAME). */
export const POD_IFNAME = 'eth0';

/** Every range of a node's Pods, its own first. */
export const podRanges = ({
  podCIDR,
  otherPodCIDRs = [],
}: Pick<ClusterNode, 'podCIDR' | 'otherPodCIDRs'>): readonly Cidr[] => [podCIDR, ...otherPodCIDRs];

export const isRunning = (pod: Pod): pod is RunningPod =>
  pod.phase === 'Running' && pod.node !== undefined && pod.ip !== undefined;

/** The namespace of a Pod on its host. */
export const podNetnsName = ({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): string =>
  `${namespace}/${name}`;
