/** Forwarding rows written by hand (`bridge fdb`), and the settings of bridge ports (`bridge link`). */

import type { Ip, Mac } from '../../wire/packet.ts';
import { ZERO_MAC } from '../../wire/packet.ts';
import type { FdbEntry } from '../fdb.ts';
import { withRemote, writtenRemotes } from '../fdb-table.ts';
import type { Bridge, Vxlan } from '../netdev.ts';
import { findDev } from '../netdev.ts';
import type { Origin } from '../origin.ts';
import type { BridgePort, Netns } from '../world.ts';
import { NetlinkError } from './error.ts';
import { needDev, putDev } from './store.ts';

/** One `bridge fdb add MAC dev DEV [dst IP] [self|master] [permanent|static]`. */
export interface FdbSpec {
  readonly mac: Mac;
  /** The vxlan device, the bridge, or one of its ports. */
  readonly dev: string;
  /** The remote VTEP; vxlan only. */
  readonly dst?: Ip;
  /** Default: permanent. On a bridge a permanent row is local: its frames go up the stack. */
  readonly state?: 'permanent' | 'static';
}

export type FdbMode = 'add' | 'append' | 'replace';

/** Zero and multicast MACs stand for everything unknown and may have several remotes. */
const mayRepeat = (mac: Mac): boolean =>
  mac === ZERO_MAC || (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

/** vxlan_fdb_update (drivers/net/vxlan/vxlan_core.c). */
const vxlanRows = (dev: Vxlan, row: FdbEntry, mode: FdbMode): readonly FdbEntry[] => {
  const same = writtenRemotes(dev, row.mac);
  if (mode === 'replace' && mayRepeat(row.mac))
    throw same.length === 0
      ? new NetlinkError('EOPNOTSUPP')
      : new NetlinkError('EOPNOTSUPP', 'Cannot replace non-unicast fdb entries');
  if (same.length === 0) return withRemote(dev, row);
  if (mode === 'add') throw new NetlinkError('EEXIST');
  if (mode === 'append') {
    if (!mayRepeat(row.mac) || same.some(({ dst }) => dst === row.dst)) return dev.fdb;
    return withRemote(dev, row);
  }
  return dev.fdb.map((other) => (other.mac === row.mac ? row : other));
};

const masterOf = (netns: Netns, spec: FdbSpec): Bridge => {
  const dev = needDev(netns, spec.dev);
  const bridge = dev.master === undefined ? dev : findDev(netns, dev.master);
  if (bridge?.kind !== 'bridge') throw new NetlinkError('EOPNOTSUPP');
  return bridge;
};

/** br_fdb_add (net/bridge/br_fdb.c). */
const bridgeRows = (bridge: Bridge, row: FdbEntry, mode: FdbMode): readonly FdbEntry[] => {
  const known = bridge.fdb.some(({ mac }) => mac === row.mac);
  if (known && mode === 'add') throw new NetlinkError('EEXIST');
  return [...bridge.fdb.filter(({ mac }) => mac !== row.mac), row];
};

/**
 * `bridge fdb add|append|replace`: on a vxlan device a remote row (vxlan_fdb_add), on a bridge or a
 * port of one a row of the bridge (br_fdb_add).
 * @throws {NetlinkError} ENODEV, EEXIST, EOPNOTSUPP, EINVAL for a vxlan row without a remote
 */
export const fdbAdd = (
  netns: Netns,
  spec: FdbSpec,
  origin?: Origin,
  mode: FdbMode = 'add',
): FdbEntry => {
  const dev = needDev(netns, spec.dev);
  const state = spec.state ?? 'permanent';
  const common = { mac: spec.mac, dev: spec.dev, state, ...(origin && { origin }) };
  if (dev.kind === 'vxlan' && (spec.dst !== undefined || dev.master === undefined)) {
    if (spec.dst === undefined) throw new NetlinkError('EINVAL');
    const row: FdbEntry = { ...common, dst: spec.dst };
    putDev(netns, { ...dev, fdb: vxlanRows(dev, row, mode) });
    return row;
  }
  const bridge = masterOf(netns, spec);
  const row: FdbEntry = state === 'permanent' ? { ...common, local: true } : common;
  putDev(netns, { ...bridge, fdb: bridgeRows(bridge, row, mode) });
  return row;
};

/** `bridge fdb append`. @throws {NetlinkError} as fdbAdd */
export const fdbAppend = (netns: Netns, spec: FdbSpec, origin?: Origin): FdbEntry =>
  fdbAdd(netns, spec, origin, 'append');

/** `bridge fdb replace`. @throws {NetlinkError} as fdbAdd */
export const fdbReplace = (netns: Netns, spec: FdbSpec, origin?: Origin): FdbEntry =>
  fdbAdd(netns, spec, origin, 'replace');

/**
 * `bridge fdb del MAC dev DEV [dst IP]`: rows written by hand only; learned ones are dynamic.
 * @throws {NetlinkError} ENODEV, ENOENT when there is no such row
 */
export const fdbDel = (netns: Netns, spec: Pick<FdbSpec, 'mac' | 'dev' | 'dst'>): void => {
  const dev = needDev(netns, spec.dev);
  const owner = dev.kind === 'vxlan' && dev.master === undefined ? dev : undefined;
  const remote = dev.kind === 'vxlan' && spec.dst !== undefined ? dev : owner;
  const table = remote ?? masterOf(netns, spec);
  const gone = (row: FdbEntry): boolean =>
    row.mac === spec.mac &&
    (table.kind === 'vxlan'
      ? spec.dst === undefined || row.dst === spec.dst
      : row.dev === spec.dev);
  const fdb = table.fdb.filter((row) => !gone(row));
  // __vxlan_fdb_delete: a MAC that is there is enough to succeed, whether it has that remote or not.
  const known = table.kind === 'vxlan' && table.fdb.some(({ mac }) => mac === spec.mac);
  if (fdb.length === table.fdb.length && !known) throw new NetlinkError('ENOENT');
  putDev(netns, { ...table, fdb });
};

/** What a port starts with (nbp flags of new_nbp, net/bridge/br_if.c). */
export const DEFAULT_PORT: BridgePort = {
  state: 'forwarding',
  hairpin: false,
  learning: true,
  flood: true,
  isolated: false,
};

/**
 * `bridge link set dev DEV hairpin on …` (br_setport, net/bridge/br_netlink.c).
 * @throws {NetlinkError} ENODEV; EOPNOTSUPP when the device is no port
 */
export const portSet = (
  netns: Netns,
  ifname: string,
  change: Partial<BridgePort>,
  origin?: Origin,
): void => {
  const dev = needDev(netns, ifname);
  if (dev.master === undefined) throw new NetlinkError('EOPNOTSUPP');
  putDev(netns, {
    ...dev,
    port: { ...DEFAULT_PORT, ...dev.port, ...change },
    ...(origin && { origin }),
  });
};
