/** A small scenario with neutral names and addresses: what it shows stays, whose it is does not. */
import type { Service } from '../cluster/cluster.ts';
import { findDev } from '../kernel/netdev.ts';
import type { Netdev, Netns, World } from '../kernel/world.ts';
import { type OpenedScenario, openScenario } from '../scenario/open.ts';
import type { ScenarioFault } from '../scenario/schema.ts';
import type { Hop, Step, TraceFacts } from '../trace/trace.ts';
import type { Ip } from '../wire/packet.ts';
import { type AddressMap, addressMapOf, type Neutral } from './neutral-address.ts';
import { type Names, neutralNames, serviceName } from './neutral-name.ts';
import { endText, scenarioDocuments } from './scenario-documents.ts';
import type { SmallEnd, SmallPod, SmallScenario } from './small-scenario.ts';

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

const neutralPod = (pod: SmallPod, names: Names, addresses: AddressMap): SmallPod => {
  const { owner, ip, node } = pod;
  const containerOf = (name: string): string => names.container(pod, name);
  return {
    namespace: names.namespace(pod.namespace),
    name: names.pod(pod),
    ...(node !== undefined && { node: names.node(node) }),
    ...(ip !== undefined && { ip: addresses.ip(ip) }),
    hostNetwork: pod.hostNetwork,
    phase: pod.phase,
    ready: pod.ready,
    containers: pod.containers.map(({ name, sidecar, ports }) => ({
      name: containerOf(name),
      sidecar,
      ports: ports.map(({ name: _, hostIP, ...port }) => ({
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

const isV4 = (text: string): boolean => !text.includes(':');

/** Of IPv6 the endpoints stay, which may be all that there are. Zones are names too, and say nothing here. */
const neutralService = (
  service: Service,
  at: number,
  names: Names,
  addresses: AddressMap,
): Service => ({
  namespace: names.namespace(service.namespace),
  name: serviceName(at),
  type: service.type,
  headless: service.headless,
  selector: {},
  ...(service.externalName !== undefined && { externalName: 'service.example' }),
  clusterIPs: service.clusterIPs
    .filter(({ family }) => family === 4)
    .map((one) => ({ ...one, ip: addresses.ip(one.ip) })),
  ports: service.ports.map(({ name, targetPort, ...port }, index) => ({
    ...port,
    ...(name !== undefined && { name: `port-${index + 1}` }),
    targetPort: typeof targetPort === 'number' ? targetPort : port.port,
  })),
  externalIPs: service.externalIPs.filter(isV4).map((ip) => addresses.ip(ip)),
  ingress: service.ingress.flatMap(({ ip, hostname: _, ...one }) =>
    ip !== undefined && isV4(ip) ? [{ ...one, ip: addresses.ip(ip) }] : [],
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
    name: `${serviceName(at)}-${index + 1}`,
    ports: slice.ports.map(({ name, ...port }) => {
      const own = service.ports.findIndex((one) => one.name === name);
      return name === undefined ? port : { ...port, name: `port-${own + 1}` };
    }),
    endpoints: slice.endpoints.map(
      ({ hostname: _host, zone: _zone, hints, ...endpoint }, number) => ({
        ...endpoint,
        address: slice.family === 4 ? addresses.ip(endpoint.address) : `fd00::${number + 1}`,
        ...(endpoint.nodeName !== undefined && { nodeName: names.node(endpoint.nodeName) }),
        ...(hints &&
          hints.nodes.length > 0 && {
            hints: { zones: [], nodes: hints.nodes.map((node) => names.node(node)) },
          }),
      }),
    ),
  })),
});

const neutralEnd = (
  end: SmallEnd,
  names: Names,
  addresses: AddressMap,
  services: readonly Service[],
): SmallEnd => {
  const { kind, namespace, name, container, ip } = end;
  if (kind === 'service') {
    const at = services.findIndex((one) => one.namespace === namespace && one.name === name);
    return { kind, namespace: names.namespace(namespace ?? 'default'), name: serviceName(at) };
  }
  const pod = { namespace: namespace ?? 'default', name: name ?? '' };
  return {
    kind,
    ...(namespace !== undefined && { namespace: names.namespace(namespace) }),
    ...(name !== undefined && { name: kind === 'pod' ? names.pod(pod) : names.node(name) }),
    ...(container !== undefined && { container: names.container(pod, container) }),
    ...(ip !== undefined && { ip: addresses.ip(ip) }),
  };
};

/** Everything but the faults, which name devices that are not known yet. */
const withoutFaults = (
  small: SmallScenario,
  names: Names,
  addresses: AddressMap,
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
  nodes: small.nodes.map(({ name, ip, podCIDR, sysctl }) => ({
    name: names.node(name),
    ip: addresses.ip(ip),
    podCIDR: addresses.cidr(podCIDR),
    sysctl,
  })),
  pods: small.pods.map((pod) => neutralPod(pod, names, addresses)),
  services: small.services.map((service, at) => neutralService(service, at, names, addresses)),
  kubeProxy: {
    ...small.kubeProxy,
    clusterCIDR: small.kubeProxy.clusterCIDR.filter(isV4).map((cidr) => addresses.cidr(cidr)),
    nodePortAddresses: small.kubeProxy.nodePortAddresses
      .filter(isV4)
      .map((range) => (range === 'primary' ? range : addresses.cidr(range))),
    ipvs: { ...small.kubeProxy.ipvs, excludeCIDRs: [] },
  },
  faults: [],
  expect: {
    ...small.expect,
    from: neutralEnd(small.expect.from, names, addresses, small.services),
    to: neutralEnd(small.expect.to, names, addresses, small.services),
  },
});

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
      ...(detail.process !== undefined && { process: names.process(hop.netns, detail.process) }),
      ...(detail.chain !== undefined && { chain: derived.words.get(detail.chain) ?? detail.chain }),
    } as Step['detail'],
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
  const bare = withoutFaults(small, names, addresses);
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
      legs: facts.legs.map((leg) => ({
        ...leg,
        hops: leg.hops.map((hop) => ({
          node: names.node(hop.node),
          netns: names.netnsName(hop.netns),
          steps: hop.steps.map((step) => renameStep(step, hop, names, derived)),
        })),
      })),
    }),
    nameOf: (ip, name) =>
      name === undefined ? addresses.ip(ip) : names.owner(name, derived.words),
  };
};
