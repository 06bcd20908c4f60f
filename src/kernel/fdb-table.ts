/** Forwarding tables: the rows a bridge makes itself, rows written by hand, and learned ones. */

import type { Mac } from '../wire/packet.ts';
import { ZERO_MAC } from '../wire/packet.ts';
import type { FdbEntry } from './fdb.ts';
import type { Bridge, Vxlan } from './netdev.ts';
import { portsOf } from './netdev.ts';
import type { Netns, NetnsDynamic } from './world.ts';

/** Learned rows, as the dynamic state of a namespace or a walk keeps them. */
export type LearnedFdb = Pick<NetnsDynamic, 'fdb'> | undefined;

const ownRow = (mac: Mac, ifname: string): FdbEntry => ({
  mac,
  dev: ifname,
  state: 'permanent',
  local: true,
  origin: { by: 'kernel', why: 'address' },
});

/**
 * The bridge's own rows (br_fdb_add_local and br_fdb_change_mac_address, net/bridge/br_fdb.c): the
 * MAC of each port, and the bridge's own when no port has it. Frames to them go up the stack. A
 * bridge that lost its ports and has no MAC has no row.
 */
export const localFdb = (netns: Netns, bridge: Bridge): readonly FdbEntry[] => {
  const rows = new Map<Mac, FdbEntry>();
  for (const { mac, ifname } of [...portsOf(netns, bridge.ifname), bridge])
    if (mac !== ZERO_MAC && !rows.has(mac)) rows.set(mac, ownRow(mac, ifname));
  return [...rows.values()];
};

/**
 * br_fdb_find (net/bridge/br_fdb.c): the row of a MAC. A bridge holds one row a MAC: those of its
 * own addresses stay; all others move to the port where the MAC was seen last, even those that were
 * written by hand (br_fdb_update).
 */
export const bridgeFdbFind = (
  netns: Netns,
  bridge: Bridge,
  learned: LearnedFdb,
  mac: Mac,
): FdbEntry | undefined => {
  if (mac !== ZERO_MAC) {
    const port = portsOf(netns, bridge.ifname).find((one) => one.mac === mac);
    if (port || bridge.mac === mac) return ownRow(mac, port?.ifname ?? bridge.ifname);
  }
  const written = bridge.fdb.find((row) => row.mac === mac);
  return written?.local ? written : (learned?.fdb.get(bridge.ifname)?.get(mac) ?? written);
};

/** All rows of a bridge as `bridge fdb show br BRIDGE` has them, without multicast ones. */
export const bridgeFdb = (
  netns: Netns,
  bridge: Bridge,
  learned: LearnedFdb,
): readonly FdbEntry[] => {
  const seen = learned?.fdb.get(bridge.ifname);
  const written = bridge.fdb.map((row) => (row.local ? row : (seen?.get(row.mac) ?? row)));
  const rows = [...localFdb(netns, bridge), ...written];
  const listed = new Set(rows.map(({ mac }) => mac));
  return [...rows, ...[...(seen?.values() ?? [])].filter(({ mac }) => !listed.has(mac))];
};

type Remotes = Map<Mac, readonly FdbEntry[]>;

const indexes = new WeakMap<readonly FdbEntry[], Remotes>();

const remotesOf = ({ fdb }: Vxlan): Remotes => {
  let index = indexes.get(fdb);
  if (!index) {
    index = new Map();
    for (const row of fdb) index.set(row.mac, [...(index.get(row.mac) ?? []), row]);
    indexes.set(fdb, index);
  }
  return index;
};

const NO_ROWS: readonly FdbEntry[] = [];

/** The rows that were written by hand for a MAC. */
export const writtenRemotes = (dev: Vxlan, mac: Mac): readonly FdbEntry[] =>
  remotesOf(dev).get(mac) ?? NO_ROWS;

/**
 * The rows of a tunnel with one more. The index moves on to them, so that a tunnel with a row for
 * each of thousands of nodes is filled in no time; the rows before it are indexed anew if anybody
 * asks for them again.
 */
export const withRemote = (dev: Vxlan, row: FdbEntry): readonly FdbEntry[] => {
  const index = remotesOf(dev);
  const fdb = [...dev.fdb, row];
  indexes.delete(dev.fdb);
  index.set(row.mac, [...(index.get(row.mac) ?? []), row]);
  indexes.set(fdb, index);
  return fdb;
};

/**
 * vxlan_find_mac and vxlan_xmit's fall-back (drivers/net/vxlan/vxlan_core.c): the remote rows of a
 * MAC, or else those of the all-zero MAC, which stand for every unknown one. Several rows: the
 * frame goes to each of them. Empty: it is dropped.
 */
export const vxlanFdbFind = (dev: Vxlan, learned: LearnedFdb, mac: Mac): readonly FdbEntry[] => {
  const exact = writtenRemotes(dev, mac);
  if (exact.length > 0) return exact;
  const row = learned?.fdb.get(dev.ifname)?.get(mac);
  return row ? [row] : writtenRemotes(dev, ZERO_MAC);
};

/** All rows of a vxlan device as `bridge fdb show dev DEV` has them. */
export const vxlanFdb = (dev: Vxlan, learned: LearnedFdb): readonly FdbEntry[] => {
  const seen = new Set(dev.fdb.map(({ mac }) => mac));
  const rest = [...(learned?.fdb.get(dev.ifname)?.values() ?? [])];
  return [...dev.fdb, ...rest.filter(({ mac }) => !seen.has(mac))];
};
