/** What packets leave behind while they walk: dynamic state, copied before it is written. */

import { copyRecent } from './netfilter/recent.ts';
import type { NetnsDynamic, NetnsId, World } from './world.ts';
import { withDynamic } from './world-build.ts';

export interface Overlay {
  /** The state of a namespace as it is now; absent while it is cold. */
  read(id: NetnsId): NetnsDynamic | undefined;
  /** The same, to be written: a copy that belongs to this overlay alone. */
  write(id: NetnsId): NetnsDynamic;
  /** The World with everything that was written. */
  world(): World;
}

const copy = (from: NetnsDynamic | undefined): NetnsDynamic => ({
  neighbours: [...(from?.neighbours ?? [])],
  fdb: new Map([...(from?.fdb ?? [])].map(([dev, rows]) => [dev, new Map(rows)])),
  conntrack: [...(from?.conntrack ?? [])],
  nftSets: new Map([...(from?.nftSets ?? [])].map(([name, keys]) => [name, new Set(keys)])),
  ipvs: [...(from?.ipvs ?? [])],
  pmtu: new Map(from?.pmtu),
  flowHashes: new Map(from?.flowHashes),
  recent: copyRecent(from?.recent),
  headers: new Set(from?.headers),
  ...(from?.redirects && { redirects: new Map(from.redirects) }),
});

/** A copy-on-write view of the dynamic state of a World; the World itself never changes. */
export const createOverlay = (world: World): Overlay => {
  const written = new Map<NetnsId, NetnsDynamic>();
  return {
    read: (id) => written.get(id) ?? world.dynamic.get(id),
    write: (id) => {
      const known = written.get(id);
      if (known) return known;
      const made = copy(world.dynamic.get(id));
      written.set(id, made);
      return made;
    },
    world: () => withDynamic(world, new Map([...world.dynamic, ...written])),
  };
};
