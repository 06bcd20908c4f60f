/**
 * How a name becomes addresses before a connection: /etc/hosts, then the search list, each name as
 * two queries (A and AAAA) that really travel to the name server (getaddrinfo of glibc 2.36).
 *
 * Simplified: glibc sends both queries of a name before it reads an answer, from one socket; here
 * the second one follows the answer to the first. A query that fails is told once; glibc sends it
 * again after 5 seconds.
 */
import type { Cluster, Pod, Target } from '../cluster/cluster.ts';
import { clusterDnsOf, dnsPodsOf } from '../cluster/dns/cluster-dns.ts';
import { hostsOf, inHosts } from '../cluster/dns/hosts-file.ts';
import { USUAL_DNS } from '../cluster/dns/pod-dns.ts';
import { NODE_RESOLV_CONF, type ResolvConf, resolvConfOf } from '../cluster/dns/resolv-conf.ts';
import { searchList } from '../cluster/dns/search-list.ts';
import { answerOf, createZone, type Zone, type ZoneAnswer } from '../cluster/dns/zone.ts';
import { nearest } from '../cluster/nearest.ts';
import type { Assumption, Probe } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import { dispositionOf } from '../trace/forks.ts';
import { joinQueries } from '../trace/resolution.ts';
import type { CauseFact, Disposition, DnsQuery, Resolution } from '../trace/trace.ts';
import { type DnsQuestion, type DnsRecord, type DnsType, isBelow } from '../wire/dns.ts';
import type { Ip } from '../wire/packet.ts';
import { type Asker, exchange, isRootName, type NameServer, netnsOfPods } from './dns-exchange.ts';

export interface Resolved {
  readonly resolution: Resolution;
  /** What the client may connect to; none where the name is not found. */
  readonly targets: readonly Target[];
  /** What was sent to name servers, in order. */
  readonly probes: readonly Probe[];
  /** After the packets of the queries. */
  readonly world: World;
  readonly assumptions: readonly Assumption[];
  /** Why there is no address. */
  readonly failure?: { readonly disposition: Disposition; readonly cause: CauseFact };
}

export interface NameQuestion {
  readonly cluster: Cluster;
  readonly world: World;
  readonly asker: Asker;
  readonly source: Target;
  readonly name: string;
  readonly port?: number | undefined;
  /** False: by the records, without packets. */
  readonly packets: boolean;
  /** How often the name was looked up before: each time has sockets of its own. Default 0. */
  readonly before?: number | undefined;
}

/** The first source port of a resolver; each name of the search list has a socket of its own. */
const FIRST_SPORT = 41_000;

const podOf = ({ pods }: Cluster, source: Target): Pod | undefined =>
  source.kind === 'container' ? pods[source.pod] : undefined;

const resolvConf = (cluster: Cluster, pod: Pod | undefined): ResolvConf =>
  pod
    ? resolvConfOf(
        { namespace: pod.namespace, hostNetwork: pod.hostNetwork, dns: pod.dns ?? USUAL_DNS },
        clusterDnsOf(cluster),
      )
    : NODE_RESOLV_CONF;

/** `_http._tcp.web.shop` is a service of a protocol, `….in-addr.arpa` an address, all else a host. */
const typesOf = (name: string): readonly DnsType[] => {
  if (/^_[^.]+\._[^.]+\./.test(name)) return ['SRV'];
  return isBelow(name, 'in-addr.arpa') ? ['PTR'] : ['A', 'AAAA'];
};

/** Where records of an answer lead: addresses, and of SRV the port. */
interface Lead {
  readonly ip: Ip;
  readonly port?: number;
}

const leadsOf = (
  { name, type }: DnsQuestion,
  answers: readonly DnsRecord[],
  zone: Zone,
): readonly Lead[] => {
  if (type === 'PTR') {
    const labels = name.split('.').slice(0, 4).reverse();
    return answers.length > 0 ? [{ ip: labels.join('.') }] : [];
  }
  return answers.flatMap((record): Lead[] => {
    if (record.type === 'A') return [{ ip: record.address }];
    if (record.type !== 'SRV') return [];
    // The addresses came along (the additional section).
    const { answers: found } = answerOf(zone, { name: record.target, type: 'A' });
    return found.flatMap((one) =>
      one.type === 'A' ? [{ ip: one.address, port: record.port }] : [],
    );
  });
};

/** A Service's address is its Service; any other one is an address. */
const targetOf = (
  { services, external }: Cluster,
  { ip, port: named }: Lead,
  asked: number | undefined,
): Target => {
  const port = asked ?? named;
  const end = port === undefined ? {} : { port };
  const service = services.findIndex(({ clusterIPs }) => clusterIPs.some((one) => one.ip === ip));
  if (service !== -1) return { kind: 'service', service, ...end };
  return ip === external.ip ? { kind: 'external', ...end } : { kind: 'ip', ip, ...end };
};

/** Names of Services that differ little, or in their namespace only; nearest first. */
const nearNames = ({ services }: Cluster, name: string): string[] => {
  const [first = '', namespace] = name.toLowerCase().split('.');
  const same = services.filter((service) => service.name === first);
  const typed = new Map(services.map((one) => [`${one.name}.${one.namespace}`, one]));
  const like =
    namespace === undefined
      ? nearest(first, new Set(services.map((service) => service.name))).flatMap((found) =>
          services.filter((service) => service.name === found),
        )
      : nearest(`${first}.${namespace}`, typed.keys()).flatMap((found) => typed.get(found) ?? []);
  return [...new Set([...same, ...like].map((one) => `${one.name}.${one.namespace}`))].slice(0, 3);
};

/** What all names of the list came to. */
interface Walked {
  readonly queries: readonly DnsQuery[];
  readonly probes?: readonly Probe[];
  readonly leads: readonly Lead[];
  readonly world: World;
  readonly outcome: Resolution['outcome'];
  readonly outside?: string;
}

/** The first name server that answers; each is asked in turn. */
const askAll = (
  world: World,
  asker: Asker,
  servers: readonly NameServer[],
  question: DnsQuestion,
  sport: number,
): { readonly queries: DnsQuery[]; readonly probes: Probe[]; readonly world: World } => {
  const queries: DnsQuery[] = [];
  const probes: Probe[] = [];
  let now = world;
  for (const server of servers) {
    const { query, probe, world: after } = exchange(now, asker, server, question, sport);
    queries.push(query);
    probes.push(probe);
    now = after;
    if (query.disposition === 'delivered' || query.disposition === 'inconclusive') break;
  }
  return { queries, probes, world: now };
};

/** The host outside that a CNAME which leads out of the cluster is taken for. */
const outsideOf = (query: DnsQuery | undefined): string | undefined =>
  query?.forwarded !== undefined && query.answers.length > 0 ? query.forwarded : undefined;

const walkList = (
  { world, asker, cluster, before = 0 }: NameQuestion,
  names: readonly string[],
  servers: readonly NameServer[],
  zone: Zone,
): Walked => {
  const queries: DnsQuery[] = [];
  const probes: Probe[] = [];
  const firstPort = FIRST_SPORT + before * names.length;
  let now = world;
  const done = (outcome: Walked['outcome'], leads: readonly Lead[] = []): Walked => ({
    queries,
    probes,
    leads,
    world: now,
    outcome,
  });
  for (const [at, name] of names.entries()) {
    const leads: Lead[] = [];
    for (const type of typesOf(name)) {
      const asked = askAll(now, asker, servers, { name, type }, firstPort + at);
      queries.push(...asked.queries);
      probes.push(...asked.probes);
      now = asked.world;
      const last = asked.queries.at(-1);
      const outside = outsideOf(last);
      if (outside !== undefined)
        return { ...done('found', [{ ip: cluster.external.ip }]), outside };
      if (last?.disposition === 'inconclusive') return done('unknown');
      if (last?.disposition !== 'delivered') return done('unreachable');
      leads.push(...leadsOf(last, last.answers, zone));
    }
    if (leads.length > 0) return done('found', leads);
  }
  return done('not-found');
};

/** By the records alone: the first name of the list that has an address. */
const lookUp = (
  { cluster }: NameQuestion,
  names: readonly string[],
  zone: Zone,
): Omit<Walked, 'world'> => {
  for (const name of names) {
    const found: Lead[] = [];
    for (const type of typesOf(name)) {
      const answer: ZoneAnswer = answerOf(zone, { name, type });
      if (answer.kind === 'answer') found.push(...leadsOf({ name, type }, answer.answers, zone));
      else if (answer.answers.length > 0)
        return {
          queries: [],
          leads: [{ ip: cluster.external.ip }],
          outcome: 'found',
          outside: answer.name,
        };
      else if (!isRootName(name)) return { queries: [], leads: [], outcome: 'unknown' };
    }
    if (found.length > 0) return { queries: [], leads: found, outcome: 'found' };
  }
  return { queries: [], leads: [], outcome: 'not-found' };
};

/** Of a query that fails: whether it does so whichever Pod of the name server is picked. */
const fateOf = ({ disposition, alternatives = [] }: DnsQuery): Disposition =>
  dispositionOf([disposition, ...alternatives.map((other) => other.disposition)], 0);

/** The cause of a name that has no address; its step is that of the query which failed. */
const failureOf = ({ outcome, queries }: Resolution): Resolved['failure'] => {
  const last = queries.at(-1);
  switch (outcome) {
    case 'found':
      return undefined;
    case 'not-found':
      return { disposition: 'rejected', cause: { code: 'DNS_NXDOMAIN' } };
    case 'unreachable': {
      const failed = queries.find(({ disposition }) => disposition !== 'delivered');
      const { code, ...rest } = failed?.cause ?? {};
      return {
        disposition: failed ? fateOf(failed) : 'dropped',
        cause: { code: 'DNS_UNREACHABLE', ...rest, ...(code && { inner: code }) },
      };
    }
    case 'unknown':
      return { disposition: 'inconclusive', cause: last?.cause ?? { code: 'FACT_MISSING' } };
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

const assumptionsOf = ({ outside, queries }: Omit<Walked, 'world'>): Assumption[] => [
  ...(outside === undefined ? [] : [{ code: 'dns-outside', subject: outside } as const]),
  ...(queries.some(({ name }) => isRootName(name))
    ? [{ code: 'dns-root', subject: queries.at(-1)?.name ?? '' } as const]
    : []),
];

/** Resolves a name as the source's resolver would. */
export const resolveName = (question: NameQuestion): Resolved => {
  const { cluster, world, source, name, port, packets } = question;
  const pod = podOf(cluster, source);
  const conf = resolvConf(cluster, pod);
  const hosts = inHosts(pod ? hostsOf(pod) : [], name);
  const { policy, nameservers, searches, options, ndots, node } = conf;
  const base = { name, resolvConf: { policy, nameservers, searches, options, ndots, node } };
  if (hosts) {
    const resolution: Resolution = {
      ...base,
      by: 'hosts',
      queries: [],
      outcome: 'found',
      addresses: [hosts.ip],
    };
    const targets = [targetOf(cluster, hosts, port)];
    return { resolution, targets, probes: [], world, assumptions: [] };
  }
  const dnsAddresses = clusterDnsOf(cluster);
  const zone = createZone({
    services: cluster.services,
    namespaces: cluster.namespaces,
    dnsAddresses,
  });
  const netns = netnsOfPods(dnsPodsOf(cluster));
  const servers = nameservers
    .filter((ip) => !ip.includes(':'))
    .map((ip): NameServer => ({ ip, zone, netns }));
  const typed = typesOf(name)[0] === 'PTR' && !name.endsWith('.') ? `${name}.` : name;
  const names = searchList(typed, conf);
  // What the node's own file begins with is asked first, and nobody knows it.
  const isKnown = packets ? servers.length > 0 && !node : !node;
  const walked: Walked = !isKnown
    ? { queries: [], leads: [], world, outcome: 'unknown' }
    : packets
      ? walkList(question, names, servers, zone)
      : { ...lookUp(question, names, zone), world };
  const near = walked.outcome === 'found' ? [] : nearNames(cluster, name);
  const resolution = joinQueries({
    ...base,
    by: packets ? 'dns' : 'records',
    queries: walked.queries,
    outcome: walked.outcome,
    addresses: [...new Set(walked.leads.map(({ ip }) => ip))],
    ...(near.length > 0 && { near }),
  });
  const failure = failureOf(resolution);
  return {
    resolution,
    targets: walked.leads.map((lead) => targetOf(cluster, lead, port)),
    probes: walked.probes ?? [],
    world: walked.world,
    assumptions: assumptionsOf(walked),
    ...(failure && { failure }),
  };
};
