/** What a bridge learns from the frames that come in by its ports (net/bridge/br_fdb.c). */
import type { Mac } from '../../wire/packet.ts';
import type { FdbEntry } from '../fdb.ts';
import { bridgeFdbFind } from '../fdb-table.ts';
import type { Bridge } from '../netdev.ts';
import type { Netdev, Netns } from '../world.ts';
import type { Walk } from './walk.ts';

/**
 * br_fdb_update: the source of a frame is behind the port it came in by. A row that was written by
 * hand moves there too; a bridge's own addresses never do.
 * @returns what was learned; undefined when the bridge knew it
 */
export const brFdbUpdate = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  port: Netdev,
  mac: Mac,
): FdbEntry | undefined => {
  const known = bridgeFdbFind(netns, bridge, walk.overlay.read(netns.id), mac);
  if (known && (known.local || known.dev === port.ifname)) return undefined;
  const row: FdbEntry = {
    mac,
    dev: port.ifname,
    state: known?.state ?? 'learned',
    origin: { by: 'kernel', why: 'bridge-learned' },
  };
  const { fdb } = walk.overlay.write(netns.id);
  const rows = fdb.get(bridge.ifname);
  if (rows) rows.set(mac, row);
  else fdb.set(bridge.ifname, new Map([[mac, row]]));
  return row;
};
