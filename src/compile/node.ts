/** A node of the cluster as a Linux machine: its own namespace, and one for each Pod. */
import type { Cluster, ClusterNode } from '../cluster/cluster.ts';
import { isDaemon, NODE_DAEMONS } from '../cluster/node-daemon.ts';
import {
  addrAdd,
  linkAdd,
  linkSet,
  NetlinkError,
  routeAdd,
  socketAdd,
  sysctlSet,
} from '../kernel/netlink.ts';
import { createNetns } from '../kernel/netns.ts';
import type { Host, Netns } from '../kernel/world.ts';
import { createHost } from '../kernel/world-build.ts';
import { cidrAt, cidrBroadcast, cidrSize, parseCidr } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import type { NetworkPlugin } from './cni/plugin.ts';
import { derivedMac, nodeKey } from './derived-name.ts';
import { proxyMode } from './kube-proxy/kube-proxy.ts';
import { startKubelet } from './kubelet.ts';
import { ANY, bindListeners, nodePolicy } from './listener.ts';
import { type Machine, NIC, type RunningPod } from './machine.ts';
import { forNode } from './object-origin.ts';
import { PluginError } from './plugin-error.ts';
import { createPodNetns, membersOf } from './pod.ts';
import { startPolicyAgent, syncPolicyAgent } from './policy/agent.ts';
import { inheritedSettings, writeSettings } from './sysctl-setting.ts';
import { UNDERLAY } from './underlay.ts';

/** Running Pods of one node: with a namespace of their own, and on the node's. */
export interface NodePods {
  readonly own: readonly RunningPod[];
  readonly host: readonly RunningPod[];
}

/** br_netfilter, as kubeadm's requirements and flannel's start-up check want it. */
const MODULES = ['br_netfilter'] as const;

/**
 * host-local's gateway: the first address of the node's range. Where a Pod of the input has that
 * one, the next that nobody has; undefined where the range has no room for one.
 */
export const gatewayAddress = (
  { podCIDR, lentIps = [] }: ClusterNode,
  pods: readonly RunningPod[],
): Ip | undefined => {
  const taken = new Set([...pods.map(({ ip }) => ip), ...lentIps]);
  const last = cidrSize(podCIDR) - 2;
  for (let at = 1; at <= last; at++) {
    const ip = cidrAt(podCIDR, at);
    if (!taken.has(ip)) return ip;
  }
  return undefined;
};

const bootUp = (netns: Netns, cluster: Cluster, node: ClusterNode): void => {
  const { underlay } = cluster;
  const author = forNode('scenario', node);
  linkSet(netns, 'lo', { up: true });
  linkAdd(
    netns,
    {
      kind: 'physical',
      ifname: NIC,
      mac: derivedMac(nodeKey(node.name), NIC),
      mtu: underlay.mtu,
      segment: UNDERLAY,
    },
    author('node-nic'),
  );
  const { prefix } = parseCidr(underlay.cidr);
  addrAdd(
    netns,
    NIC,
    { ip: node.ip, prefix, ...(prefix < 31 && { broadcast: cidrBroadcast(underlay.cidr) }) },
    author('node-address'),
  );
  linkSet(netns, NIC, { up: true });
  routeAdd(
    netns,
    { dst: '0.0.0.0/0', via: underlay.gateway, dev: NIC, protocol: 'static' },
    author('node-default-route'),
  );
};

/** What kubeadm asks of a machine before it joins, then what the scenario says. */
const prepare = (netns: Netns, node: ClusterNode): void => {
  const author = forNode('kubelet', node);
  sysctlSet(netns, 'net.ipv4.ip_forward', '1', author('node-sysctl'));
  sysctlSet(netns, 'net.bridge.bridge-nf-call-iptables', '1', author('node-sysctl'));
  writeSettings(netns, node);
};

const listen = (netns: Netns, node: ClusterNode, pods: NodePods): void => {
  for (const { name, port } of NODE_DAEMONS) {
    const itself = pods.host.some(
      (pod) =>
        isDaemon(pod, name) &&
        pod.listeners.rows.some((row) => row.port === port && row.protocol === 'tcp'),
    );
    if (itself) continue;
    socketAdd(netns, {
      protocol: 'tcp',
      ip: ANY,
      port,
      process: name,
      origin: forNode(name, node)('node-listener'),
    });
  }
  for (const pod of pods.host) bindListeners(netns, pod);
};

/** @throws {PluginError} for what the kernel refuses the plugin */
const add = (plugin: NetworkPlugin, machine: Machine, pod: RunningPod, own: Netns): void => {
  try {
    plugin.add(machine, pod, own);
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    throw new PluginError(
      `the network plugin cannot add Pod ${pod.namespace}/${pod.name} on ${pod.node}: ${error.message}`,
      { cause: error },
    );
  }
};

/**
 * Compiles a node: boot (lo, eth0, default route), kubeadm's sysctls and the scenario's, listeners,
 * kubelet, kube-proxy, the plugin's daemon, the agent of policies, then the Pods one by one as
 * kubelet adds them, and what kube-proxy and that agent make of the node as it is then. The scenario's sysctls are
 * written once more at the end: they are what the node was found with.
 */
export const compileNode = (
  cluster: Cluster,
  node: ClusterNode,
  pods: NodePods,
  plugin: NetworkPlugin,
): Host => {
  const netns = createNetns({
    host: node.name,
    name: 'host',
    members: pods.host.flatMap(membersOf),
    listeners: nodePolicy(pods.host),
  });
  const machine: Machine = {
    cluster,
    node,
    netns,
    nic: NIC,
    gateway: gatewayAddress(node, pods.own),
    pods: pods.own,
  };
  bootUp(netns, cluster, node);
  prepare(netns, node);
  listen(netns, node, pods);
  const proxy = proxyMode(cluster.kubeProxy);
  startKubelet(machine);
  proxy.start(machine);
  const inherited = inheritedSettings(netns);
  plugin.start(machine);
  startPolicyAgent(machine);
  const podNetns = pods.own.map((pod) => {
    const own = createPodNetns(pod, inherited);
    add(plugin, machine, pod, own);
    return own;
  });
  proxy.sync(machine);
  syncPolicyAgent(machine);
  writeSettings(netns, node);
  return createHost(node.name, [netns, ...podNetns], MODULES);
};
