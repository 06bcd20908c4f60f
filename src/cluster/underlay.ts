/** The wire between the nodes: its range, its gateway and the nodes' addresses. */
import {
  cidrAt,
  cidrBroadcast,
  cidrContains,
  cidrOf,
  cidrOverlaps,
  cidrSize,
  ipv4ToNumber,
  numberToIpv4,
  parseCidr,
} from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import type { Cluster, ClusterNote } from './cluster.ts';
import { atPlace, type Report } from './diagnostic.ts';
import type { NodeDraft } from './node.ts';
import { type PlacedSpec, placeIn } from './spec.ts';

const DEFAULT_CIDRS = ['192.168.10.0/24', '172.18.10.0/24', '10.10.10.0/24'] as const;
const DEFAULT_MTU = 1500;
/** Nodes' invented addresses start at .11: routers and appliances have the first ten. */
const FIRST_NODE = 11;

/** The smallest aligned range that holds all addresses and is at least as wide as `widest`. */
export const enclosing = (ips: readonly Ip[], widest: number): Cidr => {
  const [first = '0.0.0.0'] = ips;
  let prefix = widest;
  const base = ipv4ToNumber(first);
  for (const ip of ips) {
    const differing = (base ^ ipv4ToNumber(ip)) >>> 0;
    prefix = Math.min(prefix, Math.clz32(differing));
  }
  return cidrOf(first, prefix);
};

/** A range as its first address and prefix length. */
export const networkOf = (cidr: Cidr): [Ip, number] => {
  const { address, prefix } = parseCidr(cidr);
  return [numberToIpv4(address), prefix];
};

/** The first and the last address of a range, which together stand for all of it. */
export const edges = (cidr: Cidr): [Ip, Ip] => {
  const { address } = parseCidr(cidr);
  return [numberToIpv4(address), numberToIpv4(address + cidrSize(cidr) - 1)];
};

/** The first of our defaults that overlaps nothing; the first at all where each does. */
export const pickRange = (defaults: readonly [Cidr, ...Cidr[]], avoid: readonly Cidr[]): Cidr =>
  defaults.find((cidr) => !avoid.some((other) => cidrOverlaps(cidr, other))) ?? defaults[0];

export interface Underlay {
  readonly underlay: Cluster['underlay'];
  /** By node, in the nodes' order. */
  readonly ips: readonly Ip[];
}

const warnTwins = (nodes: readonly NodeDraft[], report: Report): void => {
  const owners = new Map<Ip, string>();
  for (const { name, ip } of nodes) {
    if (!ip) continue;
    const owner = owners.get(ip.ip);
    if (owner !== undefined)
      report({
        severity: 'error',
        code: 'duplicate-ip',
        message: `nodes ${owner} and ${name} both have the address ${ip.ip}`,
        ...atPlace(ip.place),
      });
    owners.set(ip.ip, owner ?? name);
  }
};

/** Whether a machine can have the address: all of them but the first and the last, up to /30. */
const isHostOf = (cidr: Cidr, ip: Ip): boolean =>
  cidrContains(cidr, ip) && (parseCidr(cidr).prefix > 30 || !edges(cidr).includes(ip));

const wider = (cidr: Cidr): [Ip, number] => {
  const [ip, prefix] = networkOf(cidr);
  return [ip, prefix - 1];
};

/** A Scenario that says both the range and the address contradicts itself. */
const reportEdges = (
  nodes: readonly NodeDraft[],
  given: Cidr | undefined,
  report: Report,
): void => {
  if (given === undefined) return;
  for (const { name, ip } of nodes) {
    if (ip?.by !== 'scenario' || !cidrContains(given, ip.ip) || isHostOf(given, ip.ip)) continue;
    const what = ip.ip === cidrBroadcast(given) ? 'the broadcast address' : 'the first address';
    report({
      severity: 'error',
      code: 'bad-value',
      message: `node ${name} has ${ip.ip}, ${what} of the underlay ${given}`,
      ...atPlace(ip.place),
      hint: 'No machine can have it; give the node another address, or underlay.cidr another range.',
    });
  }
};

/** Settles the underlay; node addresses of the input always win over ranges. */
export const settleUnderlay = (input: {
  readonly spec: PlacedSpec | undefined;
  readonly nodes: readonly NodeDraft[];
  /** Ranges that a default must not overlap. */
  readonly avoid: readonly Cidr[];
  /** Addresses that Pods have: no machine gets one. */
  readonly podIps: readonly Ip[];
  readonly report: Report;
  readonly note: (note: ClusterNote) => void;
}): Underlay => {
  const { spec, nodes, avoid, podIps, report, note } = input;
  const given = spec?.value.underlay?.cidr;
  const place = placeIn(spec, 'underlay', 'cidr');
  const known = nodes.flatMap(({ ip }) => (ip ? [ip.ip] : []));
  warnTwins(nodes, report);

  let cidr = given === undefined ? pickRange(DEFAULT_CIDRS, avoid) : cidrOf(...networkOf(given));
  reportEdges(nodes, given === undefined ? undefined : cidr, report);
  const outside = known.filter((ip) => !isHostOf(cidr, ip));
  if (outside.length > 0) {
    const { prefix } = parseCidr(cidr);
    cidr = enclosing(given === undefined ? known : [...edges(cidr), ...known], prefix);
    // An address that is the network's own in a range is a host's in the next wider one.
    while (known.some((ip) => !isHostOf(cidr, ip))) cidr = cidrOf(...wider(cidr));
  }
  if (given === undefined)
    while (podIps.some((ip) => cidrContains(cidr, ip) && !isHostOf(cidr, ip)))
      cidr = cidrOf(...wider(cidr));
  if (given === undefined) {
    note({ code: 'underlay-default', subject: cidr });
  } else if (outside[0] !== undefined) {
    note({
      code: 'range-widened',
      subject: outside[0],
      values: { range: 'underlay.cidr', cidr, from: given },
      ...(place && { place }),
    });
  }

  const taken = new Set([...known, ...podIps]);
  const size = cidrSize(cidr);
  const first = cidrAt(cidr, Math.min(1, size - 1));
  let router = [first, cidrAt(cidr, Math.max(0, size - 2))].find((ip) => !taken.has(ip));
  for (let at = 2; router === undefined && at < size - 2; at++)
    router = [cidrAt(cidr, at)].find((ip) => !taken.has(ip));
  if (router === undefined)
    report({
      severity: 'error',
      code: 'range-exhausted',
      message: `the underlay ${cidr} has no address left for its router`,
      ...atPlace(place),
      hint: 'Give the Scenario a wider underlay.cidr.',
    });
  const gateway = router ?? first;
  taken.add(gateway);
  let next = FIRST_NODE;
  let wrapped = false;
  const free = (): Ip | undefined => {
    for (;;) {
      if (next >= size - 1) {
        if (wrapped) return undefined;
        wrapped = true;
        next = 1;
        continue;
      }
      const ip = cidrAt(cidr, next++);
      if (!taken.has(ip)) return ip;
    }
  };
  const ips = nodes.map((node) => {
    if (node.ip) return node.ip.ip;
    const ip = free();
    if (ip !== undefined) {
      taken.add(ip);
      return ip;
    }
    report({
      severity: 'error',
      code: 'range-exhausted',
      message: `the underlay ${cidr} has no address left for node ${node.name}`,
      ...atPlace(place ?? node.place),
      hint: 'Give the Scenario a wider underlay.cidr.',
    });
    return cidrAt(cidr, 0);
  });
  return { underlay: { cidr, mtu: spec?.value.underlay?.mtu ?? DEFAULT_MTU, gateway }, ips };
};
