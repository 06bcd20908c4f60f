/**
 * Topology hints of computed EndpointSlices, as the EndpointSlice controller of Kubernetes v1.34
 * sets them (k8s.io/endpointslice: trafficdist, topologycache). Where the controller walks a map,
 * zones are in the order of their names here.
 */
import type { ClusterNode, EndpointSlice, SliceEndpoint } from '../cluster.ts';
import { compareText } from '../order.ts';
import type { ServiceObject } from './service-object.ts';

/** Of all CPUs, by zone. */
export type ZoneShares = ReadonlyMap<string, number>;

/** An endpoint may get this much more than its share (overloadThreshold). */
const OVERLOAD = 0.2;

const EXCLUDED = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** The zone of a node, by its label. */
export const zoneOf = ({ labels }: Pick<ClusterNode, 'labels'>): string | undefined =>
  labels[ZONE_LABEL] || undefined;

/**
 * The shares of zones that have ready nodes outside the control plane; undefined where one of these
 * nodes has no zone or no CPUs, or all are in one zone.
 * @param cpus of the nodes, in their order; where none is known they are taken to be equal
 */
export const zoneShares = (
  nodes: readonly ClusterNode[],
  cpus: readonly (number | undefined)[],
): ZoneShares | undefined => {
  const none = cpus.every((cpu) => cpu === undefined);
  const byZone = new Map<string, number>();
  let total = 0;
  for (const [at, node] of nodes.entries()) {
    if (!node.ready || EXCLUDED.some((label) => Object.hasOwn(node.labels, label))) continue;
    const zone = zoneOf(node);
    const cpu = none ? 1 : (cpus[at] ?? 0);
    if (zone === undefined || cpu === 0) return undefined;
    byZone.set(zone, (byZone.get(zone) ?? 0) + cpu);
    total += cpu;
  }
  if (byZone.size < 2) return undefined;
  return new Map(
    [...byZone].sort(([a], [b]) => compareText(a, b)).map(([zone, cpu]) => [zone, cpu / total]),
  );
};

type Change = (endpoint: SliceEndpoint) => SliceEndpoint;

const changed = (slices: readonly EndpointSlice[], change: Change): EndpointSlice[] =>
  slices.map((slice) => ({ ...slice, endpoints: slice.endpoints.map(change) }));

/** Ready endpoints are for their own zone; with `nodes`, for their own node as well. */
const close = (nodes: boolean): Change => {
  return (endpoint) => {
    const { ready, zone, nodeName } = endpoint;
    const forNodes = nodes && nodeName !== undefined ? [nodeName] : [];
    const forZones = zone === undefined ? [] : [zone];
    if (!ready || forNodes.length + forZones.length === 0) return endpoint;
    return { ...endpoint, hints: { zones: forZones, nodes: forNodes } };
  };
};

/** How many endpoints each zone should have; undefined where some zone would be overloaded. */
const desiredOf = (shares: ZoneShares, count: number): Map<string, number> | undefined => {
  if (shares.size > count) return undefined;
  const desired = new Map<string, number>();
  let left = count;
  for (const [zone, share] of shares) {
    const wanted = share * count;
    const minimum = Math.ceil(wanted * (1 / (1 + OVERLOAD)));
    left -= minimum;
    if (left < 0) return undefined;
    desired.set(zone, Math.max(wanted, minimum));
  }
  return desired;
};

const most = (zones: ReadonlyMap<string, number>): readonly [string, number] => {
  let best: readonly [string, number] = ['', 0];
  for (const [zone, count] of zones) if (count > best[1]) best = [zone, count];
  return best;
};

const add = (counts: Map<string, number>, zone: string, by: number): void => {
  counts.set(zone, (counts.get(zone) ?? 0) + by);
};

/** How many endpoints zones give away, and how many they receive (getGivingAndReceivingZones). */
const balance = (desired: ReadonlyMap<string, number>, own: ReadonlyMap<string, number>) => {
  const surplus = new Map<string, number>();
  const lack = new Map<string, number>();
  for (const [zone, wanted] of desired) {
    const has = own.get(zone) ?? 0;
    if (has > wanted) surplus.set(zone, has - wanted);
    else if (has < wanted) lack.set(zone, wanted - has);
  }
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (;;) {
    const [from, give] = most(surplus);
    const [to, receive] = most(lack);
    if (from === '' || to === '' || (give < 1 && receive < 1) || give < 0.5 || receive < 0.5)
      return { giving, receiving };
    add(giving, from, 1);
    add(surplus, from, -1);
    add(receiving, to, 1);
    add(lack, to, -1);
  }
};

/** topology-mode Auto: endpoints in proportion to the zones' CPUs (AddHints). */
const proportional = (slices: readonly EndpointSlice[], shares: ZoneShares): EndpointSlice[] => {
  const ready = slices.flatMap(({ endpoints }) => endpoints.filter((one) => one.ready));
  const desired = desiredOf(shares, ready.length);
  if (!desired || ready.some(({ zone }) => zone === undefined)) return [...slices];
  const own = new Map<string, number>();
  for (const { zone } of ready) if (zone !== undefined) add(own, zone, 1);
  const { giving, receiving } = balance(desired, own);
  return changed(slices, (endpoint) => {
    const { zone } = endpoint;
    if (!endpoint.ready || zone === undefined) return endpoint;
    const to = [...receiving].find(([, count]) => count > 0)?.[0];
    if ((giving.get(zone) ?? 0) === 0 || to === undefined)
      return { ...endpoint, hints: { zones: [zone], nodes: [] } };
    add(giving, zone, -1);
    add(receiving, to, -1);
    return { ...endpoint, hints: { zones: [to], nodes: [] } };
  });
};

/**
 * Slices of one Service and family with their hints. The annotation wins over trafficDistribution.
 * @param shares undefined: what is known of the nodes does not suffice
 */
export const withHints = (
  {
    topologyAuto,
    trafficDistribution,
  }: Pick<ServiceObject, 'topologyAuto' | 'trafficDistribution'>,
  slices: EndpointSlice[],
  shares: ZoneShares | undefined,
): EndpointSlice[] => {
  if (topologyAuto) return shares ? proportional(slices, shares) : slices;
  if (trafficDistribution === undefined) return slices;
  return changed(slices, close(trafficDistribution === 'PreferSameNode'));
};
