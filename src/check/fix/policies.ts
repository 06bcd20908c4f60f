/** What mends a policy that does not admit, or denies: one more policy that lets just this through. */
import type { Cluster, Pod } from '../../cluster/cluster.ts';
import type { PolicyFacts, PolicyRow } from '../../trace/policies.ts';
import type { Advice, Check, Fix } from '../../trace/remedy.ts';
import { type Ailment, adviceOf, advise, checkAnywhere } from './ailment.ts';

type Body = Readonly<Record<string, unknown>>;

/** Labels that controllers give to each Pod, or to each version of them. */
const GENERATED =
  /^(?:pod-template-hash|pod-template-generation|controller-revision-hash|controller-uid|job-name|statefulset\.kubernetes\.io\/.*|batch\.kubernetes\.io\/.*|apps\.kubernetes\.io\/.*)$/;

/** Those that people call an application by, best first. */
const NAMES = ['app.kubernetes.io/name', 'app', 'k8s-app', 'name', 'run'];

/** Labels that tell a Pod from others; none: it has none of its own. */
const labelsOf = ({ labels }: Pod): Readonly<Record<string, string>> => {
  const own = Object.entries(labels).filter(([key]) => !GENERATED.test(key));
  const name = NAMES.find((key) => labels[key] !== undefined);
  return Object.fromEntries(name === undefined ? own : own.filter(([key]) => key === name));
};

const selectorOf = (pod: Pod): Body => {
  const matchLabels = labelsOf(pod);
  return Object.keys(matchLabels).length === 0 ? {} : { matchLabels };
};

const namespaceNamed = (name: string): Body => ({
  matchLabels: { 'kubernetes.io/metadata.name': name },
});

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

const sideKey = ({ direction }: PolicyFacts): 'from' | 'to' =>
  direction === 'ingress' ? 'from' : 'to';

const protocolOf = ({ protocol }: PolicyFacts): string => protocol.toUpperCase();

const placeText = (at: PolicyRow['at']): string | undefined =>
  at && [at.file, at.line].filter((part) => part !== undefined).join(':');

/**
 * Of those that isolate together, the one whose rule comes closest. None where each is about all
 * Pods of its namespace: a rule there would admit to all of them.
 */
const nearestRow = ({ policies }: PolicyFacts, cluster: Cluster): PolicyRow | undefined => {
  const narrow = policies.filter(({ tier, namespace, name }) => {
    const policy = cluster.policies.find((one) => one.namespace === namespace && one.name === name);
    return tier === 'network-policy' && policy !== undefined && policy.subject.pods.length > 0;
  });
  return (
    narrow.find(({ rule }) => rule?.peer || rule?.port) ??
    narrow.find(({ rule }) => rule) ??
    narrow[0]
  );
};

const networkPolicyPeer = ({ peer, subject, facts }: Denied): Body => {
  if (!peer) return { ipBlock: { cidr: `${facts.peer.ip}/32` } };
  const podSelector = selectorOf(peer);
  return peer.namespace === subject.namespace
    ? { podSelector }
    : { namespaceSelector: namespaceNamed(peer.namespace), podSelector };
};

/** One more NetworkPolicy: they only add up, so that nothing of the others needs a change. */
const networkPolicyFix = (denied: Denied): Fix => {
  const { facts, cluster, subject } = denied;
  const { direction, port } = facts;
  const { namespace } = subject;
  const name = freeName(cluster, denied.name, namespace);
  const rule = {
    [sideKey(facts)]: [networkPolicyPeer(denied)],
    ...(port !== undefined && { ports: [{ protocol: protocolOf(facts), port }] }),
  };
  const near = nearestRow(facts, cluster);
  return {
    kind: 'patch',
    object: { kind: 'NetworkPolicy', namespace, name, create: true },
    patch: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name, ...(namespace !== 'default' && { namespace }) },
      spec: {
        podSelector: selectorOf(subject),
        policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'],
        [direction]: [rule],
      },
    },
    advice: adviceOf('admit-peer', {
      name,
      near: near?.name,
      place: placeText(near?.rule?.at ?? near?.at),
    }),
  };
};

export const defaultDenyFix = (ailment: Ailment): Fix => {
  const denied = deniedOf(ailment);
  return denied ? networkPolicyFix(denied) : advise('admit-peer');
};

const denyingRow = ({ policies }: PolicyFacts): PolicyRow | undefined =>
  policies.find(({ outcome }) => outcome === 'denies');

const denyAdvice = (row: PolicyRow | undefined): Advice =>
  adviceOf('allow-before', {
    kind: row?.kind,
    name: row?.name,
    rule: row?.rule && row.rule.index + 1,
    place: placeText(row?.rule?.at ?? row?.at),
  });

/** The last place before a policy that no other one of its tier has. */
const freePriority = (
  { policies }: Cluster,
  { tier, priority = 0 }: PolicyRow,
): number | undefined => {
  const taken = new Set(policies.filter((one) => one.tier === tier).map((one) => one.priority));
  for (let free = priority - 1; free >= 0; free--) if (!taken.has(free)) return free;
  return undefined;
};

const tierPeer = ({ peer, facts }: Denied): Body | undefined => {
  if (peer)
    return {
      pods: { namespaceSelector: namespaceNamed(peer.namespace), podSelector: selectorOf(peer) },
    };
  // Only egress rules of the tiers have anything but Pods.
  return facts.direction === 'egress' ? { networks: [`${facts.peer.ip}/32`] } : undefined;
};

/** How the two kinds that have priorities say the same. */
const DIALECTS = {
  AdminNetworkPolicy: {
    version: 'policy.networking.k8s.io/v1alpha1',
    action: 'Allow',
    ports: (protocol: string, port: number): Body => ({
      ports: [{ portNumber: { protocol, port } }],
    }),
  },
  ClusterNetworkPolicy: {
    version: 'policy.networking.k8s.io/v1alpha2',
    action: 'Accept',
    ports: (protocol: string, port: number): Body => ({
      protocols: [{ [protocol.toLowerCase()]: { destinationPort: { number: port } } }],
    }),
  },
} as const;

const hasDialect = (kind: string): kind is keyof typeof DIALECTS => Object.hasOwn(DIALECTS, kind);

/** A policy of the tier that is asked just before the one that denies. */
export const explicitDenyFix = (ailment: Ailment): Fix => {
  const denied = deniedOf(ailment);
  const row = denied && denyingRow(denied.facts);
  const otherwise: Fix = { kind: 'advice', advice: denyAdvice(row) };
  if (!denied || !row || !hasDialect(row.kind)) return otherwise;
  const { facts, cluster, subject } = denied;
  const { direction, port } = facts;
  const { version, action, ports } = DIALECTS[row.kind];
  const priority = freePriority(cluster, row);
  const peer = tierPeer(denied);
  if (priority === undefined || !peer) return otherwise;
  const name = freeName(cluster, denied.name);
  const rule = {
    name,
    action,
    [sideKey(facts)]: [peer],
    ...(port !== undefined && ports(protocolOf(facts), port)),
  };
  return {
    kind: 'patch',
    object: { kind: row.kind, name, create: true },
    patch: {
      apiVersion: version,
      kind: row.kind,
      metadata: { name },
      spec: {
        ...(row.kind === 'ClusterNetworkPolicy' && {
          tier: row.tier === 'admin' ? 'Admin' : 'Baseline',
        }),
        priority,
        subject: {
          pods: {
            namespaceSelector: namespaceNamed(subject.namespace),
            podSelector: selectorOf(subject),
          },
        },
        [direction]: [rule],
      },
    },
    advice: denyAdvice(row),
  };
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
