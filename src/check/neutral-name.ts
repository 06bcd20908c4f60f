/** Neutral names for everything that a cluster's people have named. */
import { askedPorts } from './small-policies.ts';
import type { SmallPod, SmallScenario } from './small-scenario.ts';

type PodName = Pick<SmallPod, 'namespace' | 'name'>;

export interface Names {
  node(name: string): string;
  namespace(name: string): string;
  pod(pod: PodName): string;
  container(pod: PodName, name: string): string;
  workload(owner: { readonly kind: string; readonly name: string }): string;
  service(name: string): string;
  /** Of a Service, or of a container where a policy names it. */
  port(name: string): string;
  /** Where nodes and endpoints are. */
  zone(name: string): string;
  /** A label of a DNS name: namespaces and Services are called in it as everywhere. */
  label(text: string): string;
  /** `host`, or `namespace/pod`. */
  netnsName(name: string): string;
  /** With its host. */
  netns(id: string): string;
  /** A process as the namespace that it is in calls it. */
  process(netns: string, name: string): string;
  /** A name of the address book: `default/pod-a`, `node-1`, `cni0 of node-1`. */
  owner(name: string, devices: ReadonlyMap<string, string>): string;
}

/** `pod-1`, `pod-2`; with as many digits as the last one needs, so that their order is theirs. */
const numbered = (prefix: string, names: Iterable<string>): ReadonlyMap<string, string> => {
  const unique = [...new Set(names)];
  const digits = String(unique.length).length;
  return new Map(
    unique.map((name, at) => [name, `${prefix}-${String(at + 1).padStart(digits, '0')}`]),
  );
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const fullName = ({ namespace, name }: PodName): string => `${namespace}/${name}`;

/** Every cluster has it. */
const DEFAULT = 'default';

/** Namespaces and Services that every cluster has, or every one of a distribution: nobody's. */
const COMMON = [
  DEFAULT,
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'openshift-dns',
  'kubernetes',
  'kube-dns',
  'coredns',
  'dns-default',
];

/** Labels of DNS names that mean the same everywhere. */
const STRUCTURE = ['svc', 'pod', 'cluster', 'local', 'in-addr', 'ip6', 'arpa', 'ns', 'dns'];

/**
 * Labels of DNS names: of a name that is asked for, each label may be that of a namespace, of a
 * Service or of an endpoint, one after the other. So each text has one neutral one, whatever it is.
 */
const labelsOf = ({
  pods,
  services,
  namespaces,
}: Pick<SmallScenario, 'pods' | 'services' | 'namespaces'>): ((text: string) => string) => {
  const labels = new Map([...COMMON, ...STRUCTURE].map((text) => [text, text]));
  const add = (prefix: string, texts: readonly string[]): void => {
    const fresh = [...new Set(texts)].filter((text) => !labels.has(text));
    for (const [text, neutral] of numbered(prefix, fresh.sort(compare))) labels.set(text, neutral);
  };
  add('namespace', [...namespaces, ...[...pods, ...services].map((one) => one.namespace)]);
  add(
    'service',
    services.map(({ name }) => name),
  );
  add(
    'host',
    services.flatMap(({ slices }) =>
      slices.flatMap(({ endpoints }) => endpoints.flatMap(({ hostname }) => hostname ?? [])),
    ),
  );
  let others = 0;
  return (text) => {
    const key = text.toLowerCase();
    const known = labels.get(key) ?? `label-${++others}`;
    labels.set(key, known);
    return known;
  };
};

const namesIn = <Item>(prefix: string, items: readonly Item[], of: (item: Item) => string[]) =>
  numbered(prefix, items.flatMap(of).sort(compare));

/** Of Services, and those by which policies name ports of Pods. */
const portNames = ({ services, policies }: SmallScenario): string[] =>
  [
    ...services.flatMap(({ ports, slices }) =>
      [...ports, ...slices.flatMap((slice) => slice.ports)].flatMap(({ name }) => name ?? []),
    ),
    ...policies.flatMap(askedPorts),
  ].sort(compare);

/**
 * Names by kind, in the order of the originals, so that what depends on an order stays as it is. The
 * machines beside the nodes keep theirs: they are ours.
 */
export const neutralNames = (small: SmallScenario): Names => {
  const { nodes, pods, services, namespaces } = small;
  const node = numbered(
    'node',
    nodes.map(({ name }) => name),
  );
  const label = labelsOf({ pods, services, namespaces });
  const pod = numbered('pod', pods.map(fullName).sort(compare));
  const container = new Map(
    pods.map((one) => [
      fullName(one),
      numbered(
        'container',
        one.containers.map(({ name }) => name),
      ),
    ]),
  );
  const workload = numbered(
    'workload',
    pods.flatMap(({ owner }) => (owner ? [owner.name] : [])),
  );
  const port = numbered('port', portNames(small));
  const zone = namesIn('zone', services, ({ slices }) =>
    slices.flatMap(({ endpoints }) =>
      endpoints.flatMap(({ zone: own, hints }) => [
        ...(own === undefined ? [] : [own]),
        ...(hints?.zones ?? []),
      ]),
    ),
  );
  const names: Names = {
    node: (name) => node.get(name) ?? name,
    namespace: label,
    pod: (one) => pod.get(fullName(one)) ?? 'pod',
    container: (one, name) => container.get(fullName(one))?.get(name) ?? 'container',
    workload: ({ name }) => workload.get(name) ?? 'workload',
    service: label,
    port: (name) => port.get(name) ?? 'port',
    zone: (name) => zone.get(name) ?? 'zone',
    label,
    netnsName: (name) => {
      const [space = '', own] = name.split('/');
      if (own === undefined) return name;
      return `${names.namespace(space)}/${names.pod({ namespace: space, name: own })}`;
    },
    netns: (id) => {
      const slash = id.indexOf('/');
      return `${names.node(id.slice(0, slash))}/${names.netnsName(id.slice(slash + 1))}`;
    },
    process: (netns, name) => {
      const [space = '', own = '', inner] = netns === 'host' ? name.split('/') : netns.split('/');
      if (netns !== 'host') return names.container({ namespace: space, name: own }, name);
      if (inner === undefined) return name;
      const one = { namespace: space, name: own };
      return `${names.namespace(space)}/${names.pod(one)}/${names.container(one, inner)}`;
    },
    owner: (name, devices) => {
      const [space, service] = name.split('/svc/');
      if (space !== undefined && service !== undefined)
        return `${label(space)}/svc/${label(service)}`;
      const [device, host] = name.split(' of ');
      if (device !== undefined && host !== undefined)
        return `${devices.get(device) ?? device} of ${names.node(host)}`;
      return name.includes('/') ? names.netnsName(name) : names.node(name);
    },
  };
  return names;
};
