/** The sending side of a probe: who holds the socket, and which port it is bound to. */
import type { Cluster } from '../cluster/cluster.ts';
import { netnsOf } from '../kernel/netns.ts';
import type { Probe } from '../kernel/probe.ts';
import type { Netns, World } from '../kernel/world.ts';
import type { Endpoint, Owned } from './endpoint.ts';
import { processName } from './listener.ts';
import { isRunning, type RunningPod } from './machine.ts';
import { gatewayAddress } from './node.ts';
import type { ProbeOptions } from './probe-plan.ts';

const DEFAULT_SPORT = 40_000;
const LARGEST_PORT = 65_535;
/** A port that nobody listens on, so that a real socket could be bound to it; the first but `before`. */
const freePort = ({ sockets }: Netns, protocol: Probe['protocol'], before: number): number => {
  const taken = new Set(sockets.filter((one) => one.protocol === protocol).map(({ port }) => port));
  let port = DEFAULT_SPORT;
  let left = before;
  while ((taken.has(port) || left-- > 0) && port < LARGEST_PORT) port++;
  return port;
};

/** A probe as far as its sender decides. */
export const sentBy = (
  world: World,
  source: Owned,
  protocol: Probe['protocol'],
  { sport, size, before = 0 }: ProbeOptions,
): Omit<Probe, 'dst'> => {
  const sender = source.pod && (source.container ?? source.pod.containers[0]?.name);
  return {
    from: {
      netns: source.netns,
      ...(source.pod && sender !== undefined && { process: processName(source.pod, sender) }),
    },
    protocol,
    sport: sport ?? freePort(netnsOf(world, source.netns), protocol, before),
    ...(source.end.kind === 'ip' && { src: source.ip }),
    ...(size !== undefined && { size }),
  };
};

/** A range without a gateway address: the bridge plugin cannot connect its Pods. */
export const hasNoRoom = (cluster: Cluster, end: Endpoint): boolean => {
  if (end.kind !== 'owned' || !end.pod || !end.node || end.pod.hostNetwork) return false;
  const { name } = end.node;
  const pods = cluster.pods.filter((pod): pod is RunningPod => isRunning(pod) && pod.node === name);
  return (
    gatewayAddress(
      end.node,
      pods.filter(({ hostNetwork }) => !hostNetwork),
    ) === undefined
  );
};
