/** What people type for an end of a path, and what of a cluster it means (design section 6). */
import { isDnsName } from '../wire/dns.ts';
import { isIpv4 } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import { parseUserIp } from '../wire/parse-ip.ts';
import type { Cluster, Pod, Service, Target, Workload } from './cluster.ts';
import type { Diagnostic } from './diagnostic.ts';
import { didYouMean, nearest } from './nearest.ts';

/** Kinds that an endpoint may name, with everything that kubectl calls them; the first is ours. */
const KINDS = {
  Pod: ['pod', 'pods', 'po'],
  Deployment: ['deploy', 'deployment', 'deployments'],
  ReplicaSet: ['rs', 'replicaset', 'replicasets'],
  StatefulSet: ['sts', 'statefulset', 'statefulsets'],
  DaemonSet: ['ds', 'daemonset', 'daemonsets'],
  Job: ['job', 'jobs'],
  CronJob: ['cj', 'cronjob', 'cronjobs'],
  ReplicationController: ['rc', 'replicationcontroller', 'replicationcontrollers'],
  Service: ['svc', 'service', 'services'],
  Node: ['node', 'nodes', 'no'],
} as const;

export type EndpointKind = keyof typeof KINDS;

const KIND_OF: ReadonlyMap<string, EndpointKind> = new Map(
  (Object.keys(KINDS) as EndpointKind[]).flatMap((kind) =>
    KINDS[kind].map((alias): [string, EndpointKind] => [alias, kind]),
  ),
);

/** A port, or a name: of a container, or of a Service's port. */
export type EndpointSuffix = { readonly port: number } | { readonly name: string };

export type ParsedEndpoint =
  | { readonly form: 'external'; readonly port?: number }
  | { readonly form: 'ip'; readonly ip: Ip; readonly port?: number }
  | {
      readonly form: 'object';
      readonly kind: EndpointKind;
      readonly namespace?: string;
      readonly name: string;
      readonly suffix?: EndpointSuffix;
      /** The kind was written, not taken for granted. */
      readonly explicit: boolean;
    };

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

const FORMS =
  'An endpoint is [namespace/]pod[:port or :container], [namespace/]kind/name[:port or :container], [namespace/]svc/name[:port or :name of a port], an IP address[:port], a name[:port] or external.';

const isProblem = (value: object): value is Problem => 'message' in value;

const problem = (code: string, message: string, hint?: string): Problem => ({
  code,
  message,
  hint,
});

const readPort = (digits: string): number | Problem => {
  const port = Number(digits);
  return port >= 1 && port <= 65535
    ? port
    : problem('bad-port', `${digits} is no port; ports are 1 to 65535`);
};

const readSuffix = (text: string): EndpointSuffix | Problem => {
  if (!/^\d+$/.test(text)) return { name: text };
  const port = readPort(text);
  return typeof port === 'number' ? { port } : port;
};

const isIpv6Like = (text: string): boolean =>
  /^\[.*\](?::\d+)?$/.test(text) || (/^[0-9a-fA-F:.]+$/.test(text) && text.split(':').length > 2);

/** `fd00::1`, `[fd00::1]`, `[fd00::1]:80`. */
const readIpv6 = (text: string): ParsedEndpoint | Problem => {
  const [, inside = text, digits] = /^\[(.*)\](?::(\d+))?$/.exec(text) ?? [];
  const parsed = parseUserIp(inside);
  if (parsed?.family !== 6) return problem('bad-endpoint', `${text} is no IPv6 address`, FORMS);
  const port = digits === undefined ? undefined : readPort(digits);
  if (typeof port === 'object') return port;
  return { form: 'ip', ip: parsed.ip, ...(port !== undefined && { port }) };
};

/** `10.1.2.3`, `10.1.2.3:80`, `external:443`: an address with nothing but a port behind it. */
const readAddress = (text: string): ParsedEndpoint | Problem | undefined => {
  if (isIpv6Like(text)) return readIpv6(text);
  const [address = '', digits, ...rest] = text.split(':');
  if (address !== 'external' && !isIpv4(address)) return undefined;
  if (rest.length > 0 || (digits !== undefined && !/^\d+$/.test(digits)))
    return problem('bad-endpoint', `${text}: only a port may follow ${address}`, FORMS);
  const port = digits === undefined ? undefined : readPort(digits);
  if (typeof port === 'object') return port;
  const end = port === undefined ? {} : { port };
  return address === 'external'
    ? { form: 'external', ...end }
    : { form: 'ip', ip: address, ...end };
};

/**
 * Takes an endpoint apart. A kind wins over a namespace of its name: `node/a` is Node a, never Pod
 * a of namespace node. No cluster is asked.
 */
export const parseEndpoint = (typed: string): ParsedEndpoint | Problem => {
  const text = typed.trim();
  const address = readAddress(text);
  if (address) return address;
  const [path = '', ...suffixes] = text.split(':');
  const parts = path.split('/');
  if (parts.length > 3 || parts.some((part) => part === '') || suffixes.some((s) => s === ''))
    return problem('bad-endpoint', `${JSON.stringify(typed)} is no endpoint`, FORMS);
  if (suffixes.length > 1)
    return problem(
      'bad-endpoint',
      `${text} has two suffixes`,
      `Write ${path}:${suffixes.find((s) => !/^\d+$/.test(s)) ?? suffixes[0]} and give the port with -p.`,
    );
  const suffix = suffixes[0] === undefined ? undefined : readSuffix(suffixes[0]);
  if (suffix && isProblem(suffix)) return suffix;
  const name = parts.at(-1) ?? '';
  const before = parts.at(-2);
  const kind = before === undefined ? undefined : KIND_OF.get(before.toLowerCase());
  const end = { name, ...(suffix && { suffix }) };
  if (parts.length === 3) {
    if (kind) return { form: 'object', kind, namespace: parts[0] ?? '', explicit: true, ...end };
    return problem(
      'unknown-kind',
      `${before} in ${text} is no kind of endpoint`,
      didYouMean(nearest(before ?? '', KIND_OF.keys())) ??
        `Kinds are ${Object.values(KINDS)
          .map(([first]) => first)
          .join(', ')}.`,
    );
  }
  if (kind) return { form: 'object', kind, explicit: true, ...end };
  return {
    form: 'object',
    kind: 'Pod',
    explicit: false,
    ...(before !== undefined && { namespace: before }),
    ...end,
  };
};

const short = (kind: string): string =>
  Object.hasOwn(KINDS, kind) ? KINDS[kind as EndpointKind][0] : kind.toLowerCase();

/** How a Pod or workload is typed, from a namespace. */
const typedAs = (
  item: { readonly kind?: string; readonly namespace: string; readonly name: string },
  namespace: string,
): string => {
  // A kind wins over a namespace of its name, so there the kind has to be said.
  const isKind = KIND_OF.has(item.namespace.toLowerCase());
  const kind = item.kind ?? (isKind && item.namespace !== namespace ? 'Pod' : undefined);
  const name = kind === undefined ? item.name : `${short(kind)}/${item.name}`;
  return item.namespace === namespace ? name : `${item.namespace}/${name}`;
};

/** The shortest way to a Pod that does not change with the next roll-out: its top controller. */
const typedAtTop = (pod: Pod, namespace: string): string => {
  const top = pod.owners.at(-1);
  return typedAs(top ? { ...top, namespace: pod.namespace } : pod, namespace);
};

/** Everything that can be typed, by the name that a person would have got wrong. */
const candidates = (cluster: Cluster, name: string, namespace: string): string[] => {
  const byName = new Map<string, string[]>();
  const add = (key: string, typed: string): void => {
    byName.set(key, [...(byName.get(key) ?? []), typed]);
  };
  for (const workload of cluster.workloads) {
    // A ReplicaSet that no file holds is only a step between a Deployment and its Pods.
    if (workload.place || workload.kind !== 'ReplicaSet')
      add(workload.name, typedAs(workload, namespace));
  }
  for (const pod of cluster.pods) {
    // Pods with invented names are reached through their workloads.
    if (!pod.invented.name || pod.owners.length === 0) add(pod.name, typedAs(pod, namespace));
  }
  for (const node of cluster.nodes) add(node.name, `node/${node.name}`);
  return nearest(name, byName.keys())
    .flatMap((key) => byName.get(key) ?? [])
    .slice(0, 4);
};

const unknownNamespace = (cluster: Cluster, namespace: string): Problem | undefined => {
  if (cluster.namespaces.includes(namespace)) return undefined;
  const meant = nearest(namespace, new Set([...KIND_OF.keys(), ...cluster.namespaces]), 1);
  return problem(
    'unknown-namespace',
    `there is no namespace ${JSON.stringify(namespace)}, nor a kind of that name`,
    didYouMean(meant.map((name) => `${name}/`)),
  );
};

const unknown = (
  cluster: Cluster,
  what: string,
  name: string,
  namespace: string | undefined,
  viewFrom: string,
): Problem => {
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
  const hint = didYouMean(candidates(cluster, name, viewFrom));
  const all = [...new Set(cluster.pods.map((pod) => typedAtTop(pod, viewFrom)))];
  return problem(
    'unknown-endpoint',
    `there is no ${what} ${JSON.stringify(name)}${where}`,
    hint ??
      (all.length > 0
        ? `There are: ${all.slice(0, 6).join(', ')}${all.length > 6 ? ', …' : ''}`
        : 'The input has no Pods.'),
  );
};

type Located = Target | Problem;

const withSuffix = (
  pod: Pod,
  index: number,
  suffix: EndpointSuffix | undefined,
  workload: Workload | undefined,
): Located => {
  const base = {
    kind: 'container',
    pod: index,
    ...(workload && {
      workload: { kind: workload.kind, name: workload.name, replicas: workload.pods.length },
    }),
  } as const;
  if (!suffix) return base;
  if ('port' in suffix) return { ...base, port: suffix.port };
  const { name } = suffix;
  if (pod.containers.some((container) => container.name === name))
    return { ...base, container: name };
  const title = `Pod ${pod.namespace}/${pod.name}`;
  if (pod.initContainers?.includes(name))
    return problem(
      'init-container',
      `${name} is an init container of ${title}: it has ended before the Pod serves anybody`,
      `Containers are ${pod.containers.map((container) => container.name).join(', ')}.`,
    );
  return problem(
    'unknown-container',
    `${title} has no container ${JSON.stringify(name)}`,
    `Containers are ${pod.containers.map((container) => container.name).join(', ')}.`,
  );
};

const locateWorkload = (
  cluster: Cluster,
  parsed: Extract<ParsedEndpoint, { form: 'object' }>,
  namespace: string,
  viewFrom: string,
): Located => {
  const { kind, name, suffix } = parsed;
  const workload = cluster.workloads.find(
    (item) => item.kind === kind && item.name === name && item.namespace === namespace,
  );
  if (!workload) return unknown(cluster, kind, name, namespace, viewFrom);
  const index =
    workload.pods.find((at) => cluster.pods[at]?.phase === 'Running') ?? workload.pods[0];
  const pod = index === undefined ? undefined : cluster.pods[index];
  if (index === undefined || !pod)
    return problem('no-pods', `${kind} ${namespace}/${name} has no Pods`);
  return withSuffix(pod, index, suffix, workload);
};

const locateNode = (
  cluster: Cluster,
  name: string,
  suffix: EndpointSuffix | undefined,
  viewFrom: string,
): Located => {
  if (!cluster.nodes.some((node) => node.name === name)) {
    const names = cluster.nodes.map((node) => node.name);
    const hint =
      didYouMean(nearest(name, names)) ?? didYouMean(candidates(cluster, name, viewFrom));
    const all = cluster.nodes.slice(0, 6).map((node) => node.name);
    return problem(
      'unknown-endpoint',
      `there is no node ${JSON.stringify(name)}`,
      hint ?? `Nodes are ${all.join(', ')}${cluster.nodes.length > all.length ? ', …' : ''}`,
    );
  }
  if (suffix && 'name' in suffix)
    return problem(
      'bad-endpoint',
      `only a port may follow a node, not ${JSON.stringify(suffix.name)}`,
      FORMS,
    );
  return { kind: 'node', node: name, ...(suffix && { port: suffix.port }) };
};

const portsText = ({ ports }: Service): string =>
  ports.map(({ name, port }) => (name === undefined ? `${port}` : `${port} (${name})`)).join(', ');

/**
 * A Service and which of its ports. A number need not be one of its ports: whoever sends to it is
 * told by the rules. A name has to be.
 */
const locateService = (
  cluster: Cluster,
  name: string,
  suffix: EndpointSuffix | undefined,
  namespace: string,
  viewFrom: string,
): Located => {
  const index = cluster.services.findIndex(
    (item) => item.name === name && item.namespace === namespace,
  );
  const service = cluster.services[index];
  if (!service) {
    const meant = nearest(name, new Set(cluster.services.map((item) => item.name)));
    const typed = cluster.services
      .filter((item) => meant.includes(item.name))
      .map((item) => typedAs({ ...item, kind: 'Service' }, viewFrom));
    return problem(
      'unknown-endpoint',
      `there is no Service ${JSON.stringify(name)} in namespace ${namespace}`,
      didYouMean(typed.slice(0, 3)),
    );
  }
  // Another name: only who looks it up gets anywhere.
  if (service.type === 'ExternalName')
    return locateName(`${name}.${namespace}.svc.cluster.local.`, suffix);
  const found = { kind: 'service', service: index } as const;
  if (!suffix) return found;
  if ('port' in suffix) return { ...found, port: suffix.port };
  const port = service.ports.find((item) => item.name === suffix.name);
  if (!port)
    return problem(
      'unknown-port',
      `Service ${namespace}/${name} has no port called ${JSON.stringify(suffix.name)}`,
      service.ports.length === 0 ? 'It has no ports.' : `Its ports are ${portsText(service)}.`,
    );
  return { ...found, port: port.port, portName: suffix.name };
};

/** Nothing sends from a Service: what is behind it does. */
const serviceAsSource = (
  { pods, services }: Cluster,
  target: Extract<Target, { kind: 'service' }>,
  typed: string,
  viewFrom: string,
): Problem => {
  const behind = new Set<string>();
  for (const { endpoints } of services[target.service]?.slices ?? [])
    for (const { pod: at } of endpoints) {
      const pod = at === undefined ? undefined : pods[at];
      if (pod) behind.add(typedAtTop(pod, viewFrom));
    }
  return problem(
    'service-as-source',
    `${typed} is a Service, which sends nothing`,
    behind.size === 0
      ? 'A trace starts at a Pod, a workload, a node or external.'
      : `Start at what is behind it: ${[...behind].slice(0, 3).join(' or ')}`,
  );
};

/**
 * Whether a word that no Pod is called is a name for the source's resolver: it has a dot, or it is
 * that of a Service, in whatever namespace, or of a line of some Pod's /etc/hosts. Any other one is a
 * slip of the keyboard.
 */
const mayBeLookedUp = ({ services, pods }: Cluster, name: string): boolean =>
  isDnsName(name.replace(/\.$/, '')) &&
  (name.includes('.') ||
    services.some((service) => service.name === name) ||
    pods.some(({ dns }) => dns?.hostAliases.some(({ hostnames }) => hostnames.includes(name))));

const locateName = (name: string, suffix: EndpointSuffix | undefined): Located =>
  suffix && 'name' in suffix
    ? problem(
        'bad-endpoint',
        `only a port may follow a name, not ${JSON.stringify(suffix.name)}`,
        FORMS,
      )
    : { kind: 'name', name, ...(suffix && { port: suffix.port }) };

const nameAsSource = (typed: string): Problem =>
  problem(
    'name-as-source',
    `${typed} is a name, which others look up`,
    'A trace starts at a Pod, a workload, a node or external.',
  );

const locateObject = (
  cluster: Cluster,
  parsed: Extract<ParsedEndpoint, { form: 'object' }>,
  viewFrom: string,
): Located => {
  const { kind, name, suffix, explicit } = parsed;
  const namespace = parsed.namespace ?? viewFrom;
  if (kind === 'Node') return locateNode(cluster, name, suffix, viewFrom);
  if (parsed.namespace !== undefined) {
    const missing = unknownNamespace(cluster, parsed.namespace);
    if (missing) return missing;
  }
  if (kind === 'Service') return locateService(cluster, name, suffix, namespace, viewFrom);
  if (kind !== 'Pod') return locateWorkload(cluster, parsed, namespace, viewFrom);
  const index = cluster.pods.findIndex((pod) => pod.name === name && pod.namespace === namespace);
  const pod = cluster.pods[index];
  if (pod) return withSuffix(pod, index, suffix, undefined);
  if (!explicit && parsed.namespace === undefined && mayBeLookedUp(cluster, name))
    return locateName(name, suffix);
  return unknown(cluster, 'Pod', name, namespace, viewFrom);
};

/** A packet can only leave from what exists: an address stands for its owner. */
const ownerOf = (cluster: Cluster, ip: Ip): Located => {
  const index = cluster.pods.findIndex(
    (pod) => pod.ip === ip && !pod.hostNetwork && pod.phase === 'Running',
  );
  if (index !== -1) return { kind: 'container', pod: index };
  const node = cluster.nodes.find((item) => item.ip === ip);
  if (node) return { kind: 'node', node: node.name };
  if (ip === cluster.external.ip) return { kind: 'external' };
  return problem(
    'unknown-endpoint',
    `nothing in this cluster has the address ${ip}`,
    'A trace starts at a Pod, a workload, a node or external.',
  );
};

/** Nothing sends from a Service or a name; a name that a Service has is taken for that Service. */
const asSource = (cluster: Cluster, located: Located, typed: string, viewFrom: string): Located => {
  if (isProblem(located)) return located;
  if (located.kind === 'service') return serviceAsSource(cluster, located, typed, viewFrom);
  if (located.kind !== 'name') return located;
  const called = (namespace?: string): number =>
    cluster.services.findIndex(
      (one) => one.name === located.name && (namespace ?? one.namespace) === one.namespace,
    );
  const service = [called(viewFrom), called()].find((at) => at !== -1);
  return service === undefined
    ? nameAsSource(typed)
    : serviceAsSource(cluster, { kind: 'service', service }, typed, viewFrom);
};

export interface EndpointOptions {
  /** Where names without a namespace are looked for. Default: `default`. */
  readonly namespace?: string | undefined;
  /**
   * A source address is replaced by its owner; a destination address stays one. A Service can only
   * be a destination.
   */
  readonly side: 'from' | 'to';
}

/**
 * What a typed endpoint means in a cluster, or a diagnostic (usage: exit code 2) with the nearest
 * names. A workload stands for its first running Pod in name order.
 */
export const resolveEndpoint = (
  cluster: Cluster,
  typed: string,
  { namespace = 'default', side }: EndpointOptions,
): { readonly target: Target } | { readonly diagnostic: Diagnostic } => {
  const parsed = parseEndpoint(typed);
  const located: Located = isProblem(parsed)
    ? parsed
    : parsed.form === 'external'
      ? { kind: 'external', ...(parsed.port !== undefined && { port: parsed.port }) }
      : parsed.form === 'object'
        ? locateObject(cluster, parsed, namespace)
        : side === 'from'
          ? ownerOf(cluster, parsed.ip)
          : {
              kind: 'ip',
              ip: parsed.ip,
              ...(parsed.port !== undefined && { port: parsed.port }),
            };
  const found = side === 'from' ? asSource(cluster, located, typed.trim(), namespace) : located;
  if (!isProblem(found)) return { target: found };
  const { code, message, hint } = found;
  return {
    diagnostic: { severity: 'error', code, message, ...(hint !== undefined && { hint }) },
  };
};
