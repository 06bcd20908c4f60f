/**
 * What policies mean, as their reference pages say it, in the plainest way there is: one Pod, one
 * address and one port at a time. It shares no code with the engine.
 */
import { BlockList } from 'node:net';
import type { Pod } from '../../src/cluster/cluster.ts';
import type {
  Policy,
  PolicyPeer,
  PolicyPort,
  PolicyRule,
} from '../../src/cluster/policy/policy.ts';
import type { Requirement } from '../../src/cluster/selector.ts';
import type { PolicyCluster } from '../../src/policy/party.ts';
import type { EngineOptions } from '../../src/policy/policy-engine.ts';

/** One end with one address. */
export type End = { readonly pod: Pod; readonly ip?: string | undefined } | { readonly ip: string };

export interface Connection {
  readonly from: End;
  readonly to: End;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'icmp';
  readonly port?: number;
}

type Answer = 'allow' | 'deny' | 'unknown';

const family = (ip: string): 'ipv4' | 'ipv6' => (ip.includes(':') ? 'ipv6' : 'ipv4');

const inCidr = (ip: string, cidr: string): boolean => {
  const [network = '', prefix] = cidr.split('/');
  if (family(network) !== family(ip)) return false;
  if (prefix === '0') return true;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family(network));
  return list.check(ip, family(ip));
};

type Labels = Readonly<Record<string, string>>;

const requirementHolds = ({ key, operator, values }: Requirement, labels: Labels): boolean => {
  const has = Object.keys(labels).includes(key);
  const isListed = has && values.some((value) => value === labels[key]);
  if (operator === 'Exists') return has;
  if (operator === 'DoesNotExist') return !has;
  if (operator === 'In') return isListed;
  if (operator === 'NotIn') return !isListed;
  throw new Error(`no operator of labels: ${operator}`);
};

const selects = (selector: readonly Requirement[], labels: Labels): boolean => {
  for (const requirement of selector) if (!requirementHolds(requirement, labels)) return false;
  return true;
};

/** Two independent answers for what nobody knows are tried: all rules of `yes` match, no other. */
interface World {
  readonly cluster: PolicyCluster;
  readonly options: EngineOptions;
  readonly yes: ReadonlySet<PolicyRule>;
}

const isNodeTraffic = (pod: Pod, { options }: World): boolean =>
  pod.hostNetwork && options.hostNetwork !== 'pods';

const inNamespaces = (
  wanted: readonly Requirement[] | 'own',
  policy: Policy,
  pod: Pod,
  { cluster }: World,
): boolean => {
  if (wanted === 'own') return pod.namespace === policy.namespace;
  const labels = cluster.namespaceLabels.get(pod.namespace) ?? {
    'kubernetes.io/metadata.name': pod.namespace,
  };
  return selects(wanted, labels);
};

const peerIs = (
  peer: PolicyPeer,
  policy: Policy,
  other: End,
  world: World,
): boolean | 'unknown' => {
  const pod = 'pod' in other ? other.pod : undefined;
  const isPod = pod !== undefined && !isNodeTraffic(pod, world);
  if (peer.kind === 'pods')
    return (
      isPod && inNamespaces(peer.namespaces, policy, pod, world) && selects(peer.pods, pod.labels)
    );
  if (peer.kind === 'block')
    return (
      other.ip !== undefined &&
      inCidr(other.ip, peer.cidr) &&
      !peer.except.some((cidr) => inCidr(other.ip as string, cidr))
    );
  if (peer.kind === 'nodes') {
    const node =
      pod && !isPod ? world.cluster.nodes.find(({ name }) => name === pod.node) : undefined;
    return node !== undefined && selects(peer.nodes, node.labels);
  }
  // Names of the cluster's own zone may be those of Pods; all others are outside.
  return !isPod || peer.names.some((name) => name.endsWith('cluster.local')) ? 'unknown' : false;
};

const portIs = (item: PolicyPort, { protocol, port, to }: Connection, world: World): boolean => {
  if (protocol === 'icmp' || port === undefined) return false;
  if (item.protocol !== 'any' && item.protocol !== protocol) return false;
  if (item.port === undefined) return true;
  if (typeof item.port === 'number')
    return item.endPort === undefined
      ? port === item.port
      : port >= item.port && port <= item.endPort;
  if (!('pod' in to) || isNodeTraffic(to.pod, world)) return false;
  for (const container of to.pod.containers)
    for (const declared of container.ports)
      if (declared.name === item.port && declared.protocol === protocol && declared.port === port)
        return true;
  return false;
};

const ruleMatches = (
  rule: PolicyRule,
  policy: Policy,
  other: End,
  connection: Connection,
  world: World,
): boolean => {
  const ports = rule.ports === 'all' || rule.ports.some((item) => portIs(item, connection, world));
  if (!ports) return false;
  if (rule.peers === 'everyone') return true;
  const answers = rule.peers.map((peer) => peerIs(peer, policy, other, world));
  return answers.includes(true) || (answers.includes('unknown') && world.yes.has(rule));
};

const decide = (
  direction: 'ingress' | 'egress',
  connection: Connection,
  world: World,
): 'allow' | 'deny' => {
  const [own, other] =
    direction === 'ingress' ? [connection.to, connection.from] : [connection.from, connection.to];
  if (!('pod' in own) || isNodeTraffic(own.pod, world)) return 'allow';
  const { pod } = own;
  const about = world.cluster.policies.filter(
    (policy) =>
      policy[direction] !== undefined &&
      inNamespaces(policy.subject.namespaces, policy, pod, world) &&
      selects(policy.subject.pods, pod.labels),
  );
  const tier = (name: Policy['tier']): Policy[] => about.filter((policy) => policy.tier === name);
  const byPriority = (policies: Policy[]): Policy[] =>
    [...policies].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0));

  admin: for (const policy of byPriority(tier('admin')))
    for (const rule of policy[direction] ?? [])
      if (ruleMatches(rule, policy, other, connection, world)) {
        if (rule.action === 'accept') return 'allow';
        if (rule.action === 'deny') return 'deny';
        break admin;
      }

  const isolating = tier('network-policy');
  if (isolating.length > 0) {
    for (const policy of isolating)
      for (const rule of policy[direction] ?? [])
        if (ruleMatches(rule, policy, other, connection, world)) return 'allow';
    return 'deny';
  }

  for (const policy of byPriority(tier('baseline')))
    for (const rule of policy[direction] ?? [])
      if (ruleMatches(rule, policy, other, connection, world))
        return rule.action === 'deny' ? 'deny' : 'allow';
  return 'allow';
};

/** Every way in which the rules that nobody knows may turn out. */
const subsets = (rules: readonly PolicyRule[]): ReadonlySet<PolicyRule>[] =>
  Array.from(
    { length: 2 ** rules.length },
    (_, bits) => new Set(rules.filter((_rule, at) => (bits >> at) & 1)),
  );

/** One direction of a connection; `self` and `own-node` aside. */
export const oracle = (
  cluster: PolicyCluster,
  options: EngineOptions,
  direction: 'ingress' | 'egress',
  connection: Connection,
): Answer => {
  const unsure = cluster.policies.flatMap((policy) =>
    (policy[direction] ?? []).filter(
      ({ peers }) => peers !== 'everyone' && peers.some(({ kind }) => kind === 'domain-names'),
    ),
  );
  const answers = new Set(
    subsets(unsure).map((yes) => decide(direction, connection, { cluster, options, yes })),
  );
  return answers.size > 1 ? 'unknown' : ([...answers][0] ?? 'unknown');
};
