/** What a namespace learns about its neighbours (net/core/neighbour.c). */
import type { Ip, Mac } from '../../wire/packet.ts';
import type { NudState } from '../neigh.ts';
import { isNudValid, neighLookup } from '../neigh-table.ts';
import type { Netns } from '../world.ts';
import type { Walk } from './walk.ts';

/**
 * neigh_update by a packet: rows written by hand never change, and a MAC that was learned only just
 * now is not replaced by the next answer (locktime).
 * @param override another MAC may replace the one that is known
 * @returns whether the row has the MAC now
 */
export const neighUpdate = (
  walk: Walk,
  netns: Netns,
  dev: string,
  ip: Ip,
  learned: { readonly lladdr?: Mac; readonly state: NudState },
  override: boolean,
): void => {
  const known = neighLookup(netns, walk.overlay.read(netns.id), dev, ip);
  if (known && netns.neighbours.includes(known)) return;
  const valid = known !== undefined && isNudValid(known.state);
  if (valid && known.lladdr !== learned.lladdr && !override) return;
  // What is reachable stays so when it asks something itself.
  const state =
    valid && known.lladdr === learned.lladdr && learned.state === 'STALE'
      ? known.state
      : learned.state;
  const { neighbours } = walk.overlay.write(netns.id);
  const at = known ? neighbours.indexOf(known) : -1;
  const row = {
    ip,
    dev,
    ...(learned.lladdr !== undefined && { lladdr: learned.lladdr }),
    state,
    origin: { by: 'kernel', why: 'arp-learned' },
  } as const;
  if (at >= 0) neighbours[at] = row;
  else neighbours.push(row);
};
