/** Forwarding tables of bridges and VXLAN devices (net/bridge/br_fdb.c, drivers/net/vxlan). */
import type { Ip, Mac } from '../wire/packet.ts';
import type { Origin } from './origin.ts';

/** One line of `bridge fdb`. */
export interface FdbEntry {
  readonly mac: Mac;
  /** Bridge: the port's ifname, or the bridge's own for a local row. VXLAN: the device itself. */
  readonly dev: string;
  /** VXLAN only: the remote VTEP. */
  readonly dst?: Ip;
  readonly state: 'permanent' | 'static' | 'learned';
  /** A row of the bridge's own addresses: frames to it go up the stack. */
  readonly local?: boolean;
  readonly origin?: Origin;
}

/** Learned rows of one device, by MAC. */
export type Fdb = Map<Mac, FdbEntry>;
