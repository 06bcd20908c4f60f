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

const ofPod = (pod: Pod, container: string | undefined): Evidence[] =>
  pod.listeners.rows
    .filter((row) => container === undefined || row.container === container)
    .map(({ protocol, port, ip, evidence, place }) => ({
      protocol,
      port,
      ip,
      evidence,
      origin: forPod('scenario', place ? { ...pod, place } : pod)('listener', evidence),
    }));

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

/** TCP before UDP, and what listens on the asked address before what does not. */
const firstOf = (rows: readonly Evidence[], dst: Ip): Evidence | undefined => {
  const rank = ({ protocol, ip }: Evidence): number =>
    (ip === ANY || ip === dst ? 0 : 2) + (protocol === 'tcp' ? 0 : 1);
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
