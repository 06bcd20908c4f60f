/** To which Pods and ports the Ingresses of a cluster send: Service, slices, target port. */
import type {
  Cluster,
  EndpointSlice,
  IngressBackend,
  Service,
  ServicePort,
} from '../../cluster/cluster.ts';
import { atPlace } from '../../cluster/diagnostic.ts';
import { type ConnectionSet, unionOf } from '../../policy/connection-set.ts';
import type { MatrixWarning } from './matrix.ts';

interface IngressTargets {
  /** Ports by Pod (index into `Cluster.pods`); in the order in which they are written. */
  readonly ports: ReadonlyMap<number, ConnectionSet>;
  readonly warnings: readonly MatrixWarning[];
}

const portOf = ({ ports }: Service, { port }: IngressBackend): ServicePort | undefined =>
  ports.find((item) => (typeof port === 'number' ? item.port === port : item.name === port));

/** The port of the Pods of a slice that a port of the Service leads to. */
const targetIn = (
  { ports }: EndpointSlice,
  { name, targetPort }: ServicePort,
): number | undefined => {
  const named = ports.filter((item) => item.name === name);
  // Several ports without a name are no Service that an API server takes; the number tells them apart.
  return (named.find(({ port }) => port === targetPort) ?? named[0])?.port;
};

const titleOf = ({ namespace, ingress, service, port }: IngressBackend): string =>
  `Ingress ${namespace}/${ingress} sends to Service ${namespace}/${service} port ${port}`;

export const ingressTargets = ({ ingressBackends, services }: Cluster): IngressTargets => {
  const ports = new Map<number, ConnectionSet>();
  const warnings: MatrixWarning[] = [];
  if (ingressBackends.length === 0) return { ports, warnings };
  const byName = new Map(services.map((item) => [`${item.namespace}/${item.name}`, item]));
  for (const backend of ingressBackends) {
    const warn = (problem: string): void => {
      warnings.push({
        code: 'ingress-backend',
        message: `${titleOf(backend)}, ${problem}`,
        ...atPlace(backend.place),
      });
    };
    const service = byName.get(`${backend.namespace}/${backend.service}`);
    const port = service && portOf(service, backend);
    if (!service) warn('which is not in the input');
    else if (!port) warn('which it does not have');
    if (!service || !port) continue;
    let found = false;
    for (const slice of service.slices) {
      const target = targetIn(slice, port);
      if (target === undefined) continue;
      for (const { pod } of slice.endpoints) {
        if (pod === undefined) continue;
        found = true;
        const one = { [port.protocol]: [{ from: target, to: target }] };
        ports.set(pod, unionOf(ports.get(pod) ?? {}, one));
      }
    }
    if (!found) warn('behind which there is no Pod');
  }
  return { ports, warnings };
};
