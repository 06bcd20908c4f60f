/** The probe after a probe: what an application sends next, and the World that it meets. */
import type { CtTuple } from '../kernel/netfilter/conntrack.ts';
import type { World } from '../kernel/world.ts';
import { withDynamic } from '../kernel/world-build.ts';

const LARGEST_PORT = 65_535;

/**
 * The port, or the id of an echo, that the second probe has. A second TCP connection has a socket of
 * its own, and connect() gives it another port; the next one stands for whichever that is. A
 * datagram or an echo goes out of the socket that is there.
 */
export const secondPort = (protocol: string, first: number): number =>
  protocol === 'tcp' && first < LARGEST_PORT ? first + 1 : first;

const hasHash = ({ sport, dport }: CtTuple): boolean =>
  [sport, dport].some((port) => typeof port !== 'number' && port.unknown === 'flow-hash');

/**
 * What the first probe left behind, as the second one finds it. The outer source port of a tunnel
 * depends on the flow inside: a new connection has another, and so does not find the rows that
 * conntrack keeps for the outer packets of the first.
 */
export const leftBehind = (world: World, protocol: string): World => {
  if (protocol !== 'tcp') return world;
  const dynamic = [...world.dynamic].map(([id, state]) => {
    const conntrack = state.conntrack.filter(({ original }) => !hasHash(original));
    return [id, { ...state, conntrack }] as const;
  });
  return withDynamic(world, new Map(dynamic));
};
