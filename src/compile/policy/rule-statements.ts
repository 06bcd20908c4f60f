/** A rule of a policy as conditions of nf_tables, with the sets that they look into. */

import type { Pod } from '../../cluster/cluster.ts';
import type { PolicyRule } from '../../cluster/policy/policy.ts';
import { nftAddSet } from '../../kernel/netfilter/nft-edit.ts';
import {
  findNftSet,
  type NftElement,
  type NftExpr,
  type NftSet,
  type NftStatement,
  type NftTable,
} from '../../kernel/netfilter/nft-table.ts';
import type { Origin } from '../../kernel/origin.ts';
import { mayNamePods } from '../../policy/domain-names.ts';
import type { Family } from '../kube-proxy/service-port.ts';
import {
  addressType,
  concat,
  daddr,
  inSet,
  matching,
  notMatching,
  saddr,
  value,
} from '../nft-rule.ts';
import { type RuleRef, ruleOrigin, setName } from './policy-name.ts';
import { addressOf, type NamedPort, namedPorts, type Population } from './population.ts';
import { namedPortsBehind, type PeerGuard, peerGuards } from './rule-peers.ts';
import { type Protocol, portGuards, portNames } from './rule-ports.ts';

/** The table of one node, while it is written. */
export interface PolicyNode {
  readonly table: NftTable;
  readonly population: Population;
  readonly families: readonly Family[];
  /** The node's own Pods that some policy touches. */
  readonly pods: readonly Pod[];
}

/** Conditions that a packet must meet for the rule to be about it. */
export interface Conditions {
  readonly statements: readonly NftStatement[];
  /** Whether they hold cannot be known here. */
  readonly undecided?: true;
}

interface Writing {
  /** Something that comes after the rule may deny: who is in a set of names makes a difference. */
  readonly decides: boolean;
  readonly node: PolicyNode;
  readonly ref: RuleRef;
  readonly rule: PolicyRule;
  readonly origin: Origin;
}

/** What every node has alike, worked out once: whom rules mean, and elements of their sets. */
interface Shared {
  readonly guards: Map<string, readonly PeerGuard[]>;
  readonly elements: Map<string, readonly NftElement[]>;
}

const shared = new WeakMap<Population, Shared>();

const sharedBy = ({ node: { population } }: Writing): Shared => {
  const known = shared.get(population) ?? { guards: new Map(), elements: new Map() };
  shared.set(population, known);
  return known;
};

const ip = (family: Family): string => `ip${family}`;

/** The address of the other end: a rule for ingress is about who sends. */
const peerAddress = ({ ref }: Writing, family: Family): NftExpr =>
  ref.direction === 'ingress' ? saddr(family) : daddr(family);

/** Makes the set, unless another chain of the node had need of it. */
const keepSet = (
  { node: { table } }: Writing,
  set: Omit<NftSet, 'elements' | 'kind'>,
  elements: readonly NftElement[],
): void => {
  if (findNftSet(table, set.name)) return;
  nftAddSet(table, { kind: 'set', ...set }, elements);
};

const addressElements = (
  writing: Writing,
  name: string,
  addresses: readonly string[],
): readonly NftElement[] => {
  const { elements } = sharedBy(writing);
  const known =
    elements.get(name) ??
    addresses.map((address): NftElement => ({ key: [address], origin: writing.origin }));
  elements.set(name, known);
  return known;
};

const fromSet = (
  writing: Writing,
  what: 'pods' | 'nodes',
  addresses: readonly string[],
  family: Family,
): NftStatement => {
  const name = setName(writing.ref, `${what}-${ip(family)}`);
  const elements = addressElements(writing, name, addresses);
  keepSet(writing, { name, key: [addressType(family)], flags: [] }, elements);
  return matching(peerAddress(writing, family), inSet(name));
};

const COMMENT = 128;

/**
 * The agent fills the set when Pods look the names up: who is in it cannot be known here. Where that
 * makes no difference, it is taken as empty. Names outside the cluster are not those of Pods.
 */
const fromNames = (writing: Writing, names: readonly string[], family: Family): NftStatement[] => {
  const { podCIDR } = writing.node.population;
  const name = setName(writing.ref, `names-${ip(family)}`);
  const comment = `addresses of ${names.join(', ')}`.slice(0, COMMENT);
  keepSet(writing, { name, key: [addressType(family)], flags: ['timeout'], comment }, []);
  const outside = family === 4 && !mayNamePods(names);
  const header = family === 4 ? 'ip' : 'ip6';
  return [
    ...(outside ? [notMatching(daddr(family), value(podCIDR))] : []),
    writing.decides
      ? { kind: 'unmodelled', text: `${header} daddr @${name}` }
      : matching(daddr(family), inSet(name)),
  ];
};

/** Undefined: nobody of the family is meant. */
const peerMatch = (
  writing: Writing,
  guard: Exclude<PeerGuard, { kind: 'everyone' }>,
  family: Family,
): readonly NftStatement[] | undefined => {
  switch (guard.kind) {
    case 'pods':
    case 'nodes':
      if (family === 6 && guard.addresses.length === 0) return undefined;
      return [fromSet(writing, guard.kind, guard.addresses, family)];
    case 'block': {
      const [first, ...more] = guard.values;
      if (first === undefined) return undefined;
      return [
        matching(
          peerAddress(writing, family),
          more.length === 0
            ? value(first)
            : { kind: 'set', elements: guard.values.map((one) => ({ key: [one] })) },
        ),
      ];
    }
    case 'names':
      return fromNames(writing, guard.names, family);
    default: {
      const never: never = guard;
      return never;
    }
  }
};

const portElements = (
  { origin }: Writing,
  ports: readonly NamedPort[],
  protocol: Protocol,
  family: Family,
): NftElement[] => {
  const keys = new Map<string, readonly [string, number]>();
  for (const one of ports) {
    const address = addressOf(one.pod, family);
    if (one.protocol !== protocol || address === undefined) continue;
    keys.set(`${address} ${one.port}`, [address, one.port]);
  }
  return [...keys.values()].map((key) => ({ key, origin }));
};

/** `ip daddr . tcp dport`: which number a name has depends on the Pod that is called. */
const toNamedPort = (
  writing: Writing,
  what: string,
  protocol: Protocol,
  family: Family,
  elements: readonly NftElement[],
): NftStatement => {
  const name = setName(writing.ref, `${what}-${protocol}-${ip(family)}`);
  keepSet(writing, { name, key: [addressType(family), 'inet_service'], flags: [] }, elements);
  const port: NftExpr = { kind: 'port', header: protocol, field: 'dport' };
  return matching(concat(daddr(family), port), inSet(name));
};

/** The name stands for a port of the node's own Pod. */
const ownNamedPorts = (
  writing: Writing,
  name: string,
  protocol: Protocol,
  family: Family,
): NftStatement | undefined => {
  const ports = writing.node.pods.flatMap((pod) =>
    namedPorts(pod).flatMap((one) => (one.name === name ? [{ ...one, pod }] : [])),
  );
  const elements = portElements(writing, ports, protocol, family);
  if (elements.length === 0) return undefined;
  return toNamedPort(writing, `own-${name}`, protocol, family, elements);
};

/** The name stands for ports of those who are called, which say by their addresses who is meant. */
const peerNamedPorts = (
  writing: Writing,
  guard: PeerGuard,
  name: string,
  protocol: Protocol,
  family: Family,
): NftStatement | undefined => {
  const { population } = writing.node;
  const known = sharedBy(writing).elements;
  const what = `${guard.kind}-${name}`;
  const key = setName(writing.ref, `${what}-${protocol}-${ip(family)}`);
  const elements =
    known.get(key) ??
    portElements(writing, namedPortsBehind(population, name, guard, family), protocol, family);
  known.set(key, elements);
  if (elements.length === 0) return undefined;
  return toNamedPort(writing, what, protocol, family, elements);
};

const withNames = (writing: Writing, guard: PeerGuard, family: Family): Conditions[] =>
  portNames(writing.rule).flatMap(({ name, protocols }) =>
    protocols.flatMap((protocol): Conditions[] => {
      if (writing.ref.direction === 'egress') {
        const found = peerNamedPorts(writing, guard, name, protocol, family);
        return found ? [{ statements: [found] }] : [];
      }
      const found = ownNamedPorts(writing, name, protocol, family);
      if (!found) return [];
      const from = guard.kind === 'everyone' ? [] : peerMatch(writing, guard, family);
      return from ? [{ statements: [...from, found] }] : [];
    }),
  );

const withNumbers = (writing: Writing, guard: PeerGuard, family: Family): Conditions[] => {
  if (guard.kind === 'everyone') return [];
  const ports = portGuards(writing.rule);
  const peer = ports.length > 0 && peerMatch(writing, guard, family);
  if (!peer) return [];
  const undecided = guard.kind === 'names' && writing.decides && { undecided: true as const };
  return ports.map((port) => ({ statements: [...peer, ...port], ...undecided }));
};

const guardsOf = (writing: Writing, family: Family): readonly PeerGuard[] => {
  const { node, ref, rule } = writing;
  const { guards } = sharedBy(writing);
  const key = setName(ref, ip(family));
  const known = guards.get(key) ?? peerGuards(node.population, rule, ref.policy.namespace, family);
  guards.set(key, known);
  return known;
};

/**
 * Each row by itself is enough for the rule to match; those that cannot be decided come last, so
 * that they are asked only where nothing else of the rule holds.
 * @param decides something that comes after the rule may deny
 */
export const ruleConditions = (
  node: PolicyNode,
  ref: RuleRef,
  decides: boolean,
): readonly Conditions[] => {
  const { policy, direction, index } = ref;
  const rule = policy[direction]?.[index];
  if (!rule) return [];
  const writing: Writing = {
    decides,
    node,
    ref,
    rule,
    origin: ruleOrigin(ref, `policy-${rule.action}`),
  };
  const everyone = rule.peers === 'everyone' ? portGuards(rule) : [];
  const rows = [
    ...everyone.map((statements): Conditions => ({ statements })),
    ...node.families.flatMap((family) =>
      guardsOf(writing, family).flatMap((guard) => [
        ...withNumbers(writing, guard, family),
        ...withNames(writing, guard, family),
      ]),
    ),
  ];
  return [
    ...rows.filter(({ undecided }) => !undecided),
    ...rows.filter(({ undecided }) => undecided),
  ];
};
