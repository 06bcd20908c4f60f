/** Services as the API server and its controllers leave them: with addresses, ports and slices. */
import type { Cidr, Ip } from '../../wire/packet.ts';
import type { Cluster, ClusterNode, ClusterNote, EndpointSlice, Service } from '../cluster.ts';
import { type Allocation, allocate, familiesOf } from './allocate.ts';
import { computeSlices, type Knowledge } from './computed-slice.ts';
import { reportClashes, reportDangling } from './dangling.ts';
import { joinSlices } from './given-slice.ts';
import { zoneOf, zoneShares } from './hints.ts';
import type { Selection } from './selection.ts';
import type { ServiceObject } from './service-object.ts';
import type { SliceObject } from './slice-object.ts';

export interface SettleInput extends Pick<Knowledge, 'drafts' | 'pods'> {
  /** In the order of (namespace, name). */
  readonly services: readonly ServiceObject[];
  readonly selection: Selection;
  readonly slices: readonly SliceObject[];
  readonly nodes: readonly ClusterNode[];
  /** CPUs of the nodes, in their order. */
  readonly cpus: readonly (number | undefined)[];
  readonly serviceCIDR: Cidr;
  /** Other ranges of the cluster. */
  readonly ranges: readonly Cidr[];
  readonly external: Ip;
  readonly note: (note: ClusterNote) => void;
}

const hostPortsOf = ({ drafts }: SettleInput): ReadonlySet<number> => {
  const found = new Set<number>();
  for (const { spec } of drafts)
    for (const { ports } of spec.containers)
      for (const { hostPort } of ports) if (hostPort !== undefined) found.add(hostPort);
  return found;
};

const serviceOf = (
  object: ServiceObject,
  { clusterIPs, ports, ingress, healthCheckNodePort }: Allocation,
  slices: readonly EndpointSlice[],
): Service => ({
  namespace: object.namespace,
  name: object.name,
  type: object.type,
  headless: object.headless,
  selector: object.selector,
  ...(object.externalName !== undefined && { externalName: object.externalName }),
  clusterIPs,
  ports,
  externalIPs: object.externalIPs,
  ingress,
  sourceRanges: object.sourceRanges,
  externalTrafficPolicy: object.externalTrafficPolicy,
  internalTrafficPolicy: object.internalTrafficPolicy,
  ...(object.affinitySeconds !== undefined && { affinitySeconds: object.affinitySeconds }),
  ...(healthCheckNodePort !== undefined && { healthCheckNodePort }),
  publishNotReadyAddresses: object.publishNotReadyAddresses,
  ...(object.trafficDistribution !== undefined && {
    trafficDistribution: object.trafficDistribution,
  }),
  slices,
  place: object.place,
});

/** How many Services of all have something that the input leaves out. */
const countNotes = (services: readonly Service[], note: SettleInput['note']): void => {
  const of = services.length;
  const notes = [
    ['cluster-ip-invented', ({ clusterIPs }) => clusterIPs.some(({ invented }) => invented)],
    ['node-port-invented', ({ ports }) => ports.some(({ nodePortInvented }) => nodePortInvented)],
    ['balancer-assumed', ({ ingress }) => ingress.some(({ assumed }) => assumed)],
  ] as const satisfies readonly (readonly [ClusterNote['code'], (service: Service) => unknown])[];
  for (const [code, isInvented] of notes) {
    const count = services.filter(isInvented).length;
    if (count > 0) note({ code, subject: 'Services', values: { count, of } });
  }
};

/** Settles every Service; what cannot be settled is reported at its place. */
export const settleServices = (input: SettleInput): Cluster['services'] => {
  const { services, selection, nodes, cpus, serviceCIDR, ranges, external } = input;
  const given = joinSlices(services, input.slices, input.pods);
  if (services.length === 0) return [];
  const allocations = allocate(services, {
    serviceCIDR,
    avoid: [serviceCIDR, ...ranges],
    taken: [external, ...nodes.map(({ ip }) => ip)],
    hostPorts: hostPortsOf(input),
  });
  const zones = new Map(
    nodes.flatMap((node) => {
      const zone = zoneOf(node);
      return zone === undefined ? [] : [[node.name, zone] as const];
    }),
  );
  const knowledge: Knowledge = {
    drafts: input.drafts,
    pods: input.pods,
    zones,
    shares: zoneShares(nodes, cpus),
  };
  const slicesOf = (service: ServiceObject): readonly EndpointSlice[] => {
    const own = given.get(service);
    if (own) return own;
    const selected = selection.podsOf(service);
    if (selected.length === 0) return [];
    return familiesOf(service).flatMap((family) =>
      computeSlices(service, family, selected, knowledge),
    );
  };
  const settled = services.map((service) =>
    serviceOf(
      service,
      allocations.get(service) ?? { clusterIPs: [], ports: [], ingress: [] },
      slicesOf(service),
    ),
  );
  reportDangling(services, settled, selection, input.pods);
  reportClashes(services);
  countNotes(settled, input.note);
  return settled;
};
