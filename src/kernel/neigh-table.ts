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

type Index = Map<string, Neigh>;

const indexes = new WeakMap<readonly Neigh[], Index>();

const keyOf = (ifname: string, ip: Ip): string => `${ip} ${ifname}`;

const indexOf = (rows: readonly Neigh[]): Index => {
  let index = indexes.get(rows);
  if (!index) {
    index = new Map(rows.map((row) => [keyOf(row.dev, row.ip), row]));
    indexes.set(rows, index);
  }
  return index;
};

/** Keeps the index true after a row was written by hand; netlink calls it. */
export const neighWritten = ({ neighbours }: Netns, row: Neigh): void => {
  indexes.get(neighbours)?.set(keyOf(row.dev, row.ip), row);
};

/** Forgets what was indexed about the rows written by hand; netlink calls it when rows go. */
export const neighboursChanged = ({ neighbours }: Netns): void => {
  indexes.delete(neighbours);
};

/** The row that was written by hand for an address on a device. */
export const writtenNeigh = ({ neighbours }: Netns, ifname: string, ip: Ip): Neigh | undefined =>
  indexOf(neighbours).get(keyOf(ifname, ip));

/**
 * neigh_lookup: the row of an address on a device. What was written by hand cannot be learned
 * anew, so it comes before what packets left behind.
 */
export const neighLookup = (
  netns: Netns,
  dynamic: Pick<NetnsDynamic, 'neighbours'> | undefined,
  ifname: string,
  ip: Ip,
): Neigh | undefined =>
  writtenNeigh(netns, ifname, ip) ??
  dynamic?.neighbours.findLast((row) => row.ip === ip && row.dev === ifname);

/** All rows as `ip neigh` lists them: by hand first, then learned ones that nothing overrides. */
export const neighTable = (
  netns: Netns,
  dynamic: Pick<NetnsDynamic, 'neighbours'> | undefined,
): readonly Neigh[] => [
  ...netns.neighbours,
  ...(dynamic?.neighbours ?? []).filter(({ ip, dev }) => !writtenNeigh(netns, dev, ip)),
];
