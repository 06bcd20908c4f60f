/** Neutral addresses, of documentation and default ranges. */
import type { Cluster } from '../cluster/cluster.ts';
import {
  cidrAt,
  cidrContains,
  cidrOf,
  cidrOverlaps,
  cidrSize,
  ipv4ToNumber,
  isLinkLocal,
  isLoopback,
  numberToIpv4,
  parseCidr,
} from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import type { SmallScenario } from './small-scenario.ts';

export interface AddressMap {
  /** Of both families. */
  ip(ip: Ip): Ip;
  cidr(cidr: Cidr): Cidr;
  /** Every address and range in a text, such as a command. */
  inText(text: string): string;
}

/** Ranges that are nobody's: flannel's default and others that plugins ship; RFC 6598. */
const POD_BASES = ['10.244.0.0', '10.42.0.0', '172.16.0.0', '100.64.0.0'] as const;
/** kubeadm's, OpenShift's and k3s's. */
const SERVICE_BASES = ['10.96.0.0', '172.30.0.0', '10.43.0.0', '100.96.0.0'] as const;
/** For documentation (RFC 5737) and for benchmarks (RFC 2544), which has more room. */
const NODE_BASES = ['192.0.2.0', '198.18.0.0', '198.19.0.0'] as const;
const WIDE_NODE_BASES = ['198.18.0.0', '198.19.0.0'] as const;
/** For addresses of nobody here. */
const OTHERS: Cidr = '198.51.100.0/24';
/** The outside is ours, not the input's. */
const OUTSIDE: Cidr = '203.0.113.0/24';

interface Pair {
  readonly from: Cidr;
  readonly to: Cidr;
}

/** Wider ranges do not fit into neutral ones: their parts are packed. */
const WIDEST_PODS = 12;
const WIDEST_NODES = 16;
const DOCUMENTATION = 24;

/** A range of the same size at a base that overlaps none of the originals. */
const moved = (
  from: Cidr,
  bases: readonly string[],
  widest: number,
  avoid: readonly Cidr[],
  skip: number,
): Cidr => {
  const prefix = Math.max(widest, parseCidr(from).prefix);
  const free = bases
    .map((base) => cidrOf(base, prefix))
    .filter((cidr) => !avoid.some((other) => cidrOverlaps(cidr, other)));
  return free[skip % Math.max(1, free.length)] ?? cidrOf(bases[0] ?? OTHERS, prefix);
};

/** Ranges side by side, each aligned to its size; the first one stays free, as flannel leaves it. */
const packed = (ranges: readonly Cidr[], into: Cidr): Pair[] => {
  let next = parseCidr(into).address;
  return ranges.map((from, at) => {
    const size = cidrSize(from);
    next = Math.ceil(next / size) * size + (at === 0 && cidrSize(into) > size ? size : 0);
    const to = `${numberToIpv4(next)}/${parseCidr(from).prefix}`;
    next += size;
    return { from, to };
  });
};

/** Addresses one after the other in a range, from an offset on. */
const inRow = (ips: readonly Ip[], into: Cidr, first: number): Pair[] =>
  ips.map((ip, at) => ({ from: `${ip}/32`, to: `${cidrAt(into, first + at)}/32` }));

/** What the input gave; all else is ours, and stays. */
const given = (small: SmallScenario, { notes, nodes, pods }: Cluster) => {
  const isDefault = (range: string): boolean =>
    notes.some(({ code, subject }) => code === 'range-default' && subject === range);
  const known = new Set(small.nodes.map(({ name }) => name));
  return {
    pods:
      !isDefault('podCIDR') ||
      nodes.some(({ name, invented }) => known.has(name) && !invented.podCIDR) ||
      pods.some(
        ({ ip, hostNetwork, invented }) => ip !== undefined && !hostNetwork && !invented.ip,
      ),
    services: !isDefault('serviceCIDR'),
    nodes:
      !notes.some(({ code }) => code === 'underlay-default') ||
      nodes.some(({ name, invented }) => known.has(name) && !invented.ip),
  };
};

/** Where addresses of their own start that nodes and Pods get without any. */
const FIRST_NODE = 11;
const FIRST_POD = 2;

const ADDRESS = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?(?![\d.])/g;

/** How addresses are replaced. */
export interface Neutral {
  /** How many neutral ranges that would do are passed over. */
  readonly skip: number;
  /** Keeps distances: nodes and Pods are as far apart as they were. Else they stand in a row. */
  readonly distances: boolean;
}

/** What is tried, the most neutral first. */
export const NEUTRALS: readonly Neutral[] = [false, true].flatMap((distances) =>
  [0, 1, 2].map((skip) => ({ skip, distances })),
);

const prefixOf = (cidr: Cidr): number => parseCidr(cidr).prefix;

/** The ranges of Pods, with the addresses in them where they are put in a row. */
const podPairs = (
  { network, nodes, pods }: SmallScenario,
  to: Cidr,
  distances: boolean,
): Pair[] => {
  const isMoved = to !== network.podCIDR;
  if (!isMoved || (distances && prefixOf(to) === prefixOf(network.podCIDR)))
    return [{ from: network.podCIDR, to }];
  const ranges = packed(
    nodes.map(({ podCIDR }) => podCIDR),
    to,
  );
  const rows = distances
    ? []
    : ranges.flatMap((range) => {
        const ips = pods.flatMap(({ ip, hostNetwork }) =>
          ip !== undefined && !hostNetwork && cidrContains(range.from, ip) ? [ip] : [],
        );
        return inRow(ips, range.to, FIRST_POD);
      });
  return [...rows, ...ranges, { from: network.podCIDR, to }];
};

const nodePairs = ({ underlay, nodes }: SmallScenario, to: Cidr, distances: boolean): Pair[] => {
  const range = { from: underlay.cidr, to };
  const isMoved = to !== underlay.cidr;
  if (!isMoved || (distances && prefixOf(to) === prefixOf(underlay.cidr))) return [range];
  return [
    ...inRow(
      nodes.map(({ ip }) => ip),
      to,
      FIRST_NODE,
    ),
    range,
  ];
};

/** The map of one small scenario; addresses that nobody there has are replaced as they come up. */
export const addressMapOf = (
  small: SmallScenario,
  cluster: Cluster,
  { skip, distances }: Neutral,
): AddressMap => {
  const { network, underlay } = small;
  const from = given(small, cluster);
  const avoid = [network.podCIDR, network.serviceCIDR, underlay.cidr];
  const nodeBases = prefixOf(underlay.cidr) < DOCUMENTATION ? WIDE_NODE_BASES : NODE_BASES;
  const pairs: Pair[] = [
    ...podPairs(
      small,
      from.pods ? moved(network.podCIDR, POD_BASES, WIDEST_PODS, avoid, skip) : network.podCIDR,
      distances,
    ),
    ...nodePairs(
      small,
      from.nodes ? moved(underlay.cidr, nodeBases, WIDEST_NODES, avoid, skip) : underlay.cidr,
      distances,
    ),
    {
      from: network.serviceCIDR,
      to: from.services
        ? moved(network.serviceCIDR, SERVICE_BASES, WIDEST_PODS, avoid, skip)
        : network.serviceCIDR,
    },
  ];
  const others = new Map<Ip, Ip>();
  const other = (ip: Ip, range: Cidr): Ip => {
    const known =
      others.get(ip) ?? cidrAt(range, Math.max(2, cidrSize(range) - 2 - (others.size % 64)));
    others.set(ip, known);
    return known;
  };
  const mapIp = (ip: Ip, keepsDistance: boolean): Ip => {
    if (ip === '0.0.0.0' || isLoopback(ip) || isLinkLocal(ip) || cidrContains(OUTSIDE, ip))
      return ip;
    const pair = pairs.find((one) => cidrContains(one.from, ip));
    if (!pair) return other(ip, OTHERS);
    const offset = ipv4ToNumber(ip) - parseCidr(pair.from).address;
    // The first two of a range are its network's and its gateway's.
    const free = keepsDistance || offset <= 1 || pair.from === pair.to;
    if (!free) return other(ip, pair.to);
    return numberToIpv4(parseCidr(pair.to).address + (offset % cidrSize(pair.to)));
  };
  const mapCidr = (cidr: Cidr): Cidr => {
    const exact = pairs.find((one) => one.from === cidr);
    if (exact) return exact.to;
    const [ip = '', prefix = '32'] = cidr.split('/');
    if (prefix === '0') return cidr;
    return `${mapIp(ip, distances || prefix !== '32')}/${prefix}`;
  };
  const ip = (address: Ip): Ip => {
    if (!address.includes(':')) return mapIp(address, distances);
    // For documentation (RFC 3849), one after the other as they come up.
    const known = others.get(address) ?? `2001:db8::${(others.size + 1).toString(16)}`;
    others.set(address, known);
    return known;
  };
  return {
    ip,
    cidr: mapCidr,
    inText: (text) =>
      text.replaceAll(ADDRESS, (found) => (found.includes('/') ? mapCidr(found) : ip(found))),
  };
};
