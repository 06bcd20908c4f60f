/** Neighbour tables (net/core/neighbour.c, net/ipv4/arp.c). */
import type { Ip, Mac } from '../wire/packet.ts';
import type { Origin } from './origin.ts';

export type NudState =
  | 'INCOMPLETE'
  | 'REACHABLE'
  | 'STALE'
  | 'DELAY'
  | 'PROBE'
  | 'FAILED'
  | 'NOARP'
  | 'PERMANENT';

/** One line of `ip neigh`. */
export interface Neigh {
  readonly ip: Ip;
  readonly dev: string;
  readonly lladdr?: Mac;
  readonly state: NudState;
  readonly origin?: Origin;
}
