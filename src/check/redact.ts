/** A small scenario with neutral names and addresses: what it shows stays, whose it is does not. */
import type { Service } from '../cluster/cluster.ts';
import { findDev } from '../kernel/netdev.ts';
import type { Netdev, Netns, World } from '../kernel/world.ts';
import { type OpenedScenario, openScenario } from '../scenario/open.ts';
import type { ScenarioFault } from '../scenario/schema.ts';
import type { PolicyFacts } from '../trace/policies.ts';
import type { Alternative, DnsQuery, Hop, Leg, Step, TraceFacts } from '../trace/trace.ts';
import type { DnsRecord } from '../wire/dns.ts';
import { isIpv4 } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import { type AddressMap, addressMapOf, type Neutral } from './neutral-address.ts';
import { neutralDnsName } from './neutral-dns.ts';
import { type Names, neutralNames } from './neutral-name.ts';
import { type NeutralLabels, neutralLabels, neutralPolicies } from './neutral-policy.ts';
import { endText, scenarioDocuments } from './scenario-documents.ts';
import { askedPorts } from './small-policies.ts';
import type {
  SmallEnd,
  SmallExpectation,
  SmallNode,
  SmallPod,
  SmallScenario,
} from './small-scenario.ts';

/** What redacting made of a scenario, and of everything that a trace may say about it. */
export interface Redacted {
  readonly small: SmallScenario;
  /** A trace of the original in the redacted names. */
  rename(facts: TraceFacts): TraceFacts;
  /** What the original calls an address, in the redacted names. */
  nameOf(ip: Ip, name: string | undefined): string;
}

/** Names that the World derives from others: devices, MAC addresses, chains. */
interface Derived {
  /** By host and device. */
  readonly devices: ReadonlyMap<string, string>;
  readonly words: ReadonlyMap<string, string>;
}

/** The plugin's own keys without texts that are anybody's: those that matter are no names. */
const neutralConfig = (
  config: Readonly<Record<string, unknown>>,
  addresses: AddressMap,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
      if (typeof value === 'string') {
        const text = addresses.inText(value);
        if (text !== value || /^type$/i.test(key)) return [[key, text]];
        return [];
      }
      if (Array.isArray(value)) return [];
      if (typeof value !== 'object' || value === null) return [[key, value]];
      return [[key, neutralConfig(value as Record<string, unknown>, addresses)]];
    }),
  );

const isV4 = (text: string): boolean => !text.includes(':');

const neutralDns = (
  { policy, nameservers, searches, options, hostAliases }: NonNullable<SmallPod['dns']>,
  names: Names,
  addresses: AddressMap,
): NonNullable<SmallPod['dns']> => {
  const dnsName = (name: string): string => neutralDnsName(name, names, addresses);
  return {
    policy,
    nameservers: nameservers.map((ip) => addresses.ip(ip)),
    searches: searches.map(dnsName),
    options,
    hostAliases: hostAliases.map(({ ip, hostnames }) => ({
      ip: addresses.ip(ip),
      hostnames: hostnames.map(dnsName),
    })),
  };
};

const neutralNode = (
  { name, ip, podCIDR, sysctl, labels, ready }: SmallNode,
  names: Names,
  neutral: NeutralLabels,
  addresses: AddressMap,
): SmallNode => ({
  name: names.node(name),
  ip: addresses.ip(ip),
  podCIDR: addresses.cidr(podCIDR),
  sysctl,
  labels: neutral.labels(labels),
  ready,
});

const neutralPod = (
  pod: SmallPod,
  names: Names,
  neutral: NeutralLabels,
  asked: ReadonlySet<string>,
  addresses: AddressMap,
): SmallPod => {
  const { owner, ip, node } = pod;
  const containerOf = (name: string): string => names.container(pod, name);
  return {
    namespace: names.namespace(pod.namespace),
    name: names.pod(pod),
    ...(node !== undefined && { node: names.node(node) }),
    ...(ip !== undefined && { ip: addresses.ip(ip) }),
    ...(pod.hostname !== undefined && { hostname: names.label(pod.hostname) }),
    ...(pod.subdomain !== undefined && { subdomain: names.label(pod.subdomain) }),
    ...(pod.dns && { dns: neutralDns(pod.dns, names, addresses) }),
    hostNetwork: pod.hostNetwork,
    phase: pod.phase,
    ready: pod.ready,
    labels: neutral.labels(pod.labels),
    containers: pod.containers.map(({ name, sidecar, ports }) => ({
      name: containerOf(name),
      sidecar,
      ports: ports.map(({ name: called, hostIP, ...port }) => ({
        ...(called !== undefined && asked.has(called) && { name: names.port(called) }),
        ...port,
        ...(hostIP !== undefined && { hostIP: addresses.ip(hostIP) }),
      })),
    })),
    listeners: {
      ...pod.listeners,
      rows: pod.listeners.rows.map(({ container, protocol, ip: on, port, evidence }) => ({
        container: containerOf(container),
        protocol,
        ip: addresses.ip(on),
        port,
        evidence,
      })),
    },
    ...(owner && { owner: { kind: owner.kind, name: names.workload(owner) } }),
  };
};

const neutralService = (service: Service, names: Names, addresses: AddressMap): Service => ({
  namespace: names.namespace(service.namespace),
  name: names.service(service.name),
  type: service.type,
  headless: service.headless,
  selector: {},
  ...(service.externalName !== undefined && {
    externalName: neutralExternal(service.externalName, names, addresses),
  }),
  clusterIPs: service.clusterIPs.map((one) => ({ ...one, ip: addresses.ip(one.ip) })),
  ports: service.ports.map(({ name, targetPort, ...port }) => ({
    ...port,
    ...(name !== undefined && { name: names.port(name) }),
    targetPort: typeof targetPort === 'number' ? targetPort : port.port,
  })),
  externalIPs: service.externalIPs.map((ip) => addresses.ip(ip)),
  ingress: service.ingress.flatMap(({ ip, hostname: _, ...one }) =>
    ip === undefined ? [] : [{ ...one, ip: addresses.ip(ip) }],
  ),
  sourceRanges: service.sourceRanges.filter(isV4).map((cidr) => addresses.cidr(cidr)),
  externalTrafficPolicy: service.externalTrafficPolicy,
  internalTrafficPolicy: service.internalTrafficPolicy,
  ...(service.affinitySeconds !== undefined && { affinitySeconds: service.affinitySeconds }),
  ...(service.healthCheckNodePort !== undefined && {
    healthCheckNodePort: service.healthCheckNodePort,
  }),
  publishNotReadyAddresses: service.publishNotReadyAddresses,
  slices: service.slices.map(({ place: _, ...slice }, index) => ({
    ...slice,
    name: `${names.service(service.name)}-${index + 1}`,
    ports: slice.ports.map(({ name, ...port }) => ({
      ...port,
      ...(name !== undefined && { name: names.port(name) }),
    })),
    endpoints: slice.endpoints.map(({ hostname, zone, hints, ...endpoint }) => ({
      ...endpoint,
      ...(hostname !== undefined && { hostname: names.label(hostname) }),
      ...(zone !== undefined && { zone: names.zone(zone) }),
      address: addresses.ip(endpoint.address),
      ...(endpoint.nodeName !== undefined && { nodeName: names.node(endpoint.nodeName) }),
      ...(hints && {
        hints: {
          zones: hints.zones.map((one) => names.zone(one)),
          nodes: hints.nodes.map((node) => names.node(node)),
        },
      }),
    })),
  })),
});

/** An address is no name that leads anywhere, and stays one. */
const neutralExternal = (name: string, names: Names, addresses: AddressMap): string =>
  isIpv4(name) ? addresses.ip(name) : neutralDnsName(name, names, addresses);

const neutralEnd = (end: SmallEnd, names: Names, addresses: AddressMap): SmallEnd => {
  const { kind, namespace, name = '', container, ip } = end;
  if (kind === 'name') return { kind, name: neutralDnsName(name, names, addresses) };
  if (kind === 'service')
    return {
      kind,
      namespace: names.namespace(namespace ?? 'default'),
      name: names.service(name),
    };
  const pod = { namespace: namespace ?? 'default', name };
  return {
    kind,
    ...(namespace !== undefined && { namespace: names.namespace(namespace) }),
    ...(end.name !== undefined && { name: kind === 'pod' ? names.pod(pod) : names.node(name) }),
    ...(container !== undefined && { container: names.container(pod, container) }),
    ...(ip !== undefined && { ip: addresses.ip(ip) }),
  };
};

/** Everything but the faults, which name devices that are not known yet. */
const withoutFaults = (
  small: SmallScenario,
  names: Names,
  addresses: AddressMap,
  neutral: NeutralLabels,
): SmallScenario => ({
  name: 'redacted',
  network: {
    plugin: small.network.plugin,
    backend: small.network.backend,
    podCIDR: addresses.cidr(small.network.podCIDR),
    serviceCIDR: addresses.cidr(small.network.serviceCIDR),
    config: neutralConfig(small.network.config, addresses),
  },
  underlay: { cidr: addresses.cidr(small.underlay.cidr), mtu: small.underlay.mtu },
  nodes: small.nodes.map((node) => neutralNode(node, names, neutral, addresses)),
  pods: small.pods.map((pod) =>
    neutralPod(pod, names, neutral, new Set(small.policies.flatMap(askedPorts)), addresses),
  ),
  policies: neutralPolicies(small, names, neutral, addresses),
  policyEngine: small.policyEngine,
  namespaceLabels: new Map(
    [...small.namespaceLabels].map(([name, labels]) => [
      names.namespace(name),
      neutral.labels(labels),
    ]),
  ),
  namespaces: small.namespaces.map((name) => names.namespace(name)),
  services: small.services.map((service) => neutralService(service, names, addresses)),
  kubeProxy: {
    ...small.kubeProxy,
    clusterCIDR: small.kubeProxy.clusterCIDR.filter(isV4).map((cidr) => addresses.cidr(cidr)),
    nodePortAddresses: small.kubeProxy.nodePortAddresses
      .filter(isV4)
      .map((range) => (range === 'primary' ? range : addresses.cidr(range))),
    ipvs: { ...small.kubeProxy.ipvs, excludeCIDRs: [] },
  },
  faults: [],
  expect: neutralExpectation(small.expect, names, addresses),
});

const neutralExpectation = (
  { backend, sourceSeen, dnat, resolved, ...expect }: SmallExpectation,
  names: Names,
  addresses: AddressMap,
): SmallExpectation => ({
  ...expect,
  from: neutralEnd(expect.from, names, addresses),
  to: neutralEnd(expect.to, names, addresses),
  ...(backend !== undefined && { backend: neutralBackend(backend, names, addresses) }),
  ...(sourceSeen !== undefined && { sourceSeen: addresses.ip(sourceSeen) }),
  ...(dnat && { dnat: { ...dnat, ip: addresses.ip(dnat.ip) } }),
  ...(resolved !== undefined && { resolved: addresses.ip(resolved) }),
});

/** What the address book calls it; else its address. */
const neutralBackend = (backend: string, names: Names, addresses: AddressMap): string => {
  if (backend === 'first') return backend;
  return isIpv4(backend) ? addresses.ip(backend) : names.owner(backend, new Map());
};

const ZERO_MAC = '00:00:00:00:00:00';

const chainsOf = ({ netfilter }: Netns): string[] =>
  netfilter.tables.flatMap(({ chains }) => chains.map(({ name }) => name));

/** The device that has the place of another one: a node's end of a veth pair by its other end. */
const twinOf = (device: Netdev, of: Netns, netns: Netns, names: Names): Netdev | undefined => {
  const peer = device.kind === 'veth' && of.name === 'host' ? device.peer : undefined;
  if (!peer)
    return findDev(netns, device.ifname) ?? netns.devices.find(({ kind }) => kind === device.kind);
  const wanted = names.netns(peer.netns);
  return netns.devices.find((one) => one.kind === 'veth' && one.peer?.netns === wanted);
};

/** Pairs what both Worlds derive from names, namespace by namespace. */
const derivedNames = (
  small: SmallScenario,
  original: World,
  neutral: World,
  names: Names,
): Derived => {
  const devices = new Map<string, string>();
  const words = new Map<string, string>();
  const pairs = small.nodes.flatMap(({ name }) =>
    [...original.host(name).netns.values()].flatMap((was) => {
      const is = neutral.host(names.node(name)).netns.get(names.netnsName(was.name));
      return is ? [{ was, is }] : [];
    }),
  );
  for (const { was, is } of pairs) {
    for (const device of was.devices) {
      const twin = twinOf(device, was, is, names);
      if (!twin) continue;
      devices.set(`${was.id} ${device.ifname}`, twin.ifname);
      words.set(device.ifname, twin.ifname);
      if (device.mac !== ZERO_MAC) words.set(device.mac, twin.mac);
    }
    const [left, right] = [chainsOf(was), chainsOf(is)];
    if (left.length === right.length)
      for (const [at, name] of left.entries()) words.set(name, right[at] ?? name);
  }
  return { devices, words };
};

/** Texts of an operator's own in a command: they do nothing. */
const REMARK = /\s(?:-m\s+comment\s+)?--(?:comment|log-prefix)\s+(?:"[^"]*"|'[^']*'|\S+)/g;
const WORD = /[A-Za-z0-9:_-]+/g;

const neutralCommand = (run: string, { words }: Derived, addresses: AddressMap): string =>
  addresses.inText(run.replaceAll(REMARK, '')).replaceAll(WORD, (word) => words.get(word) ?? word);

const neutralFault = (
  fault: ScenarioFault,
  names: Names,
  derived: Derived,
  addresses: AddressMap,
): ScenarioFault => {
  if ('wire' in fault) {
    const [a, b] = fault.wire;
    return { ...fault, wire: [names.node(a), names.node(b)] };
  }
  const [kind, ...rest] = fault.on.split('/');
  const [namespace = 'default', pod = ''] = rest.length === 1 ? ['default', rest[0]] : rest;
  const on =
    kind === 'node'
      ? `node/${names.node(rest.join('/'))}`
      : `pod/${names.namespace(namespace)}/${names.pod({ namespace, name: pod })}`;
  return { on, run: neutralCommand(fault.run, derived, addresses) };
};

const renameWay = <Way extends Alternative>(way: Way, names: Names, addresses: AddressMap): Way => {
  const { name, address, node } = way;
  return {
    ...way,
    name: way.choice === 'backend' ? neutralBackend(name, names, addresses) : names.node(name),
    ...(address !== undefined && { address: addresses.inText(address) }),
    ...(node !== undefined && { node: names.node(node) }),
  };
};

const opened = async (small: SmallScenario): Promise<OpenedScenario | undefined> => {
  const text = JSON.stringify({ kind: 'List', items: scenarioDocuments(small, '') });
  const result = await openScenario([{ file: 'redacted.json', text }]);
  return result.ok ? result.scenario : undefined;
};

const renameStep = (step: Step, hop: Hop, names: Names, derived: Derived): Step => {
  const { device } = step;
  const detail = { ...step.detail } as Step['detail'] & { process?: string; chain?: string };
  const netns = `${hop.node}/${hop.netns}`;
  return {
    ...step,
    ...(device !== undefined && { device: derived.devices.get(`${netns} ${device}`) ?? device }),
    detail: {
      ...detail,
      ...(step.kind === 'policy' && { pod: names.netnsName((step.detail as PolicyFacts).pod) }),
      ...(detail.process !== undefined && { process: names.process(hop.netns, detail.process) }),
      ...(detail.chain !== undefined && { chain: derived.words.get(detail.chain) ?? detail.chain }),
    } as Step['detail'],
  };
};

/** Its records; that of its packets is nobody's to read here. */
const renameQuery = (query: DnsQuery, names: Names, addresses: AddressMap): DnsQuery => {
  const dnsName = (name: string): string => neutralDnsName(name, names, addresses);
  const { forwarded } = query;
  return {
    ...query,
    name: dnsName(query.name),
    ...(forwarded !== undefined && { forwarded: dnsName(forwarded) }),
    answers: query.answers.map(
      (record): DnsRecord => ({
        ...record,
        ...('target' in record && { target: dnsName(record.target) }),
        name: dnsName(record.name),
      }),
    ),
  };
};

/**
 * Redacts a scenario.
 *
 * @param scenario what `small` was taken from
 * @param neutral how addresses are replaced
 * @returns undefined where the neutral scenario does not open
 */
export const redact = async (
  small: SmallScenario,
  scenario: OpenedScenario,
  neutral: Neutral,
): Promise<Redacted | undefined> => {
  const names = neutralNames(small);
  const addresses = addressMapOf(small, scenario.cluster, neutral);
  const bare = withoutFaults(small, names, addresses, neutralLabels(names));
  const without = await opened(bare);
  if (!without) return undefined;
  const original = scenario.unfaulted ?? scenario.world;
  const derived = derivedNames(small, original, without.world, names);
  const { from, to } = bare.expect;
  return {
    small: {
      ...bare,
      faults: small.faults.map((fault) => neutralFault(fault, names, derived, addresses)),
    },
    rename: (facts) => ({
      ...facts,
      probe: {
        ...facts.probe,
        from: { ...facts.probe.from, text: endText(from) },
        to: { ...facts.probe.to, text: endText(to) },
      },
      ...(facts.told && { told: renameWay(facts.told, names, addresses) }),
      ...(facts.alternatives && {
        alternatives: facts.alternatives.map((way) => renameWay(way, names, addresses)),
      }),
      ...(facts.resolution && {
        resolution: {
          ...facts.resolution,
          queries: facts.resolution.queries.map((query) => renameQuery(query, names, addresses)),
        },
      }),
      legs: facts.legs.map(
        (leg): Leg => ({
          ...leg,
          hops: leg.hops.map((hop) => ({
            node: names.node(hop.node),
            netns: names.netnsName(hop.netns),
            steps: hop.steps.map((step) => renameStep(step, hop, names, derived)),
          })),
        }),
      ),
    }),
    nameOf: (ip, name) =>
      name === undefined ? addresses.ip(ip) : names.owner(name, derived.words),
  };
};
