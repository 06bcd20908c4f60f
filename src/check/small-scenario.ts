/** The smallest cluster that gives one trace: what the trace touched, with nothing left to decide. */
import type {
  Cluster,
  ClusterNode,
  KubeProxyConfig,
  Network,
  Pod,
  Service,
} from '../cluster/cluster.ts';
import type { Policy } from '../cluster/policy/policy.ts';
import type { Labels } from '../cluster/selector.ts';
import type { NetnsId } from '../kernel/world.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import type { ScenarioFault } from '../scenario/schema.ts';
import { allLegs } from '../trace/resolution.ts';
import type { Disposition, EndpointRef, Socketed, Step, TraceFacts } from '../trace/trace.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import type { Question } from './ask.ts';
import { namespacesAsked, servicesAsked } from './asked-names.ts';
import { askedLabels, labelsWith, policiesAbout } from './small-policies.ts';

/**
 * How much is taken: what the trace touched; all Pods of the nodes that it touched, with Services
 * and faults; or everything.
 */
export type Reach = 'touched' | 'nodes' | 'all';

export const REACHES: readonly Reach[] = ['touched', 'nodes', 'all'];

export type SmallNode = Pick<ClusterNode, 'name' | 'ip' | 'podCIDR' | 'sysctl' | 'ready'> & {
  /** Those that decide where Services lead. */
  readonly labels: ClusterNode['labels'];
};

export type SmallPod = Pick<
  Pod,
  | 'namespace'
  | 'name'
  | 'node'
  | 'ip'
  | 'hostNetwork'
  | 'phase'
  | 'ready'
  | 'containers'
  | 'listeners'
> &
  // Of a question about a name.
  Partial<Pick<Pod, 'hostname' | 'subdomain' | 'dns'>> & {
    /** Those that a policy asks for. */
    readonly labels: Pod['labels'];
    /** The workload that the question names. */
    readonly owner?: { readonly kind: string; readonly name: string };
  };

/** One end of the question, as it is written without a namespace that is understood. */
export type SmallEnd = Pick<EndpointRef, 'kind' | 'namespace' | 'name' | 'container' | 'ip'>;

export interface SmallExpectation {
  readonly from: SmallEnd;
  readonly to: SmallEnd;
  readonly protocol: string;
  readonly port?: number;
  readonly size?: number;
  /** `first`, or the name of a backend in the address book. */
  readonly backend?: string;
  readonly disposition: Disposition;
  readonly cause?: string;
  readonly symptom: string;
  /** Where the source was rewritten, or the destination. */
  readonly sourceSeen?: Ip;
  /** Where there is one way only. */
  readonly dnat?: Socketed;
  /** The first of the addresses that the name stands for. */
  readonly resolved?: Ip;
}

/** A cluster that leaves nothing to be made up. */
export interface SmallScenario {
  readonly name: string;
  readonly network: Pick<Network, 'plugin' | 'backend' | 'podCIDR' | 'serviceCIDR' | 'config'>;
  readonly underlay: { readonly cidr: Cidr; readonly mtu: number };
  readonly nodes: readonly SmallNode[];
  readonly pods: readonly SmallPod[];
  /** Those that a name may mean, though there is nothing in them. */
  readonly namespaces: readonly string[];
  /** Labels that a policy asks for, of namespaces that have one. */
  readonly namespaceLabels: ReadonlyMap<string, Labels>;
  /** Those about one of the Pods. */
  readonly policies: readonly Policy[];
  readonly policyEngine: Cluster['policyEngine'];
  readonly services: readonly Service[];
  readonly kubeProxy: KubeProxyConfig;
  readonly faults: readonly ScenarioFault[];
  readonly expect: SmallExpectation;
}

/** Hosts and namespaces that a trace needs. */
interface Touched {
  readonly hosts: Set<string>;
  readonly netns: Set<NetnsId>;
  /** Addresses that the packets had, or were sent to. */
  readonly ips: Set<Ip>;
}

const IP_FIELDS = ['dst', 'src', 'ip', 'remote', 'local'] as const;

/** Addresses that a step names, and processes that hold a port on their node's network. */
const namedIn = (detail: Step['detail']): { ips: Ip[]; process: string | undefined } => {
  const fields: Readonly<Record<string, unknown>> = { ...detail };
  const ips = IP_FIELDS.flatMap((key) => {
    const value = fields[key];
    return typeof value === 'string' ? [value] : [];
  });
  const { process } = fields;
  return { ips, process: typeof process === 'string' ? process : undefined };
};

const touchedBy = (facts: TraceFacts, { world, cluster }: OpenedScenario): Touched => {
  const touched: Touched = { hosts: new Set(), netns: new Set(), ips: new Set() };
  const own = (ip: Ip): void => {
    touched.ips.add(ip);
    for (const { host, netns } of world.book.owners(ip)) {
      touched.hosts.add(host);
      touched.netns.add(netns);
    }
  };
  for (const { from, to } of [facts.probe]) {
    for (const end of [from, to]) if (end.ip !== undefined) own(end.ip);
  }
  for (const { node, netns, steps } of allLegs(facts).flatMap(({ hops }) => hops)) {
    touched.hosts.add(node);
    touched.netns.add(`${node}/${netns}`);
    for (const { detail } of steps) {
      const { ips, process } = namedIn(detail);
      ips.forEach(own);
      const pod = cluster.pods.find(
        (one) => one.hostNetwork && process?.startsWith(`${one.namespace}/${one.name}/`),
      );
      if (pod) touched.netns.add(netnsOfPod(pod));
    }
  }
  return touched;
};

/** Where a Pod would be if it had a namespace of its own: enough to tell Pods apart. */
const netnsOfPod = ({ node, namespace, name }: Pod): NetnsId => `${node}/${namespace}/${name}`;

const isEnd = ({ namespace, name }: Pod, end: EndpointRef): boolean =>
  end.kind === 'pod' && end.namespace === namespace && end.name === name;

/** The objects that a fault is done to. */
const objectOf = (fault: ScenarioFault): { nodes: readonly string[]; pod?: string } => {
  if ('wire' in fault) return { nodes: fault.wire };
  const [kind, ...rest] = fault.on.split('/');
  if (kind === 'node') return { nodes: rest };
  return { nodes: [], pod: rest.length === 1 ? `default/${rest[0]}` : rest.join('/') };
};

export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const EXCLUDED_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** Labels of nodes that decide something about Services. */
const decidingLabels = (services: readonly Service[]): readonly string[] => [
  ...(services.some(({ ingress, externalIPs }) => ingress.length + externalIPs.length > 0)
    ? [EXCLUDED_LABEL]
    : []),
  ...(services.some(({ slices }) => slices.some(({ endpoints }) => endpoints.some(isHinted)))
    ? [ZONE_LABEL]
    : []),
];

const isHinted = ({ hints }: Service['slices'][number]['endpoints'][number]): boolean =>
  (hints?.zones.length ?? 0) > 0;

/** Machines beside the nodes are always there. */
const smallNode = (
  { name, ip, podCIDR, sysctl, labels, ready }: ClusterNode,
  services: readonly Service[],
  asked: ReadonlySet<string>,
): SmallNode => ({
  name,
  ip,
  podCIDR,
  sysctl,
  labels: labelsWith(labels, [...decidingLabels(services), ...asked]),
  ready: ready || services.length === 0,
});

/** A name is what was asked for, whatever it led to. */
const smallTarget = ({ probe: { to }, resolution }: TraceFacts): SmallEnd =>
  resolution ? { kind: 'name', name: resolution.name } : smallEnd(to);

/** Where there is one way only, nobody told which one it is. */
const backendOf = (
  { told, dnat }: TraceFacts,
  { backend = 'all' }: Question,
  { world }: OpenedScenario,
): Pick<SmallExpectation, 'backend'> => {
  if (backend === 'all') return {};
  if (backend === 'first') return { backend };
  return { backend: told?.name ?? (dnat && world.book.owners(dnat.ip)[0]?.name) ?? backend };
};

const expectationOf = (
  facts: TraceFacts,
  question: Question,
  scenario: OpenedScenario,
): SmallExpectation => {
  const { probe, disposition, cause, symptom, sourceSeen, dnat, told, resolution } = facts;
  const [resolved] = resolution?.addresses ?? [];
  const isRewritten = sourceSeen?.rewritten !== undefined || dnat !== undefined;
  return {
    from: smallEnd(probe.from),
    to: smallTarget(facts),
    protocol: probe.protocol,
    ...(probe.port !== undefined && { port: probe.port }),
    ...(probe.size !== undefined && { size: probe.size }),
    ...backendOf(facts, question, scenario),
    disposition,
    ...(cause && { cause: cause.code }),
    symptom,
    ...(sourceSeen && isRewritten && { sourceSeen: sourceSeen.ip }),
    ...(dnat && (told?.others ?? 0) === 0 && { dnat: { ip: dnat.ip, ...numberOf(dnat) } }),
    ...(resolved !== undefined && { resolved }),
  };
};

const numberOf = ({ port }: Socketed) => (typeof port === 'number' ? { port } : {});

const smallEnd = ({ kind, namespace, name, container, ip }: EndpointRef): SmallEnd => ({
  kind,
  ...((kind === 'pod' || kind === 'service') && namespace !== undefined && { namespace }),
  ...(kind !== 'external' && kind !== 'ip' && name !== undefined && { name }),
  ...(container !== undefined && { container }),
  ...(ip !== undefined && { ip }),
});

/** Services that the question names, that have an address of the packets, or their NodePort. */
const servicesOf = (
  cluster: Cluster,
  { probe, resolution }: TraceFacts,
  { ips }: Touched,
): Service[] => {
  const asked = new Set(resolution && servicesAsked(cluster, resolution));
  return cluster.services.filter((service) => {
    const { namespace, name, clusterIPs, externalIPs, ingress, ports } = service;
    const { to, port } = probe;
    const isNamed = to.kind === 'service' && to.namespace === namespace && to.name === name;
    const own = [
      ...clusterIPs.map(({ ip }) => ip),
      ...externalIPs,
      ...ingress.flatMap(({ ip }) => ip ?? []),
    ];
    return (
      isNamed ||
      asked.has(service) ||
      own.some((ip) => ips.has(ip)) ||
      (port !== undefined && ports.some(({ nodePort }) => nodePort === port))
    );
  });
};

/** A Service that names Pods by their place among those that are kept. */
const withPods = (service: Service, indexes: ReadonlyMap<number, number>): Service => ({
  ...service,
  slices: service.slices.map((slice) => ({
    ...slice,
    endpoints: slice.endpoints.map(({ pod, ...endpoint }) => {
      const index = pod === undefined ? undefined : indexes.get(pod);
      return index === undefined ? endpoint : { ...endpoint, pod: index };
    }),
  })),
});

/** Takes out of a cluster what one trace needs, and makes explicit what was decided for it. */
export const smallScenario = (
  scenario: OpenedScenario,
  facts: TraceFacts,
  question: Question,
  reach: Reach,
): SmallScenario => {
  const { cluster } = scenario;
  const { probe } = facts;
  const ends = [probe.from, probe.to];
  const touched = touchedBy(facts, scenario);
  const services = reach === 'touched' ? servicesOf(cluster, facts, touched) : cluster.services;
  // Every backend is an answer to the question.
  const backends = new Set(
    reach === 'touched'
      ? services.flatMap(({ slices }) =>
          slices.flatMap(({ endpoints }) =>
            endpoints.flatMap(({ pod: at }) => (at === undefined ? [] : (cluster.pods[at] ?? []))),
          ),
        )
      : [],
  );
  const isTouched = (pod: Pod): boolean =>
    backends.has(pod) || ends.some((end) => isEnd(pod, end)) || touched.netns.has(netnsOfPod(pod));
  for (const pod of cluster.pods)
    if (isTouched(pod) && pod.node !== undefined) touched.hosts.add(pod.node);
  const faults = scenario.faults.filter((fault) => {
    const { nodes, pod } = objectOf(fault);
    const known = cluster.pods.find(({ namespace, name }) => `${namespace}/${name}` === pod);
    return (
      reach !== 'touched' ||
      (nodes.every((node) => touched.hosts.has(node)) && (!known || isTouched(known)))
    );
  });
  const broken = faults.map(objectOf);
  for (const { nodes } of broken) for (const node of nodes) touched.hosts.add(node);
  const isWanted = (pod: Pod): boolean =>
    reach === 'all' ||
    isTouched(pod) ||
    broken.some(({ pod: name }) => name === `${pod.namespace}/${pod.name}`) ||
    (reach === 'nodes' && pod.node !== undefined && touched.hosts.has(pod.node));
  const pods = cluster.pods.filter(isWanted);
  const kept = new Map(pods.map((pod, at) => [pod, at]));
  const indexes = new Map(
    cluster.pods.flatMap((pod, at) => {
      const index = kept.get(pod);
      return index === undefined ? [] : [[at, index] as const];
    }),
  );
  const used = new Set(pods.map(({ node }) => node));
  const nodes = cluster.nodes.filter(
    ({ name }) => reach === 'all' || touched.hosts.has(name) || used.has(name),
  );
  const policies = policiesAbout(scenario, pods);
  const asked = askedLabels(policies);
  return {
    name: scenario.name,
    network: cluster.network,
    underlay: cluster.underlay,
    nodes: nodes.map((node) => smallNode(node, services, asked.nodes)),
    pods: pods.map((pod): SmallPod => {
      const { workload } = ends.find((end) => isEnd(pod, end)) ?? {};
      const { hostname: _h, subdomain: _s, dns: _d, ...rest } = pod;
      return {
        ...(facts.resolution ? pod : rest),
        labels: labelsWith(pod.labels, asked.pods),
        ...(workload && { owner: workload }),
      };
    }),
    namespaces: facts.resolution ? namespacesAsked(cluster, facts.resolution) : [],
    namespaceLabels: new Map(
      [...new Set(pods.map(({ namespace }) => namespace))].flatMap((name) => {
        const labels = labelsWith(cluster.namespaceLabels.get(name) ?? {}, asked.namespaces);
        return Object.keys(labels).length === 0 ? [] : [[name, labels]];
      }),
    ),
    policies,
    policyEngine: cluster.policyEngine,
    services: services.map((service) => withPods(service, indexes)),
    kubeProxy: cluster.kubeProxy,
    faults,
    expect: expectationOf(facts, question, scenario),
  };
};
