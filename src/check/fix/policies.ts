/** What mends a policy that does not admit, or denies: one more that lets just this through. */
import type { Cluster, Pod } from '../../cluster/cluster.ts';
import type { Policy, PolicyPeer, PolicyRule } from '../../cluster/policy/policy.ts';
import { equalities, type Labels, type Selector } from '../../cluster/selector.ts';
import type { PolicyFacts, PolicyRow } from '../../trace/policies.ts';
import type { Advice, Check, Fix } from '../../trace/remedy.ts';
import { policyDocument } from '../policy-documents.ts';
import { type Ailment, adviceOf, advise, checkAnywhere } from './ailment.ts';

/** Labels that controllers give to each Pod, or to each version of them. */
const GENERATED =
  /^(?:pod-template-hash|pod-template-generation|controller-revision-hash|controller-uid|job-name|statefulset\.kubernetes\.io\/.*|batch\.kubernetes\.io\/.*|apps\.kubernetes\.io\/.*)$/;

/** Those that people call an application by, best first. */
const NAMES = ['app.kubernetes.io/name', 'app', 'k8s-app', 'name', 'run'];

/** Labels that tell a Pod from others; none: it has none of its own. */
const labelsOf = ({ labels }: Pod): Labels => {
  const own = Object.entries(labels).filter(([key]) => !GENERATED.test(key));
  const name = NAMES.find((key) => labels[key] !== undefined);
  return Object.fromEntries(name === undefined ? own : own.filter(([key]) => key === name));
};

const namespaceNamed = (name: string): Selector =>
  equalities({ 'kubernetes.io/metadata.name': name });

/** What a Pod belongs to: `loadgenerator`. */
const callName = ({ owners, name }: Pod): string => owners.at(-1)?.name ?? name;

const LONGEST = 63;

/** A name that an API server takes. */
const nameFrom = (...parts: readonly string[]): string =>
  parts
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, LONGEST)
    .replaceAll(/^-+|-+$/g, '');

const freeName = ({ policies }: Cluster, wanted: string, namespace?: string): string => {
  const taken = new Set(
    policies.filter((policy) => policy.namespace === namespace).map(({ name }) => name),
  );
  for (let at = 1; ; at++) {
    const name = at === 1 ? wanted : `${wanted.slice(0, LONGEST - 4)}-${at}`;
    if (!taken.has(name)) return name;
  }
};

const podNamed = ({ pods }: Cluster, text: string | undefined): Pod | undefined => {
  const [namespace, name] = text?.split('/') ?? [];
  return pods.find((pod) => pod.namespace === namespace && pod.name === name);
};

/** Both ends of the packet, and the policies of one. */
interface Denied {
  readonly facts: PolicyFacts;
  readonly cluster: Cluster;
  readonly subject: Pod;
  readonly peer: Pod | undefined;
  /** What a policy that lets it through is called. */
  readonly name: string;
}

const deniedOf = ({ policy: facts, scenario: { cluster } }: Ailment): Denied | undefined => {
  const subject = facts && podNamed(cluster, facts.pod);
  if (!facts || !subject) return undefined;
  const peer = facts.peer.kind === 'pod' ? podNamed(cluster, facts.peer.name) : undefined;
  const [here, there] = [callName(subject), peer ? callName(peer) : facts.peer.ip];
  const ends = facts.direction === 'ingress' ? [there, here] : [here, there];
  const name = nameFrom('allow', ends[0] ?? '', 'to', ends[1] ?? '');
  return { facts, cluster, subject, peer, name };
};

const placeText = (at: PolicyRow['at']): string | undefined =>
  at && [at.file, at.line].filter((part) => part !== undefined).join(':');

const PORTS = ['tcp', 'udp', 'sctp'] as const;

/** A rule that admits the peer on the packet's port, and nobody else; an echo has no port. */
const ruleFor = ({ facts }: Denied, peer: PolicyPeer, name?: string): PolicyRule => {
  const protocol = PORTS.find((one) => one === facts.protocol);
  const { port } = facts;
  return {
    ...(name !== undefined && { name }),
    action: 'accept',
    peers: [peer],
    ports: protocol === undefined || port === undefined ? 'all' : [{ protocol, port }],
  };
};

const blockOf = ({ peer: { ip } }: PolicyFacts): PolicyPeer => ({
  kind: 'block',
  cidr: `${ip}/32`,
  except: [],
});

const policyOfRow = (
  { kind, namespace, name }: PolicyRow,
  { policies }: Cluster,
): Policy | undefined =>
  policies.find((one) => one.kind === kind && one.namespace === namespace && one.name === name);

/**
 * Whom one more policy selects: of the Pods that a policy isolates already, those that are called as
 * this one. It must not isolate anybody else.
 */
const isolatedLike = (pod: Pod, isolated: Selector): Selector => [
  ...isolated,
  ...equalities(labelsOf(pod)).filter(
    ({ key }) => !isolated.some((one) => one.key === key && one.operator === 'In'),
  ),
];

/**
 * Of those that isolate together, the one whose rule comes closest. None where each is about all
 * Pods of its namespace: a rule there would admit to all of them.
 */
const nearestRow = (rows: readonly PolicyRow[], cluster: Cluster): PolicyRow | undefined => {
  const narrow = rows.filter((row) => (policyOfRow(row, cluster)?.subject.pods ?? []).length > 0);
  return (
    narrow.find(({ rule }) => rule?.peer || rule?.port) ??
    narrow.find(({ rule }) => rule) ??
    narrow[0]
  );
};

/** One more NetworkPolicy: they only add up, so that nothing of the others needs a change. */
export const defaultDenyFix = (ailment: Ailment): Fix => {
  const denied = deniedOf(ailment);
  if (!denied) return advise('admit-peer');
  const { facts, cluster, subject, peer } = denied;
  const { namespace } = subject;
  const rows = facts.policies.filter(({ tier }) => tier === 'network-policy');
  const near = nearestRow(rows, cluster);
  const isolating = near ?? rows[0];
  const isolated = (isolating && policyOfRow(isolating, cluster)?.subject.pods) ?? [];
  const name = freeName(cluster, denied.name, namespace);
  const who: PolicyPeer = peer
    ? {
        kind: 'pods',
        namespaces: peer.namespace === namespace ? 'own' : namespaceNamed(peer.namespace),
        pods: equalities(labelsOf(peer)),
      }
    : blockOf(facts);
  const document = policyDocument({
    kind: 'NetworkPolicy',
    tier: 'network-policy',
    namespace,
    name,
    subject: { namespaces: 'own', pods: isolatedLike(subject, isolated) },
    [facts.direction]: [ruleFor(denied, who)],
  });
  return {
    kind: 'patch',
    object: { kind: 'NetworkPolicy', namespace, name, create: true },
    // Whoever applies it may be at work in another namespace.
    patch: { ...document, metadata: { name, namespace } },
    advice: adviceOf('admit-peer', {
      name,
      near: near?.name,
      place: placeText(near?.rule?.at ?? near?.at),
    }),
  };
};

/** @param by what allows it: a policy of its own, or a rule in the one that denies */
const denyAdvice = (row: PolicyRow | undefined, by?: 'policy' | 'rule'): Advice =>
  adviceOf('allow-before', {
    by,
    kind: row?.kind,
    name: row?.name,
    rule: row?.rule && row.rule.index + 1,
    place: placeText(row?.rule?.at ?? row?.at),
  });

/** The last place before a policy that no other one of its tier has. */
const freePriority = (
  { policies }: Cluster,
  { tier, priority = 0 }: Policy,
): number | undefined => {
  const taken = new Set(policies.filter((one) => one.tier === tier).map((one) => one.priority));
  for (let free = priority - 1; free >= 0; free--) if (!taken.has(free)) return free;
  return undefined;
};

/** Only egress rules of the tiers are about anything but Pods. */
const tierPeer = ({ peer, facts }: Denied): PolicyPeer | undefined => {
  if (!peer) return facts.direction === 'egress' ? blockOf(facts) : undefined;
  const pods = equalities(labelsOf(peer));
  return { kind: 'pods', namespaces: namespaceNamed(peer.namespace), pods };
};

/**
 * A policy of the same kind that is asked just before the one that denies. Where there is no room
 * before it, or there is only one of its kind: a rule of its own, before the one that denies.
 */
export const explicitDenyFix = (ailment: Ailment): Fix => {
  const denied = deniedOf(ailment);
  const row = denied?.facts.policies.find(({ outcome }) => outcome === 'denies');
  const policy = denied && row && policyOfRow(row, denied.cluster);
  const who = denied && tierPeer(denied);
  if (!policy || !row?.rule || !who) return { kind: 'advice', advice: denyAdvice(row) };
  const { facts, cluster, subject } = denied;
  const { kind, tier } = policy;
  const { direction } = facts;
  const isOnly = kind === 'BaselineAdminNetworkPolicy';
  const priority = isOnly ? undefined : freePriority(cluster, policy);
  const name = priority === undefined ? policy.name : freeName(cluster, denied.name);
  const rule = ruleFor(denied, who, denied.name);
  const { index } = row.rule;
  const rules = policy[direction] ?? [];
  const document = policyDocument(
    priority === undefined
      ? {
          ...{ kind, tier, name, subject: policy.subject },
          ...(policy.priority !== undefined && { priority: policy.priority }),
          [direction]: [...rules.slice(0, index), rule, ...rules.slice(index)],
        }
      : {
          ...{ kind, tier, name, priority },
          subject: {
            namespaces: namespaceNamed(subject.namespace),
            pods: equalities(labelsOf(subject)),
          },
          [direction]: [rule],
        },
  );
  const object = { kind, name, ...(priority !== undefined && { create: true as const }) };
  const advice = denyAdvice(row, priority === undefined ? 'rule' : 'policy');
  return { kind: 'patch', object, patch: document, advice };
};

const RESOURCES: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicy',
  AdminNetworkPolicy: 'adminnetworkpolicy',
  BaselineAdminNetworkPolicy: 'baselineadminnetworkpolicy',
  ClusterNetworkPolicy: 'clusternetworkpolicy',
};

/** Those that decided, as the API server has them. */
export const policyCheck = ({ policy: facts }: Ailment): Check => {
  if (!facts) return checkAnywhere('kubectl get networkpolicies -A');
  const decided = facts.policies.filter(({ outcome, tier }) =>
    facts.by === 'default-deny'
      ? tier === 'network-policy'
      : outcome === 'denies' || outcome === 'unknown',
  );
  const kinds = [...new Set(decided.map(({ kind }) => kind))];
  return {
    commands: kinds.map((kind) => {
      const some = decided.filter((row) => row.kind === kind);
      const namespace = some[0]?.namespace;
      const names = some.map(({ name }) => name).join(' ');
      const where = namespace === undefined ? '' : `-n ${namespace} `;
      return `kubectl ${where}describe ${RESOURCES[kind] ?? kind.toLowerCase()} ${names}`;
    }),
  };
};

/** Names that stand for addresses nobody offline knows. */
export const undecidedFix = ({ policy: facts }: Ailment): Fix => {
  const row = facts?.policies.find(({ outcome }) => outcome === 'unknown');
  return advise('state-networks', {
    kind: row?.kind,
    name: row?.name,
    rule: row?.rule && row.rule.index + 1,
    ip: facts?.peer.ip,
  });
};
