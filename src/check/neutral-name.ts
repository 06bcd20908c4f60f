/** Neutral names for everything that a cluster's people have named. */
import type { SmallPod, SmallScenario } from './small-scenario.ts';

type PodName = Pick<SmallPod, 'namespace' | 'name'>;

export interface Names {
  node(name: string): string;
  namespace(name: string): string;
  pod(pod: PodName): string;
  container(pod: PodName, name: string): string;
  workload(owner: { readonly kind: string; readonly name: string }): string;
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

/** Every cluster has it, so it is nobody's. */
const DEFAULT = 'default';

/** Services are numbered in their own order, which is that of their names. */
export const serviceName = (at: number): string => `service-${at + 1}`;

/**
 * Names by kind, in the order of the originals, so that what depends on an order stays as it is. The
 * machines beside the nodes keep theirs: they are ours.
 */
export const neutralNames = ({ nodes, pods, services }: SmallScenario): Names => {
  const node = numbered(
    'node',
    nodes.map(({ name }) => name),
  );
  const namespace = numbered(
    'namespace',
    pods
      .map((pod) => pod.namespace)
      .filter((name) => name !== DEFAULT)
      .sort(compare),
  );
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
  const names: Names = {
    node: (name) => node.get(name) ?? name,
    namespace: (name) => namespace.get(name) ?? DEFAULT,
    pod: (one) => pod.get(fullName(one)) ?? 'pod',
    container: (one, name) => container.get(fullName(one))?.get(name) ?? 'container',
    workload: ({ name }) => workload.get(name) ?? 'workload',
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
      const at = services.findIndex((one) => name === `${one.namespace}/svc/${one.name}`);
      const service = services[at];
      if (service) return `${names.namespace(service.namespace)}/svc/${serviceName(at)}`;
      const [device, host] = name.split(' of ');
      if (device !== undefined && host !== undefined)
        return `${devices.get(device) ?? device} of ${names.node(host)}`;
      return name.includes('/') ? names.netnsName(name) : names.node(name);
    },
  };
  return names;
};
