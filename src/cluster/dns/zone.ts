/**
 * What CoreDNS answers about a cluster: the `kubernetes` plugin of CoreDNS 1.14.7
 * (plugin/kubernetes: parseRequest, findServices, findPods, serviceRecordForIP;
 * plugin/backend_lookup.go), set up as kubeadm does: zone cluster.local with the reverse zones,
 * `pods insecure`, `ttl 30`, `fallthrough in-addr.arpa ip6.arpa`, all else forwarded.
 */
import {
  type DnsQuestion,
  type DnsRcode,
  type DnsRecord,
  isBelow,
  sameName,
} from '../../wire/dns.ts';
import { isIpv4 } from '../../wire/ip.ts';
import { parseUserIp } from '../../wire/parse-ip.ts';
import type { Service, SliceEndpoint } from '../cluster.ts';
import { CLUSTER_DOMAIN } from './resolv-conf.ts';

/** Seconds: `ttl 30` of kubeadm's Corefile. */
const TTL = 30;

export interface ZoneInput {
  readonly services: readonly Service[];
  readonly namespaces: readonly string[];
  /** What CoreDNS itself is asked at: the answer for ns.dns.cluster.local. */
  readonly dnsAddresses: readonly string[];
}

export interface Zone extends ZoneInput {
  readonly byName: ReadonlyMap<string, Service>;
  readonly exposed: ReadonlySet<string>;
}

export type ZoneAnswer =
  | {
      readonly kind: 'answer';
      readonly rcode: DnsRcode;
      readonly answers: readonly DnsRecord[];
      readonly authority: readonly DnsRecord[];
      readonly additional: readonly DnsRecord[];
    }
  /** It is asked for outside, after these records (a CNAME that leads there). */
  | { readonly kind: 'forward'; readonly name: string; readonly answers: readonly DnsRecord[] };

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`.toLowerCase();

/** Namespaces that every cluster has. */
const OWN_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export const createZone = (input: ZoneInput): Zone => ({
  ...input,
  byName: new Map(input.services.map((one) => [keyOf(one.namespace, one.name), one])),
  exposed: new Set([
    ...OWN_NAMESPACES,
    ...input.namespaces,
    ...input.services.map(({ namespace }) => namespace),
  ]),
});

/** One address, and the port that a record of type SRV names. */
interface Found {
  readonly target: string;
  readonly address: string;
  readonly port: number;
}

type Lookup =
  | { readonly kind: 'addresses'; readonly found: readonly Found[] }
  | { readonly kind: 'cname'; readonly target: string }
  | { readonly kind: 'nxdomain' };

const NXDOMAIN: Lookup = { kind: 'nxdomain' };
const NO_DATA: Lookup = { kind: 'addresses', found: [] };

const matches = (wanted: string | undefined, value: string): boolean =>
  wanted === undefined || sameName(wanted, value);

/** endpointHostname: the host name, else the address with dashes. */
const labelOf = ({ hostname, address }: SliceEndpoint): string =>
  hostname ?? address.replaceAll(/[.:]/g, '-');

/** Ready endpoints only; `publishNotReadyAddresses` makes them so in their slices. */
const endpointsOf = (
  service: Service,
  wanted: { endpoint?: string; port?: string; protocol?: string },
): Found[] =>
  service.slices.flatMap(({ endpoints, ports }) =>
    endpoints.flatMap((endpoint) => {
      const label = labelOf(endpoint);
      if (!endpoint.ready || !matches(wanted.endpoint, label)) return [];
      // A slice without ports stands as one port that no record names (object/endpoint.go).
      const shown = ports.length > 0 ? ports : [{ port: -1, protocol: 'tcp' as const }];
      return shown
        .filter(
          ({ name = '', protocol }) =>
            matches(wanted.port, name) && matches(wanted.protocol, protocol),
        )
        .map(({ port = -1 }) => ({
          target: `${label}.${service.name}.${service.namespace}.svc.${CLUSTER_DOMAIN}`,
          address: endpoint.address,
          port,
        }));
    }),
  );

const clusterAddresses = (
  service: Service,
  wanted: { port?: string; protocol?: string },
): Found[] =>
  service.ports
    .filter(
      ({ name = '', protocol }) => matches(wanted.port, name) && matches(wanted.protocol, protocol),
    )
    .flatMap(({ port }) =>
      service.clusterIPs.map(({ ip }) => ({
        target: `${service.name}.${service.namespace}.svc.${CLUSTER_DOMAIN}`,
        address: ip,
        port,
      })),
    );

const foundOr = (found: readonly Found[]): Lookup =>
  found.length > 0 ? { kind: 'addresses', found } : NXDOMAIN;

const isAddress = (text: string): boolean => parseUserIp(text) !== undefined;

/** findServices */
const findService = (
  service: Service | undefined,
  wanted: { endpoint?: string; port?: string; protocol?: string },
): Lookup => {
  if (!service) return NXDOMAIN;
  const { endpoint, port, protocol } = wanted;
  if (service.type === 'ExternalName') {
    const target = service.externalName?.replace(/\.$/, '');
    const isPlain = endpoint === undefined && port === undefined && protocol === undefined;
    // An address is no name that a CNAME could lead to.
    return isPlain && target && !isAddress(target) ? { kind: 'cname', target } : NXDOMAIN;
  }
  return foundOr(
    service.headless || endpoint !== undefined
      ? endpointsOf(service, wanted)
      : clusterAddresses(service, wanted),
  );
};

/** findPods, with `pods insecure`: any address that a name can hold. */
const findPod = (label: string, namespace: string): Lookup => {
  const address =
    label.split('-').length === 4 && !label.includes('--')
      ? label.replaceAll('-', '.')
      : label.replaceAll('-', ':');
  if (!isAddress(address)) return NXDOMAIN;
  const target = `${label}.${namespace}.pod.${CLUSTER_DOMAIN}`;
  return { kind: 'addresses', found: [{ target, address, port: 0 }] };
};

const stripped = (label: string): string => label.replace(/^_/, '');

/** parseRequest and Records: the labels before the zone, from its end on. */
const find = (zone: Zone, name: string): Lookup => {
  const base = name.slice(0, Math.max(0, name.length - CLUSTER_DOMAIN.length - 1));
  if (base === '') return NO_DATA;
  if (sameName(base, 'ns.dns'))
    return foundOr(zone.dnsAddresses.map((address) => ({ target: name, address, port: 53 })));
  const labels = base.split('.').reverse();
  const [kind = '', namespace, object, third, fourth, ...rest] = labels;
  const type = kind.toLowerCase();
  if ((type !== 'svc' && type !== 'pod') || rest.length > 0) return NXDOMAIN;
  if (namespace === undefined) return NO_DATA;
  if (!zone.exposed.has(namespace.toLowerCase())) return NXDOMAIN;
  if (object === undefined) return NO_DATA;
  if (type === 'pod') return findPod(object, namespace);
  const service = zone.byName.get(keyOf(namespace, object));
  if (third === undefined) return findService(service, {});
  if (fourth === undefined) return findService(service, { endpoint: third });
  return findService(service, { protocol: stripped(third), port: stripped(fourth) });
};

/** The record that says for how long a name does not exist (plugin.SOA). */
const soa = (): DnsRecord => ({
  type: 'SOA',
  name: CLUSTER_DOMAIN,
  ttl: TTL,
  mname: `ns.dns.${CLUSTER_DOMAIN}`,
  rname: `hostmaster.${CLUSTER_DOMAIN}`,
  serial: 0,
  refresh: 7200,
  retry: 1800,
  expire: 86_400,
  minimum: TTL,
});

const nothing = (rcode: DnsRcode): ZoneAnswer => ({
  kind: 'answer',
  rcode,
  answers: [],
  authority: [soa()],
  additional: [],
});

const answered = (
  answers: readonly DnsRecord[],
  additional: readonly DnsRecord[] = [],
): ZoneAnswer =>
  answers.length > 0
    ? { kind: 'answer', rcode: 'NOERROR', answers, authority: [], additional }
    : nothing('NOERROR');

const addressRecord = (name: string, address: string): DnsRecord =>
  isIpv4(address)
    ? { type: 'A', name, ttl: TTL, address }
    : { type: 'AAAA', name, ttl: TTL, address };

const ofType = (
  name: string,
  found: readonly Found[],
  type: DnsQuestion['type'],
): readonly DnsRecord[] =>
  [...new Set(found.map(({ address }) => address))]
    .map((address) => addressRecord(name, address))
    .filter((record) => record.type === type);

/** plugin.SRV: all of them of one priority, and of one weight. */
const serviceRecords = (name: string, found: readonly Found[]): ZoneAnswer => {
  const weight = Math.max(1, Math.floor(100 / found.length));
  const seen = new Set<string>();
  const fresh = (key: string): boolean => !seen.has(key) && seen.add(key) !== undefined;
  const shown = found.filter(({ port }) => port !== -1);
  return answered(
    shown
      .filter(({ target, port }) => fresh(`${target} ${port}`))
      .map(({ target, port }) => ({
        type: 'SRV',
        name,
        ttl: TTL,
        priority: 0,
        weight,
        port,
        target,
      })),
    shown
      .filter(({ target, address }) => fresh(`${target} ${address} `))
      .map(({ target, address }) => addressRecord(target, address)),
  );
};

/** maxCnameChainLength of plugin/backend_lookup.go. */
const LONGEST_CHAIN = 10;

/** plugin.A and plugin.AAAA: a CNAME within the zone is followed, one that leads out is handed on. */
const addresses = (
  zone: Zone,
  { name, type }: DnsQuestion,
  before: readonly DnsRecord[],
): ZoneAnswer => {
  const lookup = find(zone, name);
  switch (lookup.kind) {
    case 'nxdomain':
      return before.length > 0 ? nothing('NOERROR') : nothing('NXDOMAIN');
    case 'addresses': {
      const records = ofType(name, lookup.found, type);
      return records.length > 0 ? answered([...before, ...records]) : nothing('NOERROR');
    }
    case 'cname': {
      const { target } = lookup;
      const seen = before.some((one) => one.type === 'CNAME' && sameName(one.target, target));
      if (sameName(target, name) || seen || before.length > LONGEST_CHAIN)
        return nothing('NOERROR');
      const chain: DnsRecord[] = [...before, { type: 'CNAME', name, ttl: TTL, target }];
      return isBelow(target, CLUSTER_DOMAIN)
        ? addresses(zone, { name: target, type }, chain)
        : { kind: 'forward', name: target, answers: chain };
    }
    default: {
      const never: never = lookup;
      return never;
    }
  }
};

/** `3.2.1.10.in-addr.arpa` → `10.1.2.3`. */
const addressOfReverse = (name: string): string | undefined => {
  const labels = /^((?:\d+\.){4})in-addr\.arpa$/i.exec(name)?.[1]?.split('.').slice(0, 4);
  const address = labels?.reverse().join('.');
  return address !== undefined && isIpv4(address) ? address : undefined;
};

/** serviceRecordForIP: a ClusterIP's Service, else every endpoint that has the address. */
const reverse = ({ services }: Zone, ip: string): string[] => {
  const owner = services.find(({ clusterIPs }) => clusterIPs.some((one) => one.ip === ip));
  if (owner) return [`${owner.name}.${owner.namespace}.svc.${CLUSTER_DOMAIN}`];
  return services.flatMap(({ name, namespace, slices }) =>
    slices.flatMap(({ endpoints }) =>
      endpoints
        .filter(({ address, ready }) => ready && address === ip)
        .map((one) => `${labelOf(one)}.${name}.${namespace}.svc.${CLUSTER_DOMAIN}`),
    ),
  );
};

const pointers = (zone: Zone, name: string): ZoneAnswer => {
  const ip = addressOfReverse(name);
  const targets = ip === undefined ? [] : reverse(zone, ip);
  return targets.length > 0
    ? answered(targets.map((target) => ({ type: 'PTR', name, ttl: TTL, target })))
    : { kind: 'forward', name, answers: [] };
};

/** The answer to one question. Records are in the order of their slices: CoreDNS shuffles them. */
export const answerOf = (zone: Zone, question: DnsQuestion): ZoneAnswer => {
  const { name, type } = question;
  if (isBelow(name, 'in-addr.arpa') || isBelow(name, 'ip6.arpa'))
    return type === 'PTR' ? pointers(zone, name) : { kind: 'forward', name, answers: [] };
  if (!isBelow(name, CLUSTER_DOMAIN)) return { kind: 'forward', name, answers: [] };
  if (type === 'A' || type === 'AAAA') return addresses(zone, question, []);
  if (type === 'SOA' && sameName(name, CLUSTER_DOMAIN)) return answered([soa()]);
  if (type === 'TXT' && sameName(name, `dns-version.${CLUSTER_DOMAIN}`))
    return answered([{ type, name, ttl: 28_800, text: '1.1.0' }]);
  const lookup = find(zone, name);
  if (lookup.kind === 'nxdomain') return nothing('NXDOMAIN');
  if (lookup.kind === 'cname')
    return type === 'CNAME'
      ? answered([{ type, name, ttl: TTL, target: lookup.target }])
      : nothing('NOERROR');
  return type === 'SRV' ? serviceRecords(name, lookup.found) : nothing('NOERROR');
};
