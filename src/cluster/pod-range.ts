/** The ranges that Pods have their addresses from: the cluster's, and those of each node. */
import {
  cidrAt,
  cidrBroadcast,
  cidrContains,
  cidrOf,
  cidrOverlaps,
  cidrSize,
  ipv4ToNumber,
  isUnicastCidr,
  numberToIpv4,
  parseCidr,
} from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import type { ClusterNote, Place } from './cluster.ts';
import { atPlace, type Report } from './diagnostic.ts';
import type { NodeDraft } from './node.ts';
import { edges, enclosing, networkOf, pickRange } from './underlay.ts';

/** flannel's range, then others for clusters whose wires or Services are there. */
const DEFAULT_POD_CIDRS = ['10.244.0.0/16', '10.42.0.0/16', '172.16.0.0/16'] as const;
/** A node's share of the range (kube-controller-manager's node-cidr-mask-size). */
const NODE_PREFIX = 24;
/** A node whose Pods are further apart than this has several ranges. */
const WIDEST_NODE = 16;
/** Beyond this a range says nothing about whose its addresses are. */
const WIDEST_CLUSTER = 8;
/** The smallest range with room for a gateway and a few Pods. */
const SMALLEST_OWN = 29;
/** Ranges that a note spells out. */
const SPELT_OUT = 4;

export interface RangeInput {
  readonly nodes: readonly NodeDraft[];
  /** Addresses that live Pods of the input have, by node. */
  readonly podIps: ReadonlyMap<string, readonly Ip[]>;
  /** Addresses of machines: no Pod range that we choose holds one. */
  readonly machineIps: readonly Ip[];
  /** The cluster's range, if anything names it. */
  readonly given?: { readonly cidr: Cidr; readonly place: Place | undefined } | undefined;
  /** Ranges that one of ours must not overlap. */
  readonly avoid: readonly Cidr[];
  readonly report: Report;
  readonly note: (note: ClusterNote) => void;
}

export interface NodeRanges {
  /** Where the gateway and new addresses come from. */
  readonly cidr: Cidr;
  readonly invented: boolean;
  /** More ranges that only this node's Pods are in. */
  readonly others: readonly Cidr[];
  /** Addresses of `cidr` that Pods of other nodes have. */
  readonly lent: readonly Ip[];
}

export interface Ranges {
  readonly podCIDR: Cidr;
  /** In the order of the nodes. */
  readonly nodes: readonly NodeRanges[];
}

/** What the input comes to for one node; without `cidr` a free share is its own. */
interface Claim {
  readonly cidr?: Cidr;
  /** Made by us around addresses that Pods have. */
  readonly derived: boolean;
  readonly others: readonly Cidr[];
}

/** The range that the input gives a node. */
interface Given {
  readonly node: NodeDraft;
  readonly cidr: Cidr;
  readonly first: number;
  readonly end: number;
}

interface Owned {
  readonly ip: number;
  /** Empty for machines. */
  readonly node: string;
}

/** Index of the first item whose number is at least `wanted`; `sorted` is in that order. */
const lowerBound = <Item>(
  sorted: readonly Item[],
  wanted: number,
  numberOf: (item: Item) => number,
): number => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = sorted[middle];
    if (item !== undefined && numberOf(item) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Who is where: the addresses of all Pods and machines, and the ranges that nodes are given; sorted. */
interface Territory {
  readonly owned: readonly Owned[];
  readonly given: readonly Given[];
}

/** Whether a range holds somebody else's address. */
const isShared = ({ owned }: Territory, node: string, cidr: Cidr): boolean => {
  const { address } = parseCidr(cidr);
  const end = address + cidrSize(cidr);
  for (let at = lowerBound(owned, address, ({ ip }) => ip); at < owned.length; at++) {
    const found = owned[at];
    if (!found || found.ip >= end) return false;
    if (found.node !== node) return true;
  }
  return false;
};

/** The given range that overlaps this one, if any. */
const givenAt = ({ given }: Territory, cidr: Cidr): Given | undefined => {
  const { address } = parseCidr(cidr);
  const after = lowerBound(given, address + cidrSize(cidr), ({ first }) => first);
  const last = given[after - 1];
  return last && last.end > address ? last : undefined;
};

/** Nobody's but this node's, and nobody was given it. */
const isFree = (land: Territory, node: string, cidr: Cidr): boolean =>
  isUnicastCidr(cidr) && !isShared(land, node, cidr) && !givenAt(land, cidr);

/** The network's own address and its broadcast address cannot be a Pod's where the range is a subnet. */
const hasEdge = (cidr: Cidr, ips: ReadonlySet<Ip>): boolean =>
  ips.has(cidrAt(cidr, 0)) || ips.has(cidrBroadcast(cidr));

/** Room for a gateway beside the Pods that have their addresses from it. */
const canBeSubnet = (cidr: Cidr, ips: ReadonlySet<Ip>): boolean => {
  const inside = [...ips].filter((ip) => cidrContains(cidr, ip));
  return !hasEdge(cidr, ips) && inside.length < cidrSize(cidr) - 2;
};

/** The smallest aligned /24 that holds a node's Pods; smaller where others are in it, or wider. */
const oneRange = (land: Territory, node: string, ips: readonly Ip[]): Cidr | undefined => {
  const { prefix: tightest } = parseCidr(enclosing(ips, 32));
  if (tightest < WIDEST_NODE) return undefined;
  const all = new Set(ips);
  for (let prefix = Math.min(NODE_PREFIX, tightest); prefix <= tightest; prefix++) {
    const cidr = cidrOf(ips[0] ?? '', prefix);
    if (isFree(land, node, cidr) && canBeSubnet(cidr, all)) return cidr;
  }
  return undefined;
};

/** The largest aligned blocks, a /24 at most, that hold the addresses and only this node's Pods. */
const blocksOf = (land: Territory, node: string, ips: readonly Ip[]): Cidr[] => {
  const blocks: Cidr[] = [];
  for (const ip of ips) {
    const last = blocks.at(-1);
    if (last !== undefined && cidrContains(last, ip)) continue;
    let prefix = NODE_PREFIX;
    while (prefix < 32 && !isFree(land, node, cidrOf(ip, prefix))) prefix++;
    blocks.push(cidrOf(ip, prefix));
  }
  return blocks;
};

/** The block that can be a subnet with a gateway: the widest one. */
const subnetAmong = (blocks: readonly Cidr[], ips: readonly Ip[]): Cidr | undefined => {
  const all = new Set(ips);
  const [widest] = blocks
    .filter((cidr) => parseCidr(cidr).prefix <= SMALLEST_OWN && canBeSubnet(cidr, all))
    .sort((a, b) => parseCidr(a).prefix - parseCidr(b).prefix);
  return widest;
};

const claimOf = (
  land: Territory,
  name: string,
  given: Given | undefined,
  ips: readonly Ip[],
): Claim | undefined => {
  const outside = given ? ips.filter((ip) => !cidrContains(given.cidr, ip)) : ips;
  if (outside.length === 0) return given && { cidr: given.cidr, derived: false, others: [] };
  const isBorrowed = (ip: Ip): boolean => givenAt(land, `${ip}/32`) !== undefined;
  const borrowed = outside.filter(isBorrowed).map((ip) => `${ip}/32`);
  const rest = outside.filter((ip) => !isBorrowed(ip));
  if (!given && rest.length > 0) {
    const single = oneRange(land, name, rest);
    if (single !== undefined) return { cidr: single, derived: true, others: borrowed };
  }
  const blocks = blocksOf(land, name, rest);
  if (given) return { cidr: given.cidr, derived: false, others: [...blocks, ...borrowed] };
  const own = subnetAmong(blocks, rest);
  const others = [...blocks.filter((block) => block !== own), ...borrowed];
  return { ...(own !== undefined && { cidr: own }), derived: true, others };
};

/**
 * The ranges that nodes are given, in order of address. Left out are those of Node objects that none
 * of the node's Pods is in, or whose first or last address a Pod has (a plugin with an IPAM of its
 * own, as Calico, does not use them), and those that overlap another one.
 */
const givenRanges = ({ nodes, podIps, report }: RangeInput): Given[] => {
  const all = new Set([...podIps.values()].flat());
  const ranges = nodes.flatMap((node): Given[] => {
    if (!node.podCIDR) return [];
    const cidr = cidrOf(...networkOf(node.podCIDR.cidr));
    const ips = podIps.get(node.name) ?? [];
    const unused = ips.length > 0 && ips.every((ip) => !cidrContains(cidr, ip));
    if (node.podCIDR.by === 'object' && (unused || hasEdge(cidr, all))) return [];
    const { address: first } = parseCidr(cidr);
    return [{ node, cidr, first, end: first + cidrSize(cidr) }];
  });
  const sorted = ranges.sort((a, b) => a.first - b.first || b.end - a.end);
  const kept: Given[] = [];
  for (const range of sorted) {
    const before = kept.at(-1);
    if (!before || before.end <= range.first) {
      kept.push(range);
      continue;
    }
    const byScenario = [before, range].filter(({ node }) => node.podCIDR?.by === 'scenario');
    const isError = byScenario.length === 2;
    const loser = byScenario.length === 1 && byScenario[0] === range ? before : range;
    if (loser === before) kept.splice(-1, 1, range);
    report({
      severity: isError ? 'error' : 'warning',
      code: 'ranges-overlap',
      message: `the Pod ranges of ${before.node.name} (${before.cidr}) and ${range.node.name} (${range.cidr}) overlap${isError ? '' : `; that of ${loser.node.name} is left out`}`,
      ...atPlace(loser.node.podCIDR?.place ?? loser.node.place),
      hint: 'Give every node a range of its own.',
    });
  }
  return kept;
};

const spelt = (ranges: readonly Cidr[]): { ranges: string; more: number } => ({
  ranges: ranges.slice(0, SPELT_OUT).join(', '),
  more: Math.max(0, ranges.length - SPELT_OUT),
});

/** Whether the range may be the cluster's although nobody gave it. */
const isSensible = (cidr: Cidr, avoid: readonly Cidr[]): boolean =>
  parseCidr(cidr).prefix >= WIDEST_CLUSTER &&
  isUnicastCidr(cidr) &&
  !avoid.some((other) => cidrOverlaps(cidr, other));

const isWithin = (outer: Cidr, inner: Cidr): boolean =>
  edges(inner).every((ip) => cidrContains(outer, ip));

/** Ranges of one first octet, most of them first: where a cluster without a range has its Pods. */
const neighbours = (ranges: readonly Cidr[]): Cidr[] => {
  const groups = new Map<number, Cidr[]>();
  for (const cidr of ranges) {
    const octet = parseCidr(cidr).address >>> 24;
    groups.set(octet, [...(groups.get(octet) ?? []), cidr]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length)[0] ?? [];
};

/**
 * The cluster's range. Widened (or, where nobody asked for it, chosen) so that it holds the nodes'
 * ranges, unless it would then hold the machines too, or half the Internet.
 */
const clusterRange = ({ given, avoid, note }: RangeInput, ranges: readonly Cidr[]): Cidr => {
  const base = given ? cidrOf(...networkOf(given.cidr)) : pickRange(DEFAULT_POD_CIDRS, avoid);
  const outside = ranges.filter((cidr) => !isWithin(base, cidr));
  const { prefix } = parseCidr(base);
  const others = avoid.filter((cidr) => !cidrOverlaps(cidr, base));
  const candidates =
    outside.length === 0 ? [] : given ? [[base, ...outside]] : [ranges, neighbours(ranges)];
  const cidr =
    candidates
      .map((some) => enclosing(some.flatMap(edges), prefix))
      .find((wide) => isSensible(wide, given ? others : avoid)) ?? base;
  if (!given) note({ code: 'range-default', subject: 'podCIDR', values: { cidr } });
  else if (cidr !== base)
    note({
      code: 'range-widened',
      subject: outside[0] ?? '',
      values: { range: 'podCIDR', cidr, from: base },
      ...(given.place && { place: given.place }),
    });
  const apart = ranges.filter((range) => !isWithin(cidr, range));
  if (apart.length > 0) note({ code: 'range-apart', subject: cidr, values: spelt(apart) });
  return cidr;
};

/** Free shares of the range: 10.244.1.0/24 first, 10.244.0.0/24 last. */
function* shares(podCIDR: Cidr): Generator<Cidr> {
  const { address, prefix } = parseCidr(podCIDR);
  const count = prefix > NODE_PREFIX ? 0 : 2 ** (NODE_PREFIX - prefix);
  for (let at = 1; at <= count; at++)
    yield `${numberToIpv4(address + (at % count) * 256)}/${NODE_PREFIX}`;
}

function* sharesOf(pools: readonly Cidr[]): Generator<Cidr> {
  for (const pool of pools) yield* shares(pool);
}

/** Hands out shares that nobody claims; undefined when there are no more. */
const freeShares = (pools: readonly Cidr[], taken: readonly Cidr[]): (() => Cidr | undefined) => {
  const small = new Set(
    taken
      .filter((cidr) => parseCidr(cidr).prefix >= NODE_PREFIX)
      .map((cidr) => cidrOf(cidr.split('/')[0] ?? '', NODE_PREFIX)),
  );
  const wide = taken.filter((cidr) => parseCidr(cidr).prefix < NODE_PREFIX);
  const all = sharesOf(pools);
  return () => {
    for (let share = all.next(); !share.done; share = all.next())
      if (!small.has(share.value) && !wide.some((cidr) => cidrOverlaps(cidr, share.value)))
        return share.value;
    return undefined;
  };
};

/** A subnet that we chose is in the cluster's range: plugins count on that. */
const within = (podCIDR: Cidr, claim: Claim): Claim => {
  const { cidr, derived, others } = claim;
  if (!derived || cidr === undefined || isWithin(podCIDR, cidr)) return claim;
  return { derived, others: [cidr, ...others] };
};

/** A range of its own for each node that has none yet. */
const settleOwn = (
  input: RangeInput,
  podCIDR: Cidr,
  claims: ReadonlyMap<string, Claim>,
): ReadonlyMap<string, Cidr> => {
  const { given, avoid, nodes, note } = input;
  const ranges = [...claims.values()].flatMap(({ cidr, others }) => [cidr ?? [], ...others].flat());
  const next = freeShares([podCIDR], ranges);
  // What a live cluster has must open, however little room its own range has.
  const elsewhere = freeShares(
    DEFAULT_POD_CIDRS.filter((cidr) => !cidrOverlaps(cidr, podCIDR)),
    [...ranges, ...avoid],
  );
  const own = new Map<string, Cidr>();
  for (const node of nodes) {
    const claim = claims.get(node.name);
    const mayBeElsewhere = given === undefined || claim !== undefined;
    const cidr = claim?.cidr ?? next() ?? (mayBeElsewhere ? elsewhere() : undefined);
    if (cidr !== undefined) own.set(node.name, cidr);
    else
      input.report({
        severity: 'error',
        code: 'range-exhausted',
        message: `the Pod range ${podCIDR} has no /${NODE_PREFIX} left for node ${node.name}`,
        ...atPlace(given?.place ?? node.place),
        hint: 'Give the Scenario a wider network.podCIDR, or every node a podCIDR.',
      });
    if (!claim || claim.others.length === 0) continue;
    note({
      code: 'node-ranges',
      subject: node.name,
      values: {
        ...spelt(claim.derived && claim.cidr ? [claim.cidr, ...claim.others] : claim.others),
        ...(!claim.derived && { given: cidr ?? podCIDR }),
        ...(claim.derived && !claim.cidr && { gateway: cidr ?? podCIDR }),
      },
      ...(node.place && { place: node.place }),
    });
  }
  return own;
};

/**
 * Settles the ranges. Addresses of the input always win: ranges go where they are, as many as it
 * takes so that no two nodes are in one.
 */
export const settleRanges = (input: RangeInput): Ranges => {
  const { nodes, podIps } = input;
  const given = givenRanges(input);
  const owned = [
    ...input.machineIps.map((ip) => ({ node: '', ip: ipv4ToNumber(ip) })),
    ...[...podIps].flatMap(([node, ips]) => ips.map((ip) => ({ node, ip: ipv4ToNumber(ip) }))),
  ].sort((a, b) => a.ip - b.ip);
  const land: Territory = { owned, given };
  const givenOf = new Map(given.map((one) => [one.node.name, one]));
  const claims = new Map<string, Claim>();
  for (const { name } of nodes) {
    const ips = (podIps.get(name) ?? []).toSorted((a, b) => ipv4ToNumber(a) - ipv4ToNumber(b));
    const claim = claimOf(land, name, givenOf.get(name), ips);
    if (claim) claims.set(name, claim);
  }
  const all = [...claims.values()].flatMap(({ cidr, others }) => [cidr ?? [], ...others].flat());
  const podCIDR = clusterRange(input, all);
  for (const [name, claim] of claims) claims.set(name, within(podCIDR, claim));
  const own = settleOwn(input, podCIDR, claims);
  return {
    podCIDR,
    nodes: nodes.map(({ name }) => {
      const claim = claims.get(name);
      const cidr = own.get(name) ?? podCIDR;
      return {
        cidr,
        invented: claim?.derived ?? true,
        others: claim?.others ?? [],
        lent: lentOf(land, name, givenOf.get(name)),
      };
    }),
  };
};

/** Addresses of a given range that Pods of other nodes have. */
const lentOf = ({ owned }: Territory, node: string, given: Given | undefined): Ip[] => {
  if (!given) return [];
  const from = lowerBound(owned, given.first, ({ ip }) => ip);
  const to = lowerBound(owned, given.end, ({ ip }) => ip);
  return owned
    .slice(from, to)
    .filter((one) => one.node !== node && one.node !== '')
    .map(({ ip }) => numberToIpv4(ip));
};
