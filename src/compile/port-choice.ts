/** Which protocol and port a probe uses: what was asked for, else the first that shows evidence. */
import type { Listener, Pod } from '../cluster/cluster.ts';
import { netnsOf } from '../kernel/netns.ts';
import type { Origin } from '../kernel/origin.ts';
import type { World } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import type { Owned } from './endpoint.ts';
import { ANY } from './listener.ts';
import { forPod } from './object-origin.ts';

export interface Asked {
  readonly protocol?: 'tcp' | 'udp' | 'icmp' | 'sctp';
  readonly port?: number;
}

/** Why a port can be expected to answer. */
export interface Evidence {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly ip: Ip;
  readonly evidence: Listener['evidence'] | 'node';
  readonly sidecar?: boolean;
  readonly origin?: Origin;
}

export type PortChoice =
  | {
      readonly kind: 'port';
      readonly protocol: 'tcp' | 'udp';
      readonly port: number;
      /** Nobody asked for this port: it is the first one shown. */
      readonly chosen?: Evidence;
    }
  | { readonly kind: 'echo' }
  | { readonly kind: 'problem'; readonly why: 'sctp' | 'port-needed' | 'port-for-echo' };

/** Sidecars bind first, and are asked for last: it is the main containers that are meant. */
const mainFirst = (pod: Pod, rows: readonly Listener[]): Listener[] => {
  const sidecars = new Set(pod.containers.flatMap(({ name, sidecar }) => (sidecar ? [name] : [])));
  return [
    ...rows.filter(({ container }) => !sidecars.has(container)),
    ...rows.filter(({ container }) => sidecars.has(container)),
  ];
};

/** What a container listens on or would, had not another one of the Pod the port. */
const ofContainer = (pod: Pod, name: string): Listener[] => {
  const { rows } = pod.listeners;
  const lost = pod.containers
    .filter((container) => container.name === name)
    .flatMap(({ ports, place }) =>
      ports.flatMap(({ port, protocol }) => {
        const held = rows.find((row) => row.port === port && row.protocol === protocol);
        return held && held.container !== name
          ? [{ ...held, container: name, ...(place && { place }) }]
          : [];
      }),
    );
  return [...rows.filter(({ container }) => container === name), ...lost];
};

const ofPod = (pod: Pod, container: string | undefined): Evidence[] =>
  (container === undefined ? mainFirst(pod, pod.listeners.rows) : ofContainer(pod, container)).map(
    ({ protocol, port, ip, evidence, place, container: name }) => ({
      protocol,
      port,
      ip,
      evidence,
      ...(pod.containers.some((one) => one.name === name && one.sidecar) && { sidecar: true }),
      origin: forPod('scenario', place ? { ...pod, place } : pod)('listener', evidence),
    }),
  );

/** What a target shows, in order: its Pod's listeners, or the sockets of a machine. */
export const evidenceOf = (world: World, { pod, container, netns, outside }: Owned): Evidence[] => {
  if (pod) return ofPod(pod, container);
  if (outside) return [];
  return netnsOf(world, netns).sockets.map(({ protocol, port, ip, origin }) => ({
    protocol,
    port,
    ip,
    evidence: 'node',
    ...(origin && { origin }),
  }));
};

/**
 * What listens on the asked address before what does not, main containers before sidecars, TCP
 * before UDP.
 */
const firstOf = (rows: readonly Evidence[], dst: Ip): Evidence | undefined => {
  const rank = ({ protocol, ip, sidecar }: Evidence): number =>
    (ip === ANY || ip === dst ? 0 : 4) + (sidecar ? 2 : 0) + (protocol === 'tcp' ? 0 : 1);
  return [...rows].sort((a, b) => rank(a) - rank(b))[0];
};

/**
 * Settles protocol and port. A port that only UDP is known on is asked by UDP; no port at all is
 * the first one shown, TCP first, or an ICMP echo where none is.
 */
export const choosePort = (asked: Asked, rows: readonly Evidence[], dst: Ip): PortChoice => {
  const { protocol, port } = asked;
  if (protocol === 'sctp') return { kind: 'problem', why: 'sctp' };
  if (protocol === 'icmp')
    return port === undefined ? { kind: 'echo' } : { kind: 'problem', why: 'port-for-echo' };
  if (port !== undefined) {
    const known = rows.filter((row) => row.port === port).map((row) => row.protocol);
    const only = known.length > 0 && !known.includes('tcp') ? 'udp' : 'tcp';
    return { kind: 'port', protocol: protocol ?? only, port };
  }
  const chosen = firstOf(
    rows.filter((row) => protocol === undefined || row.protocol === protocol),
    dst,
  );
  if (chosen) return { kind: 'port', protocol: chosen.protocol, port: chosen.port, chosen };
  return protocol === undefined ? { kind: 'echo' } : { kind: 'problem', why: 'port-needed' };
};
