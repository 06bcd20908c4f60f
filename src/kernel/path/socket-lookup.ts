/** Who waits for a packet in a namespace (net/ipv4/inet_hashtables.c, net/ipv4/udp.c). */
import type { Ip, Ipv4 } from '../../wire/packet.ts';
import type { DeliverEvent } from '../event.ts';
import type { Netns, Socket } from '../world.ts';
import type { Walk } from './walk.ts';
import { emit, end } from './walk.ts';

/**
 * Gives a packet to the socket of this walk that it is for.
 * @returns false where there is none
 */
export const deliverToFlow = (
  walk: Walk,
  netns: Netns,
  at: Pick<DeliverEvent['detail'], 'protocol' | 'ip' | 'port'>,
  packet: Ipv4,
): boolean => {
  const socket = walk.sockets.find(
    (one) => one.netns === netns.id && one.protocol === at.protocol && one.owns(packet),
  );
  if (!socket) return false;
  const { process } = socket;
  emit(walk, {
    kind: 'deliver',
    netns: netns.id,
    action: 'socket',
    detail: { ...at, ...(process !== undefined && { process }) },
  });
  end(walk, { kind: 'delivered' });
  socket.receive(packet);
  return true;
};

export type Listener =
  | { readonly kind: 'open'; readonly process?: string; readonly assumed: boolean }
  /** Somebody else's socket would take it. */
  | { readonly kind: 'closed'; readonly other?: Socket }
  | { readonly kind: 'unknown'; readonly declared?: readonly string[] };

const ANY: Ip = '0.0.0.0';

/** compute_score: a socket bound to the address itself comes before one bound to all of them. */
const findSocket = (
  { sockets }: Netns,
  protocol: 'tcp' | 'udp',
  ip: Ip,
  port: number,
): Socket | undefined => {
  let wildcard: Socket | undefined;
  for (const socket of sockets) {
    if (socket.protocol !== protocol || socket.port !== port) continue;
    if (socket.ip === ip) return socket;
    if (socket.ip === ANY) wildcard ??= socket;
  }
  return wildcard;
};

/**
 * Who listens on an address and port. Where a process is meant to answer, another one that holds
 * the port counts as nobody.
 */
export const lookupListener = (
  walk: Walk,
  netns: Netns,
  protocol: 'tcp' | 'udp',
  ip: Ip,
  port: number,
): Listener => {
  const wanted = walk.expect?.netns === netns.id ? walk.expect.process : undefined;
  const socket = findSocket(netns, protocol, ip, port);
  if (socket)
    return wanted !== undefined && socket.process !== wanted
      ? { kind: 'closed', other: socket }
      : { kind: 'open', process: socket.process, assumed: socket.assumed === true };
  const isTaken = walk.sockets.some(
    (one) => one.netns === netns.id && one.protocol === protocol && one.holds === port,
  );
  if (isTaken) return { kind: 'closed' };
  const other = netns.sockets.find((one) => one.protocol === protocol && one.port === port);
  const { unlisted, declared } = netns.listeners;
  switch (unlisted) {
    case 'refused':
      return { kind: 'closed', ...(other && { other }) };
    case 'assumed-open':
      return { kind: 'open', assumed: true, ...(wanted !== undefined && { process: wanted }) };
    case 'unknown':
      return other ? { kind: 'closed', other } : { kind: 'unknown', ...(declared && { declared }) };
    default: {
      const never: never = unlisted;
      return never;
    }
  }
};

/** Reports what the lookup came to, and sets the packet's fate. */
export const tellListener = (
  walk: Walk,
  netns: Netns,
  at: { readonly protocol: 'tcp' | 'udp'; readonly ip: Ip; readonly port: number },
  listener: Listener,
): void => {
  const tell = (action: DeliverEvent['action'], more: Partial<DeliverEvent['detail']>): void =>
    emit(walk, { kind: 'deliver', netns: netns.id, action, detail: { ...at, ...more } });
  switch (listener.kind) {
    case 'open': {
      const { process, assumed } = listener;
      tell('socket', { ...(process !== undefined && { process }), ...(assumed && { assumed }) });
      end(walk, { kind: 'delivered' });
      break;
    }
    case 'closed': {
      const { other } = listener;
      tell('no-listener', other ? { otherListener: { ip: other.ip, process: other.process } } : {});
      end(walk, { kind: 'refused' });
      break;
    }
    case 'unknown': {
      const { declared } = listener;
      tell('unknown-listener', declared ? { declared } : {});
      end(walk, { kind: 'inconclusive', reason: 'fact-missing' });
      break;
    }
    default: {
      const never: never = listener;
      throw new TypeError(`not a listener: ${never}`);
    }
  }
};
