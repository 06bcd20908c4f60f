/** Who a server thinks is calling: what its socket says, and what a trace says. */
import type { NetnsId } from '../kernel/world.ts';
import { sourceSeen } from '../trace/seen.ts';
import type { Leg, Step, TraceFacts } from '../trace/trace.ts';
import type { Ip, Unknown } from '../wire/packet.ts';

/** The other end of a connection or datagram that a listener took. */
export interface Caller {
  /** The server's namespace. */
  readonly netns: NetnsId;
  readonly ip: Ip;
  readonly port: number | Unknown;
}

const isTaken = ({ kind, action }: Step): boolean => kind === 'deliver' && action === 'socket';

const callerOf = (leg: Leg): Caller[] => {
  const last = leg.hops.at(-1);
  const source = sourceSeen(leg);
  if (last === undefined || source === undefined || !last.steps.some(isTaken)) return [];
  return [{ netns: `${last.node}/${last.netns}`, ip: source.ip, port: source.port ?? 0 }];
};

/**
 * Whom the listeners of a trace hear: of a datagram at once, of a connection when its handshake is
 * over, which an ACK that fares otherwise than the SYN does not bring about.
 */
export const callersIn = ({ legs }: TraceFacts): Caller[] => {
  const lost = legs.some(
    ({ packet, direction, disposition }) =>
      packet === 'ack' && direction === 'request' && disposition !== 'delivered',
  );
  const answered = legs.some(
    ({ packet, disposition }) => packet === 'synack' && disposition === 'delivered',
  );
  return legs
    .filter(({ packet }) => packet === 'datagram' || (packet === 'syn' && answered && !lost))
    .filter(({ direction }) => direction === 'request')
    .flatMap(callerOf);
};

const portText = (port: Caller['port']): string =>
  typeof port === 'number' ? String(port) : port.range.join('-');

const callerText = ({ netns, ip, port }: Caller): string => `${ip}:${portText(port)} in ${netns}`;

const isSame = (expected: Caller, found: Caller): boolean =>
  expected.netns === found.netns &&
  expected.ip === found.ip &&
  (typeof expected.port === 'number' || typeof found.port !== 'number'
    ? expected.port === found.port
    : expected.port.range[0] <= found.port && found.port <= expected.port.range[1]);

/** One line for each caller that only one of the two has. */
export const compareCallers = (expected: readonly Caller[], found: readonly Caller[]): string[] => [
  ...expected
    .filter((one) => !found.some((other) => isSame(one, other)))
    .map((one) => `only in the trace a server hears ${callerText(one)}`),
  ...found
    .filter((one) => !expected.some((other) => isSame(other, one)))
    .map((one) => `only in the kernel a server hears ${callerText(one)}`),
];
