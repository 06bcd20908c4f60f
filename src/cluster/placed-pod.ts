/** A draft with its node and its address: the Pod that the cluster has. */
import type { Ip } from '../wire/packet.ts';
import type { Pod } from './cluster.ts';
import { listenersOf } from './listener.ts';
import type { PodDraft } from './pod-draft.ts';
import { isFinished } from './population.ts';
import type { Placement } from './schedule.ts';
import type { ServiceObject } from './service/service-object.ts';

const phaseOf = (draft: PodDraft, ip: Ip | undefined, node: string | undefined): Pod['phase'] => {
  const { phase } = draft.status;
  if (phase !== undefined && (phase !== 'Running' || node !== undefined)) return phase;
  const hasAddress = ip !== undefined || draft.status.onlyIpv6 !== undefined;
  return node !== undefined && hasAddress ? 'Running' : 'Pending';
};

const INVENTED: readonly Pod['invented'][] = Array.from({ length: 8 }, (_, bits) => ({
  name: (bits & 4) !== 0,
  ip: (bits & 2) !== 0,
  node: (bits & 1) !== 0,
}));

/** One of eight: Pods share them. */
const inventedOf = (name: boolean, ip: boolean, node: boolean): Pod['invented'] =>
  INVENTED[(name ? 4 : 0) + (ip ? 2 : 0) + (node ? 1 : 0)] ?? { name, ip, node };

/**
 * @param given addresses that were handed out
 * @param services those that select the Pod
 * @param listen what a port is that nothing shows
 */
export const toPod = (
  draft: PodDraft,
  placement: Placement | undefined,
  given: ReadonlyMap<PodDraft, Ip>,
  nodeIps: ReadonlyMap<string, Ip>,
  services: readonly ServiceObject[],
  listen: 'evidence' | 'declared' | undefined,
): Pod => {
  const node = placement && 'node' in placement ? placement.node : undefined;
  const { hostNetwork, containers, initContainers } = draft.spec;
  const own = draft.status.ip ?? given.get(draft);
  const ip = hostNetwork ? nodeIps.get(node ?? '') : own;
  const phase = phaseOf(draft, ip, node);
  const listeners = listenersOf(draft, services);
  const reason =
    placement && 'pendingReason' in placement
      ? placement.pendingReason
      : (draft.status.reason ??
        (draft.status.phase === undefined
          ? `the range of ${node} has no free address`
          : undefined));
  const pod: { -readonly [Field in keyof Pod]: Pod[Field] } = {
    namespace: draft.namespace,
    name: draft.name,
    node,
    ip: isFinished(draft) ? undefined : ip,
    hostNetwork,
    phase,
    ready: phase === 'Running' && !draft.terminating && (draft.status.ready ?? true),
    labels: draft.labels,
    containers,
    owners: draft.owners,
    ordinal: draft.ordinal,
    invented: inventedOf(
      draft.inventedName,
      !hostNetwork && draft.status.ip === undefined && ip !== undefined,
      placement !== undefined && 'node' in placement && placement.invented,
    ),
    listeners:
      listen === 'declared' && listeners.unlisted === 'unknown'
        ? { ...listeners, unlisted: 'refused' }
        : listeners,
    place: draft.place,
  };
  // What few Pods have is added: every copy of a Pod counts in a large cluster.
  if (own === undefined && !hostNetwork && draft.status.onlyIpv6 !== undefined)
    pod.onlyIpv6 = draft.status.onlyIpv6;
  if (draft.status.ipv6 !== undefined && ip !== undefined) pod.ipv6 = draft.status.ipv6;
  if (draft.hostname !== undefined) pod.hostname = draft.hostname;
  if (draft.subdomain !== undefined) pod.subdomain = draft.subdomain;
  if (phase === 'Pending' && reason !== undefined) pod.pendingReason = reason;
  if (initContainers.length > 0) pod.initContainers = initContainers;
  if (draft.spec.dns) pod.dns = draft.spec.dns;
  return pod;
};
