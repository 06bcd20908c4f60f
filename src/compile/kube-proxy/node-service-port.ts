/** What one node makes of a Service port (kubernetes v1.34: pkg/proxy/topology.go, and the flags of syncProxyRules). */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { type ProxyEndpoint, type ServicePortFacts, sortOut } from './service-port.ts';

const ZONE = 'topology.kubernetes.io/zone';

/** A Service port on one node. */
export interface NodeServicePort {
  readonly facts: ServicePortFacts;
  /** Where traffic under the policy Cluster goes, near ones alone where hints say so. */
  readonly clusterEndpoints: readonly ProxyEndpoint[];
  /** Where traffic under a policy Local goes. */
  readonly localEndpoints: readonly ProxyEndpoint[];
  /** All that this node may send to: those of both lists, in the order of their texts. */
  readonly reachable: readonly ProxyEndpoint[];
  /** Some endpoint of some node can be used. */
  readonly hasEndpoints: boolean;
  /** Traffic to the ClusterIP has somewhere to go. */
  readonly hasInternal: boolean;
  /** Traffic from outside to its node port, VIPs and external IPs has somewhere to go. */
  readonly hasExternal: boolean;
  /** Such traffic is looked at at all, if only for what comes from this node. */
  readonly usesExternal: boolean;
  /** Traffic to its VIPs is held against source ranges. */
  readonly usesFirewall: boolean;
}

type Lists = Pick<ServicePortFacts, 'endpoints' | 'ready' | 'ending' | 'hinted'>;

const isLocalTo =
  (node: string) =>
  ({ of }: ProxyEndpoint): boolean =>
    of.nodeName === node;

/** addEndpoints (endpointslicecache.go): of entries with one address the node's own counts. */
const listsFor = (facts: ServicePortFacts, node: string): Lists => {
  const { twins } = facts;
  if (!twins) return facts;
  const local = isLocalTo(node);
  const endpoints = facts.endpoints.map((endpoint) => {
    const same = twins.get(endpoint.text);
    return same?.findLast(local) ?? endpoint;
  });
  return { endpoints, ...sortOut(endpoints) };
};

/** topologyModeFromHints and availableForTopology; PreferSameTrafficDistribution is on (1.34). */
const narrow = (
  { ready, hinted }: Lists,
  { name, labels }: ClusterNode,
): readonly ProxyEndpoint[] => {
  if (!hinted) return ready;
  const zone = labels[ZONE] ?? '';
  const nodes = ready.map(({ of }) => of.hints?.nodes ?? []);
  if (nodes.every((list) => list.length > 0) && nodes.some((list) => list.includes(name)))
    return ready.filter((_, at) => nodes[at]?.includes(name));
  const zones = ready.map(({ of }) => of.hints?.zones ?? []);
  if (zones.every((list) => list.length > 0) && zones.some((list) => list.includes(zone)))
    return ready.filter((_, at) => zones[at]?.includes(zone));
  return ready;
};

const byText = (a: ProxyEndpoint, b: ProxyEndpoint): number =>
  a.text < b.text ? -1 : a.text > b.text ? 1 : 0;

/** Both lists are of the same entries, so that the same text is the same object. */
const union = (
  cluster: readonly ProxyEndpoint[],
  local: readonly ProxyEndpoint[],
): readonly ProxyEndpoint[] => {
  const there = new Set(cluster);
  const more = local.filter((endpoint) => !there.has(endpoint));
  return more.length === 0 ? cluster : [...cluster, ...more].sort(byText);
};

const NONE: readonly ProxyEndpoint[] = [];

/** CategorizeEndpoints, and what the rules of every mode ask of its answer. */
export const onNode = (facts: ServicePortFacts, node: ClusterNode): NodeServicePort => {
  const { usesCluster, usesLocal } = facts;
  const lists = listsFor(facts, node.name);
  const { ready, ending } = lists;
  const near = usesCluster ? narrow(lists, node) : NONE;
  const clusterEndpoints = usesCluster && near.length === 0 ? ending : near;
  const isLocal = isLocalTo(node.name);
  const localReady = usesLocal ? ready.filter(isLocal) : NONE;
  const localEndpoints = usesLocal && localReady.length === 0 ? ending.filter(isLocal) : localReady;
  const hasEndpoints =
    clusterEndpoints.length > 0 || (usesLocal && ready.length + ending.length > 0);
  const { externalLocal, internalLocal } = facts;
  return {
    facts,
    clusterEndpoints,
    localEndpoints,
    reachable: union(clusterEndpoints, localEndpoints),
    hasEndpoints,
    hasInternal: hasEndpoints && !(internalLocal && localEndpoints.length === 0),
    hasExternal: hasEndpoints && !(externalLocal && localEndpoints.length === 0),
    usesExternal: hasEndpoints && facts.externallyAccessible,
    usesFirewall: hasEndpoints && facts.vips.length > 0 && facts.sourceRanges.length > 0,
  };
};
