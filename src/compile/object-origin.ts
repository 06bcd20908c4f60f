/** Origins of what is made for a Kubernetes object: its name, and the place it was read from. */
import type {
  ClusterNode,
  EndpointSlice,
  KubeProxyConfig,
  Network,
  Place,
  Pod,
  Service,
} from '../cluster/cluster.ts';
import type { Origin, OriginObject, OriginWhy } from '../kernel/origin.ts';

/** An origin without its reason: who programs for which object, read from where. */
export type Author = (why: OriginWhy, field?: string) => Origin;

const authorOf =
  (by: Origin['by'], object: OriginObject | undefined, place: Place | undefined): Author =>
  (why, field) => ({
    by,
    why,
    ...(object && { object: field === undefined ? object : { ...object, field } }),
    ...(place && { at: place }),
  });

export const forPod = (by: Origin['by'], { namespace, name, place }: Pod): Author =>
  authorOf(by, { kind: 'Pod', namespace, name }, place);

export const forNode = (by: Origin['by'], { name, place }: ClusterNode): Author =>
  authorOf(by, { kind: 'Node', name }, place);

/** What the network as a whole brings to a node. */
export const forNetwork = (by: Origin['by'], { place }: Network): Author =>
  authorOf(by, undefined, place);

export const forService = (
  by: Origin['by'],
  { namespace, name, place }: Pick<Service, 'namespace' | 'name' | 'place'>,
): Author => authorOf(by, { kind: 'Service', namespace, name }, place);

/** A slice of the input, the Endpoints it mirrors, or the Service that it was worked out for. */
export const forSlice = (
  by: Origin['by'],
  service: Service,
  { source, name, place }: EndpointSlice,
): Author => {
  switch (source) {
    case 'computed':
      return forService(by, service);
    case 'input':
      return authorOf(by, { kind: 'EndpointSlice', namespace: service.namespace, name }, place);
    case 'endpoints':
      return authorOf(
        by,
        { kind: 'Endpoints', namespace: service.namespace, name: service.name },
        place,
      );
    default: {
      const never: never = source;
      return never;
    }
  }
};

/** What kube-proxy brings to a node whatever Services there are. */
export const forKubeProxy = ({ place }: KubeProxyConfig): Author =>
  authorOf('kube-proxy', undefined, place);

/** The machines beside the nodes. */
export const forMachine = (name: string): Author =>
  authorOf('scenario', { kind: 'Machine', name }, undefined);
