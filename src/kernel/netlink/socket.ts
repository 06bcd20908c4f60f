/** Listening sockets (inet_csk_get_port and udp_lib_get_port). */
import type { Netns, Socket } from '../world.ts';
import { NetlinkError } from './error.ts';

const ANY = '0.0.0.0';

const clash = (a: Socket, b: Socket): boolean =>
  a.protocol === b.protocol && a.port === b.port && (a.ip === b.ip || a.ip === ANY || b.ip === ANY);

/** The socket that keeps another from binding its address and port; undefined when none does. */
export const socketHolder = (netns: Netns, socket: Socket): Socket | undefined =>
  netns.sockets.find((other) => clash(other, socket));

/**
 * Binds a listener. One namespace is one port space: an address and port can be held once, and
 * `0.0.0.0` holds a port on every address.
 * @throws {NetlinkError} EADDRINUSE
 */
export const socketAdd = (netns: Netns, socket: Socket): void => {
  if (socketHolder(netns, socket)) throw new NetlinkError('EADDRINUSE');
  netns.sockets.push(socket);
};
