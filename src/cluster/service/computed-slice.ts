/**
 * EndpointSlices of a Service with a selector, as the EndpointSlice controller makes them
 * (k8s.io/endpointslice and pkg/controller/endpointslice of Kubernetes v1.34).
 */
import type { EndpointSlice, Pod, ServicePort, SliceEndpoint } from '../cluster.ts';
import { nameHash } from '../name-hash.ts';
import type { PodDraft } from '../pod-draft.ts';
import { withHints, type ZoneShares } from './hints.ts';
import type { Family, ServiceObject } from './service-object.ts';

/** --max-endpoints-per-slice of kube-controller-manager. */
const MOST_ENDPOINTS = 100;

/** What the controller knows about Pods and nodes. */
export interface Knowledge {
  /** In the order of `pods`. */
  readonly drafts: readonly PodDraft[];
  readonly pods: readonly Pod[];
  /** By node; absent: it has no zone. */
  readonly zones: ReadonlyMap<string, string>;
  /** Of the cluster's CPUs, by zone; undefined where the controller would not hand out hints. */
  readonly shares: ZoneShares | undefined;
}

type SlicePort = EndpointSlice['ports'][number];

/** FindPort: containers first, then sidecars. Undefined: the Pod has no port of the name. */
const targetOf = (pod: Pod, { targetPort, protocol }: ServicePort): number | undefined => {
  if (typeof targetPort === 'number') return targetPort;
  const named = (sidecar: boolean): number | undefined => {
    for (const container of pod.containers) {
      if (container.sidecar !== sidecar) continue;
      const found = container.ports.find(
        (port) => port.name === targetPort && port.protocol === protocol,
      );
      if (found) return found.port;
    }
    return undefined;
  };
  return named(false) ?? named(true);
};

const portsOf = (service: ServiceObject, pod: Pod): SlicePort[] =>
  service.ports.flatMap((port) => {
    const target = targetOf(pod, port);
    if (target === undefined) return [];
    return [
      {
        ...(port.name !== undefined && { name: port.name }),
        port: target,
        protocol: port.protocol,
      },
    ];
  });

/** The Pod's address of a family, if it has one. */
const addressOf = (pod: Pod, family: Family): string | undefined =>
  family === 4 ? pod.ip : (pod.onlyIpv6 ?? pod.ipv6);

const endpointOf = (
  service: ServiceObject,
  index: number,
  pod: Pod,
  draft: PodDraft,
  address: string,
  zones: ReadonlyMap<string, string>,
): SliceEndpoint => {
  // PodReady is a condition of its own: a Pod that is about to end may still serve.
  const serving = draft.status.ready ?? pod.phase === 'Running';
  const { terminating } = draft;
  const zone = zones.get(pod.node ?? '');
  const { hostname, subdomain } = pod;
  return {
    address,
    pod: index,
    ...(pod.node !== undefined && { nodeName: pod.node }),
    // A StatefulSet's Pods have the hostname of their name, and the subdomain of its serviceName.
    ...(hostname !== undefined && subdomain === service.name && { hostname }),
    ...(zone !== undefined && { zone }),
    ready: service.publishNotReadyAddresses || (serving && !terminating),
    serving,
    terminating,
  };
};

/** Selected Pods that can have endpoints: not ended, with an address (ShouldPodBeInEndpoints). */
const isCandidate = ({ phase }: Pod): boolean => phase !== 'Succeeded' && phase !== 'Failed';

/**
 * The slices of one family: Pods whose ports resolve alike are together, at most a hundred in a
 * slice. Endpoints are in the order of the Pods, where the controller's order is that of a map.
 */
export const computeSlices = (
  service: ServiceObject,
  family: Family,
  selected: readonly number[],
  { drafts, pods, zones, shares }: Knowledge,
): EndpointSlice[] => {
  const groups = new Map<string, { ports: SlicePort[]; endpoints: SliceEndpoint[] }>();
  for (const index of selected) {
    const pod = pods[index];
    const draft = drafts[index];
    const address = pod && addressOf(pod, family);
    if (!pod || !draft || address === undefined || !isCandidate(pod)) continue;
    const ports = portsOf(service, pod);
    const key = ports.map(({ name, port, protocol }) => `${name} ${port} ${protocol}`).join(',');
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(service, index, pod, draft, address, zones));
  }
  const slices: EndpointSlice[] = [];
  for (const { ports, endpoints } of groups.values())
    for (let from = 0; from < endpoints.length; from += MOST_ENDPOINTS)
      slices.push({
        name: `${service.name}-${nameHash(`${service.namespace}/${service.name}/${family}/${slices.length}`, 5)}`,
        family,
        source: 'computed',
        ports,
        endpoints: endpoints.slice(from, from + MOST_ENDPOINTS),
      });
  return withHints(service, slices, shares);
};
