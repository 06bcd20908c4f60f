/** The Services of a cluster, as far as causes ask about them. */
import type { Cluster, Service, ServicePort } from '../cluster/cluster.ts';
import { serviceOfAddress } from '../cluster/service/lookup.ts';
import type { KnownService, KnownServicePort, ServiceView } from '../trace/services.ts';

/** Nothing is looked up before a trace asks. */
export const serviceView = (cluster: Cluster): ServiceView => {
  let hostPods: ReadonlyMap<string, string> | undefined;
  return {
    proxied: cluster.kubeProxy.mode !== 'none',
    at: (ip) => known(serviceOfAddress(cluster, ip)),
    named: (namespace = 'default', name) =>
      known(cluster.services.find((one) => one.namespace === namespace && one.name === name)),
    hostPodAt: (address) => {
      hostPods ??= hostPodsOf(cluster);
      return hostPods.get(address);
    },
  };
};

/** Pods that share the address of their node, and so are known by their port alone. */
const hostPodsOf = ({ services, pods }: Cluster): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (const { slices } of services)
    for (const { endpoints, ports } of slices)
      for (const { address, pod: index } of endpoints) {
        const pod = index === undefined ? undefined : pods[index];
        if (!pod?.hostNetwork) continue;
        for (const { port } of ports)
          found.set(`${address}:${port ?? ''}`, `${pod.namespace}/${pod.name}`);
      }
  return found;
};

const known = (service: Service | undefined): KnownService | undefined =>
  service && {
    namespace: service.namespace,
    name: service.name,
    ports: service.ports.map((port) => knownPort(service, port)),
    endpoints: new Set(
      service.slices.flatMap(({ ports, endpoints }) =>
        endpoints.flatMap(({ address }) => ports.map(({ port }) => `${address}:${port ?? ''}`)),
      ),
    ),
  };

const knownPort = ({ slices, clusterIPs }: Service, one: ServicePort): KnownServicePort => {
  const { name, port, protocol } = one;
  const families = new Set(clusterIPs.map(({ family }) => family));
  const filled = slices.filter(({ endpoints }) => endpoints.some(({ ready }) => ready));
  const own = filled.filter(({ family }) => families.has(family));
  const offers = own.some(({ ports }) =>
    ports.some((offer) => offer.name === name && offer.protocol === protocol),
  );
  const lacks = offers
    ? undefined
    : own.length > 0
      ? 'target-port'
      : filled.length > 0
        ? 'family'
        : undefined;
  return { port, protocol, serves: offers, ...(lacks && { lacks }) };
};
