/** The neighbour table of a namespace: rows written by hand, then learned ones (net/core/neighbour.c). */
import type { Ip } from '../wire/packet.ts';
import type { Neigh, NudState } from './neigh.ts';
import type { Netns, NetnsDynamic } from './world.ts';

const CONNECTED: ReadonlySet<NudState> = new Set([
  'REACHABLE',
  'STALE',
  'DELAY',
  'PROBE',
  'NOARP',
  'PERMANENT',
]);

/** NUD_VALID: the row has a MAC that packets may be sent to, be it proved or not. */
export const isNudValid = (state: NudState): boolean => CONNECTED.has(state);

/**
 * neigh_lookup: the row of an address on a device. What was written by hand cannot be learned
 * anew, so it comes before what packets left behind.
 */
export const neighLookup = (
  netns: Netns,
  dynamic: Pick<NetnsDynamic, 'neighbours'> | undefined,
  ifname: string,
  ip: Ip,
): Neigh | undefined => {
  const isIt = (row: Neigh): boolean => row.ip === ip && row.dev === ifname;
  return netns.neighbours.find(isIt) ?? dynamic?.neighbours.findLast(isIt);
};

/** All rows as `ip neigh` lists them: by hand first, then learned ones that nothing overrides. */
export const neighTable = (
  netns: Netns,
  dynamic: Pick<NetnsDynamic, 'neighbours'> | undefined,
): readonly Neigh[] => [
  ...netns.neighbours,
  ...(dynamic?.neighbours ?? []).filter(
    ({ ip, dev }) => !netns.neighbours.some((row) => row.ip === ip && row.dev === dev),
  ),
];
