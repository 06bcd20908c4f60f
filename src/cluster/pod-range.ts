/** The ranges that Pods have their addresses from: the cluster's, and one for each node. */
import {
  cidrContains,
  cidrOf,
  cidrOverlaps,
  cidrSize,
  ipv4ToNumber,
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

export interface RangeInput {
  readonly nodes: readonly NodeDraft[];
  /** Addresses that live Pods of the input have, by node. */
  readonly podIps: ReadonlyMap<string, readonly Ip[]>;
  /** The cluster's range, if anything names it. */
  readonly given?: { readonly cidr: Cidr; readonly place: Place | undefined } | undefined;
  /** Ranges that a default must not overlap. */
  readonly avoid: readonly Cidr[];
  readonly report: Report;
  readonly note: (note: ClusterNote) => void;
}

export interface Ranges {
  readonly podCIDR: Cidr;
  /** In the order of the nodes. */
  readonly nodes: readonly { readonly cidr: Cidr; readonly invented: boolean }[];
}

interface Claim {
  readonly node: NodeDraft;
  readonly cidr: Cidr;
  /** Made by us around addresses that Pods have. */
  readonly derived: boolean;
}

/**
 * The smallest aligned /24 that holds a node's Pods; smaller where another node's Pods are in it
 * too, wider where the Pods need it.
 */
const rangeOfPods = (ips: readonly Ip[], sharedBy: (cidr: Cidr) => boolean): Cidr => {
  const tight = enclosing(ips, 32);
  const { prefix: tightest } = parseCidr(tight);
  for (let prefix = Math.min(NODE_PREFIX, tightest); prefix < tightest; prefix++) {
    const cidr = cidrOf(ips[0] ?? '', prefix);
    if (!sharedBy(cidr)) return cidr;
  }
  return tight;
};

interface PodIp {
  readonly ip: number;
  readonly node: string;
}

/** Whether a range holds an address of another node's Pods; `sorted` is in order of address. */
const isShared = (sorted: readonly PodIp[], node: string, cidr: Cidr): boolean => {
  const { address } = parseCidr(cidr);
  const end = address + cidrSize(cidr);
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.ip ?? 0) < address) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < sorted.length; at++) {
    const found = sorted[at];
    if (!found || found.ip >= end) return false;
    if (found.node !== node) return true;
  }
  return false;
};

const claimOf = (
  node: NodeDraft,
  ips: readonly Ip[],
  sharedBy: (cidr: Cidr) => boolean,
  note: RangeInput['note'],
): Claim | undefined => {
  const given = node.podCIDR && cidrOf(...networkOf(node.podCIDR.cidr));
  if (given === undefined)
    return ips.length === 0 ? undefined : { node, cidr: rangeOfPods(ips, sharedBy), derived: true };
  const outside = ips.filter((ip) => !cidrContains(given, ip));
  if (outside.length === 0) return { node, cidr: given, derived: false };
  // A plugin with an IPAM of its own (Calico) leaves the Node's range unused.
  const unused = outside.length === ips.length && node.podCIDR?.by === 'object';
  const cidr = unused
    ? rangeOfPods(ips, sharedBy)
    : enclosing([...edges(given), ...ips], parseCidr(given).prefix);
  note({
    code: 'range-widened',
    subject: outside[0] ?? '',
    values: { range: `podCIDR of ${node.name}`, cidr, from: given },
    ...(node.podCIDR?.place && { place: node.podCIDR.place }),
  });
  return { node, cidr, derived: true };
};

const reportOverlaps = (claims: readonly Claim[], report: Report): void => {
  const sorted = claims.toSorted(
    (a, b) =>
      parseCidr(a.cidr).address - parseCidr(b.cidr).address ||
      parseCidr(a.cidr).prefix - parseCidr(b.cidr).prefix,
  );
  for (let at = 1; at < sorted.length; at++) {
    const [a, b] = [sorted[at - 1], sorted[at]];
    if (!a || !b || !cidrOverlaps(a.cidr, b.cidr)) continue;
    const derived = a.derived || b.derived;
    report({
      severity: 'error',
      code: derived ? 'pod-ranges-interleave' : 'ranges-overlap',
      message: derived
        ? `the Pods of ${a.node.name} (${a.cidr}) and ${b.node.name} (${b.cidr}) have addresses among each other`
        : `the Pod ranges of ${a.node.name} (${a.cidr}) and ${b.node.name} (${b.cidr}) overlap`,
      ...atPlace(b.node.podCIDR?.place ?? b.node.place),
      hint: derived
        ? 'Only plugins that give every node a range of its own are modelled so far.'
        : 'Give every node a range of its own.',
    });
  }
};

/** Widens `base` (or, where nobody asked for it, replaces it) until it holds all ranges. */
const clusterRange = ({ given, avoid, note }: RangeInput, claims: readonly Claim[]): Cidr => {
  const base = given ? cidrOf(...networkOf(given.cidr)) : pickRange(DEFAULT_POD_CIDRS, avoid);
  const outside = claims.filter(({ cidr }) => !edges(cidr).every((ip) => cidrContains(base, ip)));
  const all = claims.flatMap(({ cidr }) => edges(cidr));
  const cidr =
    outside.length === 0
      ? base
      : enclosing(given ? [...edges(base), ...all] : all, parseCidr(base).prefix);
  if (!given) {
    note({ code: 'range-default', subject: 'podCIDR', values: { cidr } });
  } else if (outside[0]) {
    note({
      code: 'range-widened',
      subject: outside[0].cidr,
      values: { range: 'podCIDR', cidr, from: base },
      ...(given.place && { place: given.place }),
    });
  }
  return cidr;
};

/** Free shares of the range: 10.244.1.0/24 first, 10.244.0.0/24 last. */
function* shares(podCIDR: Cidr): Generator<Cidr> {
  const { address, prefix } = parseCidr(podCIDR);
  const count = prefix > NODE_PREFIX ? 0 : 2 ** (NODE_PREFIX - prefix);
  for (let at = 1; at <= count; at++)
    yield `${numberToIpv4(address + (at % count) * 256)}/${NODE_PREFIX}`;
}

const settleFree = (
  input: RangeInput,
  podCIDR: Cidr,
  claims: ReadonlyMap<string, Claim>,
): Ranges['nodes'] => {
  const starts = [...claims.values()].map(({ cidr }) => cidr);
  const small = new Set(
    starts
      .filter((cidr) => parseCidr(cidr).prefix >= NODE_PREFIX)
      .map((cidr) => cidrOf(cidr.split('/')[0] ?? '', NODE_PREFIX)),
  );
  const wide = starts.filter((cidr) => parseCidr(cidr).prefix < NODE_PREFIX);
  const free = shares(podCIDR);
  const isFree = (share: Cidr): boolean =>
    !small.has(share) && !wide.some((cidr) => cidrOverlaps(cidr, share));
  const next = (): Cidr | undefined => {
    let share = free.next();
    while (!share.done && !isFree(share.value)) share = free.next();
    return share.done ? undefined : share.value;
  };
  return input.nodes.map((node) => {
    const claim = claims.get(node.name);
    if (claim) return { cidr: claim.cidr, invented: claim.derived };
    const cidr = next();
    if (cidr !== undefined) return { cidr, invented: true };
    input.report({
      severity: 'error',
      code: 'range-exhausted',
      message: `the Pod range ${podCIDR} has no /${NODE_PREFIX} left for node ${node.name}`,
      ...atPlace(input.given?.place ?? node.place),
      hint: 'Give the Scenario a wider network.podCIDR, or every node a podCIDR.',
    });
    return { cidr: podCIDR, invented: true };
  });
};

/** Settles the ranges. Addresses of the input always win: ranges go where they are. */
export const settleRanges = (input: RangeInput): Ranges => {
  const { nodes, podIps, report, note } = input;
  const claims = new Map<string, Claim>();
  const sorted = [...podIps]
    .flatMap(([node, ips]) => ips.map((ip) => ({ node, ip: ipv4ToNumber(ip) })))
    .sort((a, b) => a.ip - b.ip);
  for (const node of nodes) {
    const ips = podIps.get(node.name) ?? [];
    const claim = claimOf(node, ips, (cidr) => isShared(sorted, node.name, cidr), note);
    if (claim) claims.set(node.name, claim);
  }
  reportOverlaps([...claims.values()], report);
  const podCIDR = clusterRange(input, [...claims.values()]);
  return { podCIDR, nodes: settleFree(input, podCIDR, claims) };
};
