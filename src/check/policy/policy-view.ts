/** The policies of a cluster, as a trace asks about them. */
import type { Cluster, Place, Pod } from '../../cluster/cluster.ts';
import type { Policy, PolicyRule } from '../../cluster/policy/policy.ts';
import type { Origin } from '../../kernel/origin.ts';
import type { Book, NetnsId } from '../../kernel/world.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import type { Party, PolicyOutcome, RuleMiss, Verdict } from '../../policy/verdict.ts';
import type { OpenedScenario } from '../../scenario/open.ts';
import type {
  PolicyFacts,
  PolicyQuery,
  PolicyRow,
  PolicyRuleRow,
  PolicyView,
} from '../../trace/policies.ts';
import type { Ip } from '../../wire/packet.ts';
import { ruleLacks, type SeenPacket, type SeenPeer } from './rule-lacks.ts';
import { peerText, portText } from './rule-text.ts';

/** The table that an agent of `spec.policyEngine: nftables` writes on every node. */
const TABLE = 'inet k8snet-policy';

/** Who is at an address: to policies, to people, and to the rules that do not have it. */
interface Known {
  readonly party: Party;
  readonly name?: string | undefined;
  readonly seen: SeenPeer;
}

const engines = new WeakMap<Cluster, PolicyEngine>();

/** Of a scenario whose cluster has policies; several questions share one engine. */
export const policiesOf = ({
  cluster,
  world,
  engineOf,
}: Pick<OpenedScenario, 'cluster' | 'world' | 'engineOf'>): PolicyView | undefined => {
  if (!engineOf) return undefined;
  const engine = engines.get(cluster) ?? engineOf(cluster);
  engines.set(cluster, engine);
  return policyView(cluster, world.book, engine);
};

/** @param book who owns an address in the World that is traced */
const policyView = (cluster: Cluster, book: Book, engine: PolicyEngine): PolicyView => {
  const asked = new Map<string, PolicyFacts | undefined>();
  return {
    ...(cluster.policyEngine === 'nftables' && { enforcedBy: TABLE }),
    ask: (query) => {
      const key = JSON.stringify(query);
      if (!asked.has(key)) asked.set(key, judged(cluster, book, engine, query));
      return asked.get(key);
    },
  };
};

/** Of a namespace `node/namespace/pod`; a node's own is no Pod's. */
const podOf = ({ pods }: Cluster, netns: NetnsId): number => {
  const [, namespace, name] = netns.split('/');
  return name === undefined
    ? -1
    : pods.findIndex((pod) => pod.name === name && pod.namespace === namespace);
};

const whoIs = (cluster: Cluster, book: Book, ip: Ip): Known => {
  const [owner] = book.owners(ip);
  const outside: Known = { party: { kind: 'address', ip }, seen: { kind: 'outside', ip } };
  if (!owner) return outside;
  const { netns, host, name } = owner;
  const index = podOf(cluster, netns);
  const pod = cluster.pods[index];
  if (pod) {
    const namespaceLabels = cluster.namespaceLabels.get(pod.namespace);
    return {
      party: { kind: 'pod', pod: index },
      name,
      seen: { kind: 'pod', ip, pod, namespaceLabels },
    };
  }
  const node = cluster.nodes.find((one) => one.name === host);
  if (!node || netns !== `${host}/host`) return { ...outside, name };
  return {
    party: { kind: 'node', node: node.name },
    name: node.name,
    seen: { kind: 'node', ip, nodeLabels: node.labels },
  };
};

/** Whom a Pod's own node is, also by an address of a Service that it has. */
const ownNode = ({ nodes }: Cluster, { node: name }: Pod, ip: Ip): Known | undefined => {
  const node = nodes.find((one) => one.name === name);
  return (
    node && {
      party: { kind: 'node', node: node.name },
      name: node.name,
      seen: { kind: 'node', ip, nodeLabels: node.labels },
    }
  );
};

const judged = (
  cluster: Cluster,
  book: Book,
  engine: PolicyEngine,
  { direction, netns, peer: ip, fromOwnNode, protocol, port }: PolicyQuery,
): PolicyFacts | undefined => {
  const subject = podOf(cluster, netns);
  const pod = cluster.pods[subject];
  if (!pod) return undefined;
  const { party, name, seen } =
    (fromOwnNode && ownNode(cluster, pod, ip)) || whoIs(cluster, book, ip);
  const verdict = engine.judge({ direction, subject, peer: party, peerIp: ip, protocol, port });
  const packet: SeenPacket = { peer: seen, protocol, port };
  return {
    direction,
    pod: `${pod.namespace}/${pod.name}`,
    peer: { ip, ...(name !== undefined && { name }), kind: seen.kind },
    protocol,
    ...(port !== undefined && { port }),
    decision: verdict.decision,
    by: byOf(verdict),
    policies: verdict.outcomes.map((outcome) => rowOf(outcome, verdict, packet)),
  };
};

const byOf = ({ by }: Verdict): PolicyFacts['by'] => (by.kind === 'exempt' ? by.why : by.kind);

const atOf = (place: Place | undefined): { readonly at?: NonNullable<Origin['at']> } => {
  if (!place) return {};
  const { file, line, column } = place;
  return {
    at: { file, ...(line !== undefined && { line }), ...(column !== undefined && { column }) },
  };
};

const rowOf = (outcome: PolicyOutcome, verdict: Verdict, packet: SeenPacket): PolicyRow => {
  const { policy, misses } = outcome;
  const { kind, namespace, name, tier, priority, place } = policy;
  const rules = policy[verdict.direction] ?? [];
  // A rule that nobody can decide comes before the one that would match.
  const { by, decision } = verdict;
  const decides = by.kind === 'rule' && by.policy === policy ? by.rule : undefined;
  const matched = decides ?? outcome.rule;
  const nearest = matched === undefined ? nearestMiss(misses) : undefined;
  const index = matched ?? nearest?.rule;
  const rule = index === undefined ? undefined : rules[index];
  return {
    kind,
    ...(namespace !== undefined && { namespace }),
    name,
    tier,
    ...(priority !== undefined && { priority }),
    outcome: decides !== undefined && decision === 'unknown' ? 'unknown' : outcome.outcome,
    rules: rules.length,
    ...(rule && index !== undefined && { rule: ruleRow(policy, rule, index, nearest, packet) }),
    ...atOf(place),
  };
};

/** What has the peer lacks a port only, which is less than lacking the peer. */
const nearestMiss = (misses: readonly RuleMiss[]): RuleMiss | undefined =>
  misses.find(({ peer }) => peer) ?? misses.find(({ port }) => port) ?? misses[0];

const ruleRow = (
  policy: Policy,
  rule: PolicyRule,
  index: number,
  miss: RuleMiss | undefined,
  packet: SeenPacket,
): PolicyRuleRow => {
  const lacks = miss && ruleLacks(policy, rule, miss, packet);
  return {
    index,
    ...(rule.name !== undefined && { name: rule.name }),
    peer: miss?.peer ?? true,
    port: miss?.port ?? true,
    peers: rule.peers === 'everyone' ? [] : rule.peers.map(peerText),
    ports: rule.ports === 'all' ? [] : rule.ports.map(portText),
    ...(lacks && lacks.length > 0 && { lacks }),
    ...atOf(rule.place),
  };
};
