/** A resolved cluster becomes Linux machines and wires: the one place that joins all of it. */
import type { Cluster, ClusterNode } from '../cluster/cluster.ts';
import type { Host, World } from '../kernel/world.ts';
import { createWorld } from '../kernel/world-build.ts';
import { addressBook, type NodeAddress } from './address-book.ts';
import { checkNetworkConfig } from './cni/network-config.ts';
import { networkPlugin } from './cni/plugin.ts';
import { isRunning, type RunningPod } from './machine.ts';
import { compileNode, gatewayAddress, type NodePods } from './node.ts';
import { compileExternal, compileGw } from './outside.ts';
import { otherHosts, segmentsOf } from './underlay.ts';

const NO_PODS: NodePods = { own: [], host: [] };

const byName = (a: RunningPod, b: RunningPod): number =>
  compare(a.namespace, b.namespace) || compare(a.name, b.name);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Running Pods of a node, in an order that does not depend on the input's. */
const groupPods = ({ pods }: Cluster): ((node: ClusterNode) => NodePods) => {
  const running = new Map<string, RunningPod[]>();
  for (const pod of pods) {
    if (!isRunning(pod)) continue;
    const same = running.get(pod.node);
    if (same) same.push(pod);
    else running.set(pod.node, [pod]);
  }
  const groups = new Map<string, NodePods>();
  return ({ name }) => {
    const known = groups.get(name);
    if (known) return known;
    const sorted = running.get(name)?.sort(byName);
    const group = sorted
      ? {
          own: sorted.filter(({ hostNetwork }) => !hostNetwork),
          host: sorted.filter(({ hostNetwork }) => hostNetwork),
        }
      : NO_PODS;
    groups.set(name, group);
    return group;
  };
};

/**
 * The World of a cluster: every node with its Pods as the network plugin leaves them, the router of
 * their network (`gw`), the world outside (`external`) and the two wires. Hosts are compiled when a
 * packet first needs them; wires and the address book are there at once.
 * @throws {RangeError} when `checkNetworkConfig` has errors, which the caller reports before
 */
export const compileWorld = (cluster: Cluster): World => {
  const problem = checkNetworkConfig(cluster.network, cluster.nodes).find(
    ({ severity }) => severity === 'error',
  );
  if (problem) throw new RangeError(`network.config.${problem.path.join('.')} ${problem.message}`);
  const plugin = networkPlugin(cluster.network);
  const others = otherHosts(cluster);
  const podsOf = groupPods(cluster);
  const nodes = new Map(cluster.nodes.map((node) => [node.name, node]));

  /** The bridge and its address come with the node's first Pod. */
  const addressesOf = (node: ClusterNode): NodeAddress[] => {
    const pods = podsOf(node);
    const gateway = pods.own.length > 0 && plugin.hasGateway && gatewayAddress(node, pods.own);
    return [
      ...plugin.tunnels(node).map((one) => ({ ...one, why: 'tunnel-address' as const })),
      ...(gateway ? [{ ip: gateway, ifname: plugin.bridge, why: 'bridge-gateway' as const }] : []),
    ];
  };

  const compile = (name: string): Host => {
    const node = nodes.get(name);
    if (node) return compileNode(cluster, node, podsOf(node), plugin);
    if (name === others.gw) return compileGw(cluster, name, plugin.cloudRoutes);
    return compileExternal(cluster, name);
  };

  return createWorld({
    name: cluster.name,
    hostNames: [...nodes.keys(), others.gw, others.external],
    compile,
    segments: segmentsOf(cluster, others, (node) => [
      node.ip,
      ...addressesOf(node).map(({ ip }) => ip),
    ]),
    book: addressBook({ cluster, others, podsOf, addressesOf }),
  });
};
