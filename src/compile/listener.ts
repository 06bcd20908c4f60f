/** Listening sockets of Pods and nodes: who holds which port, and what nobody knows. */
import type { Listener, Pod } from '../cluster/cluster.ts';
import { socketAdd, socketHolder } from '../kernel/netlink.ts';
import type { ListenerPolicy, Netns, Socket } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import { forPod } from './object-origin.ts';

export const ANY: Ip = '0.0.0.0';

/** What a container is called among the processes of a namespace. */
export const processName = (pod: Pod, container: string): string =>
  pod.hostNetwork ? `${pod.namespace}/${pod.name}/${container}` : container;

const socketOf = (pod: Pod, row: Listener): Socket => ({
  protocol: row.protocol,
  ip: row.ip,
  port: row.port,
  process: processName(pod, row.container),
  // An annotation says so; everything else is a declaration, which nobody has to keep.
  ...(row.evidence !== 'annotation' && { assumed: true }),
  origin: forPod('scenario', row.place ? { ...pod, place: row.place } : pod)(
    'listener',
    row.evidence,
  ),
});

/**
 * Binds what a Pod's containers listen on, in their order. A port that is taken stays with whoever
 * has it: the second container does not get it (EADDRINUSE).
 */
export const bindListeners = (netns: Netns, pod: Pod): void => {
  for (const row of pod.listeners.rows) {
    const socket = socketOf(pod, row);
    if (!socketHolder(netns, socket)) socketAdd(netns, socket);
  }
};

const declaredBy = (pod: Pod): string[] => [
  ...new Set(pod.listeners.rows.map(({ port, protocol }) => `${port}/${protocol}`)),
];

/** What becomes of a Pod's ports that no row covers. */
export const podPolicy = (pod: Pod): ListenerPolicy => {
  const { unlisted } = pod.listeners;
  return unlisted === 'unknown' ? { unlisted, declared: declaredBy(pod) } : { unlisted };
};

/**
 * A node refuses what it is not known to listen on, unless a Pod on its network does not say what
 * it listens on.
 */
export const nodePolicy = (hostPods: readonly Pod[]): ListenerPolicy => {
  const silent = hostPods.filter(({ listeners }) => listeners.unlisted !== 'refused');
  return silent.length === 0
    ? { unlisted: 'refused' }
    : { unlisted: 'unknown', declared: [...new Set(silent.flatMap(declaredBy))] };
};
