/** Whom a rule of a policy is about, as addresses. */
import type { PolicyPeer, PolicyRule } from '../../cluster/policy/policy.ts';
import { matches } from '../../cluster/selector.ts';
import {
  type AddressType,
  addressNumber,
  mergeSpans,
  type Span,
  spanOf,
  spanValue,
  withoutSpans,
} from '../../kernel/netfilter/address-span.ts';
import type { NftValue } from '../../kernel/netfilter/nft-table.ts';
import type { Family } from '../kube-proxy/service-port.ts';
import { addressType } from '../nft-rule.ts';
import { addressOf, type NamedPort, type PodGroup, type Population } from './population.ts';

/** One way in which an address may be meant. Domain names have addresses that nobody here knows. */
export type PeerGuard =
  | { readonly kind: 'everyone' }
  | {
      readonly kind: 'pods' | 'nodes';
      readonly addresses: readonly string[];
      readonly groups: ReadonlySet<PodGroup>;
    }
  | {
      readonly kind: 'block';
      readonly values: readonly NftValue[];
      readonly spans: readonly Span[];
    }
  | { readonly kind: 'names'; readonly names: readonly string[] };

type Peer<Kind extends PolicyPeer['kind']> = Extract<PolicyPeer, { kind: Kind }>;

const ofKind = <Kind extends PolicyPeer['kind']>(
  peers: readonly PolicyPeer[],
  kind: Kind,
): Peer<Kind>[] => peers.filter((peer): peer is Peer<Kind> => peer.kind === kind);

const NO_GROUPS: ReadonlySet<PodGroup> = new Set();

const podGuard = (
  { selected }: Population,
  peers: readonly Peer<'pods'>[],
  own: string | undefined,
  family: Family,
): PeerGuard => {
  const groups = new Set(peers.flatMap((peer) => selected(peer, own)));
  const addresses = new Set<string>();
  for (const { pods } of groups)
    for (const pod of pods) {
      const ip = addressOf(pod, family);
      if (ip !== undefined) addresses.add(ip);
    }
  return { kind: 'pods', addresses: [...addresses], groups };
};

const nodeGuard = (
  { nodes }: Population,
  peers: readonly Peer<'nodes'>[],
  family: Family,
): PeerGuard => {
  const found = nodes.filter((node) =>
    peers.some(({ nodes: selector }) => matches(selector, node.labels)),
  );
  const addresses = found.flatMap(({ ip, onlyIpv6 }) =>
    family === 4 ? (onlyIpv6 === undefined ? [ip] : []) : (onlyIpv6 ?? []),
  );
  return { kind: 'nodes', addresses: [...new Set(addresses)], groups: NO_GROUPS };
};

const isOf = (family: Family, cidr: string): boolean => cidr.includes(':') === (family === 6);

/** An exception cuts its own block only: another may have the same addresses. */
const blockGuard = (peers: readonly Peer<'block'>[], family: Family): PeerGuard => {
  const type: AddressType = addressType(family);
  const spans = mergeSpans(
    peers
      .filter(({ cidr }) => isOf(family, cidr))
      .flatMap(({ cidr, except }) =>
        withoutSpans(
          spanOf(type, cidr),
          except.filter((hole) => isOf(family, hole)).map((hole) => spanOf(type, hole)),
        ),
      ),
  );
  return { kind: 'block', spans, values: spans.map((span) => spanValue(type, span)) };
};

/** Each by itself: whoever is in one of them is meant. */
export const peerGuards = (
  population: Population,
  { peers }: PolicyRule,
  own: string | undefined,
  family: Family,
): PeerGuard[] => {
  if (peers === 'everyone') return [{ kind: 'everyone' }];
  const pods = ofKind(peers, 'pods');
  const nodes = ofKind(peers, 'nodes');
  const blocks = ofKind(peers, 'block').filter(({ cidr }) => isOf(family, cidr));
  const names = ofKind(peers, 'domain-names').flatMap((peer) => peer.names);
  return [
    ...(pods.length > 0 ? [podGuard(population, pods, own, family)] : []),
    ...(nodes.length > 0 ? [nodeGuard(population, nodes, family)] : []),
    ...(blocks.length > 0 ? [blockGuard(blocks, family)] : []),
    ...(names.length > 0 ? [{ kind: 'names', names } as const] : []),
  ];
};

/** Ports of a name that Pods have which a guard means: nobody else has ports with names. */
export const namedPortsBehind = (
  { portsNamed, groupOf }: Population,
  name: string,
  guard: PeerGuard,
  family: Family,
): readonly NamedPort[] => {
  const all = portsNamed(name);
  switch (guard.kind) {
    case 'everyone':
      return all;
    case 'pods': {
      const { groups } = guard;
      return all.filter(({ pod }) => {
        const group = groupOf(pod);
        return group !== undefined && groups.has(group);
      });
    }
    case 'block': {
      const type = addressType(family);
      return all.filter(({ pod }) => {
        const ip = addressOf(pod, family);
        if (ip === undefined) return false;
        const number = addressNumber(type, ip);
        return guard.spans.some(({ from, to }) => number >= from && number <= to);
      });
    }
    case 'nodes':
    case 'names':
      return [];
    default: {
      const never: never = guard;
      return never;
    }
  }
};
