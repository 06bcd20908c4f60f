/** What policies say about a packet, in English. */
import type { PolicyFacts, PolicyLack, PolicyRow } from '../../../trace/policies.ts';
import { list } from './phrases.ts';

type Named = Pick<PolicyRow, 'kind' | 'name'>;

const PLURAL: Readonly<Record<string, string>> = {
  NetworkPolicy: 'NetworkPolicies',
  AdminNetworkPolicy: 'AdminNetworkPolicies',
  BaselineAdminNetworkPolicy: 'BaselineAdminNetworkPolicies',
  ClusterNetworkPolicy: 'ClusterNetworkPolicies',
};

/** `NetworkPolicy a`, `NetworkPolicies a and b`, `AdminNetworkPolicy a and NetworkPolicy b`. */
export const policyNames = (policies: readonly Named[]): string => {
  const kinds = [...new Set(policies.map(({ kind }) => kind))];
  return list(
    kinds.map((kind) => {
      const names = policies.flatMap((one) => (one.kind === kind ? [one.name] : []));
      return `${names.length > 1 ? (PLURAL[kind] ?? kind) : kind} ${list(names)}`;
    }),
  );
};

/** `shop.yaml:14`: a column says nothing more where a line has one item. */
export const linePlace = (at: PolicyRow['at']): string | undefined =>
  at && [at.file, at.line].filter((part) => part !== undefined).join(':');

/** `ingress of shop/web`. */
export const sideText = ({ direction, pod }: PolicyFacts): string => `${direction} of ${pod}`;

/** Who is at the other end: `shop/web`, `node-1`, `203.0.113.10`. */
export const peerText = ({ peer }: PolicyFacts): string => peer.name ?? peer.ip;

/** `TCP 7070`; an echo has no port. */
export const trafficText = ({ protocol, port }: PolicyFacts): string =>
  port === undefined ? protocol.toUpperCase() : `${protocol.toUpperCase()} ${port}`;

/** `rule 2`, with the name that rules of the tiers may have. */
export const ruleText = ({ index, name }: NonNullable<PolicyRow['rule']>): string =>
  name === undefined ? `rule ${index + 1}` : `rule ${index + 1} "${name}"`;

/** Whom and what a rule has: `Pods app=web on TCP 80 or TCP 443`. */
const ruleScope = ({ peers, ports }: NonNullable<PolicyRow['rule']>): string =>
  `${peers.length === 0 ? 'everybody' : either(peers)} on ${ports.length === 0 ? 'every port' : either(ports)}`;

/** More than these are counted. */
const MOST = 6;

const either = (all: readonly string[]): string => {
  const items =
    all.length > MOST ? [...all.slice(0, MOST - 1), `${all.length - MOST + 1} more`] : all;
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
};

const lackText = ({ what, found }: PolicyLack, facts: PolicyFacts): string => {
  const peer = peerText(facts);
  switch (what) {
    case 'pod-label':
      return found === '' ? `${peer} has no such label` : `${peer} has ${found}`;
    case 'namespace-label':
      return found === '' ? `the namespace of ${peer} has no such label` : `it has ${found}`;
    case 'namespace':
      return `${peer} is in namespace ${found}`;
    case 'address':
      return `the address is ${found}`;
    case 'kind':
      return `${peer} is ${found}`;
    case 'protocol':
    case 'port':
      return `the packet is for ${found}`;
    default:
      return what satisfies never;
  }
};

const from = ({ direction }: PolicyFacts): string => (direction === 'ingress' ? 'from' : 'to');

/** Why no rule of a policy matches, by the nearest of them. */
const missText = ({ rules, rule }: PolicyRow, facts: PolicyFacts): string => {
  if (!rule || rules === 0) return `it has no rule for ${facts.direction}`;
  const [lacks = [], which] = [rule.lacks, ruleText(rule)];
  const nearest = rules > 1 ? `the nearest of its ${rules} rules, ${which},` : `its ${which}`;
  const why = [...new Set(lacks.map((lack) => lackText(lack, facts)))];
  const found = why.length === 0 ? '' : `; ${list(why)}`;
  if (rule.port) {
    const traffic = rule.ports.length === 0 ? 'every port' : trafficText(facts);
    return `${nearest} covers ${traffic}, but only ${from(facts)} ${either(rule.peers)}${found}`;
  }
  if (rule.peer) {
    const peer = rule.peers.length === 0 ? 'everybody' : peerText(facts);
    return `${nearest} covers ${peer}, but only on ${either(rule.ports)}${found}`;
  }
  return `${nearest} is about ${ruleScope(rule)}${found}`;
};

const said = (row: PolicyRow, facts: PolicyFacts): string => {
  const { outcome, rule } = row;
  const which = rule ? `its ${ruleText(rule)}` : 'it';
  const scope = rule ? `, ${from(facts)} ${ruleScope(rule)}` : '';
  switch (outcome) {
    case 'silent':
      return missText(row, facts);
    case 'accepts':
      return `${which} admits${scope}`;
    case 'denies':
      return `${which} denies${scope}`;
    case 'passes':
      return `${which} passes it on${scope}`;
    case 'unknown':
      return `${which} cannot be decided offline${scope}`;
    case 'not-asked':
      return 'not asked: what comes before it has decided';
    default:
      return outcome satisfies never;
  }
};

/** A line for a policy: what it is, what it says or lacks, where that stands. */
export const policyLine = (row: PolicyRow, facts: PolicyFacts): string => {
  const place = linePlace(row.rule?.at ?? row.at);
  const priority = row.priority === undefined ? '' : ` (priority ${row.priority})`;
  return `${row.kind} ${row.name}${priority}: ${said(row, facts)}${place === undefined ? '' : ` (${place})`}`;
};

const DECIDES = { allow: 'accepts', deny: 'denies', unknown: 'unknown' } as const;

/** The policy whose rule decided. */
export const decidingRow = ({ policies, decision }: PolicyFacts): PolicyRow | undefined =>
  policies.find(({ outcome }) => outcome === DECIDES[decision]);

/** Those that isolate the Pod together: of the middle tier, with no rule that admits. */
export const isolating = ({ policies }: PolicyFacts): readonly PolicyRow[] =>
  policies.filter(({ tier }) => tier === 'network-policy');

/** Whose work the decision is, as the end of a sentence: `by NetworkPolicy web rule 2`. */
export const byWhom = (facts: PolicyFacts): string => {
  const { by, pod, direction } = facts;
  switch (by) {
    case 'self':
      return 'a Pod may always reach itself';
    case 'own-node':
      return 'a node may always reach its own Pods';
    case 'host-network':
      return "a Pod on its node's network is not isolated";
    case 'not-isolated':
      return `no rule has it, and no NetworkPolicy isolates ${pod} for ${direction}`;
    case 'rule': {
      const row = decidingRow(facts);
      return row?.rule ? `${row.kind} ${row.name} ${ruleText(row.rule)}` : 'a rule';
    }
    case 'default-deny': {
      const names = policyNames(isolating(facts));
      const several = isolating(facts).length > 1;
      return `${names} ${several ? 'isolate it together' : 'isolates it'} and no rule${several ? ' of them' : ''} admits ${peerText(facts)} on ${trafficText(facts)}`;
    }
    default:
      return by satisfies never;
  }
};

const WOULD = {
  allow: 'it would pass',
  deny: 'it would be dropped',
  unknown: 'it might be dropped',
} as const;

/** What would come of it, were they enforced: `it would be dropped`. */
export const wouldText = ({ decision }: PolicyFacts): string => WOULD[decision];
