/** The ranges beside the Pods': the Services', that of the world outside, and which of all overlap. */
import { cidrAt, cidrContains, cidrOf, cidrOverlaps } from '../wire/ip.ts';
import type { Cidr } from '../wire/packet.ts';
import type { Cluster, ClusterNote, Place } from './cluster.ts';
import { atPlace, type Report } from './diagnostic.ts';
import { compareText } from './order.ts';
import type { ServiceObject } from './service/service-object.ts';
import { type PlacedSpec, placeIn } from './spec.ts';
import { edges, enclosing, networkOf, pickRange } from './underlay.ts';

/** TEST-NET-3, -2 and -1 (RFC 5737): nobody's, so the first that no range holds is everybody outside. */
const EXTERNAL_CIDRS = ['203.0.113.0/24', '198.51.100.0/24', '192.0.2.0/24'] as const;
/** Of that range, the address of the machine that stands for the outside. */
const EXTERNAL_AT = 10;

const DEFAULT_SERVICE_CIDRS = ['10.96.0.0/12', '172.30.0.0/16', '10.43.0.0/16'] as const;

/** The Services' range: what is given, or a default that holds every ClusterIP of the input. */
export const serviceRange = (
  spec: PlacedSpec | undefined,
  services: readonly ServiceObject[],
  avoid: readonly Cidr[],
  note: (note: ClusterNote) => void,
): Cidr => {
  const given = spec?.value.network?.serviceCIDR;
  const base =
    given === undefined ? pickRange(DEFAULT_SERVICE_CIDRS, avoid) : cidrOf(...networkOf(given));
  const ips = services
    .flatMap(({ clusterIPs }) => clusterIPs.flatMap(({ ip, family }) => (family === 4 ? [ip] : [])))
    .sort(compareText);
  const outside = ips.find((ip) => !cidrContains(base, ip));
  if (given === undefined) {
    const cidr = outside === undefined ? base : enclosing(ips, 16);
    note({ code: 'range-default', subject: 'serviceCIDR', values: { cidr } });
    return cidr;
  }
  if (outside === undefined) return base;
  const cidr = enclosing([...edges(base), ...ips], networkOf(base)[1]);
  const at = placeIn(spec, 'network', 'serviceCIDR');
  note({
    code: 'range-widened',
    subject: outside,
    values: { range: 'serviceCIDR', cidr, from: given },
    ...(at && { place: at }),
  });
  return cidr;
};

interface NamedRange {
  readonly field: string;
  readonly cidr: Cidr;
  readonly given: boolean;
  readonly place: Place | undefined;
}

/** Two ranges that the Scenario gives are an error; what came of addresses found is only odd. */
export const reportRanges = (ranges: readonly NamedRange[], report: Report): void => {
  for (const [at, b] of ranges.entries()) {
    for (const a of ranges.slice(0, at)) {
      if (!cidrOverlaps(a.cidr, b.cidr)) continue;
      const given = a.given && b.given;
      report({
        severity: given ? 'error' : 'warning',
        code: 'ranges-overlap',
        message: `${a.field} ${a.cidr} and ${b.field} ${b.cidr} overlap`,
        ...(given && { path: b.field }),
        ...atPlace(b.given ? b.place : (a.place ?? b.place)),
        hint: 'Pods, Services and nodes need ranges of their own.',
      });
    }
  }
};

/** The world outside, where none of the cluster's ranges is. */
export const settleExternal = (ranges: readonly Cidr[], report: Report): Cluster['external'] => {
  const free = EXTERNAL_CIDRS.find((cidr) => !ranges.some((one) => cidrOverlaps(one, cidr)));
  if (free === undefined)
    report({
      severity: 'error',
      code: 'ranges-overlap',
      message: `the cluster's ranges leave no address for the world outside: they hold ${EXTERNAL_CIDRS.join(', ')}`,
      hint: 'Narrow network.podCIDR, network.serviceCIDR or underlay.cidr.',
    });
  return { ip: cidrAt(free ?? EXTERNAL_CIDRS[0], EXTERNAL_AT) };
};
