/** The Services of a cluster, as far as causes ask about them. */
import type { Cluster, Service, ServicePort } from '../cluster/cluster.ts';
import { serviceOfAddress } from '../cluster/service/lookup.ts';
import type { KnownService, KnownServicePort, ServiceView } from '../trace/services.ts';

/** Looked up when a trace failed, and not before. */
export const serviceView = (cluster: Cluster): ServiceView => ({
  proxied: cluster.kubeProxy.mode !== 'none',
  at: (ip) => known(serviceOfAddress(cluster, ip)),
  named: (namespace = 'default', name) =>
    known(cluster.services.find((one) => one.namespace === namespace && one.name === name)),
});

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
