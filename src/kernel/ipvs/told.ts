/** What is told of IPVS beside addresses and ports. */
import type { Ip } from '../../wire/packet.ts';
import type { IpvsProtocol, Scheduler } from './virtual-server.ts';

/** Who picked the server of a packet. */
export type IpvsPick =
  /** The scheduler, for a first packet. */
  | 'scheduler'
  /** An earlier connection of the same client, which is to stay with its server. */
  | 'template'
  /** The packet belongs to a connection that has a server. */
  | 'connection';

/** The virtual server that sent a packet on. */
export interface IpvsRewrite {
  readonly protocol: IpvsProtocol;
  readonly virtual: { readonly ip: Ip; readonly port: number };
  readonly scheduler: Scheduler;
  /** How many servers it could have picked. */
  readonly servers: number;
  readonly pick: IpvsPick;
}

/** The virtual server that had nobody to send a packet to. */
export interface IpvsIdle {
  readonly protocol: IpvsProtocol;
  readonly virtual: { readonly ip: Ip; readonly port: number };
}
