/** Neighbours written by hand (neigh_add and neigh_delete, net/core/neighbour.c). */
import type { Ip, Mac } from '../../wire/packet.ts';
import type { Neigh } from '../neigh.ts';
import { neighboursChanged, neighWritten, writtenNeigh } from '../neigh-table.ts';
import type { Origin } from '../origin.ts';
import type { Netns } from '../world.ts';
import { NetlinkError } from './error.ts';
import { dropWhere, needDev } from './store.ts';

/** One `ip neigh add IP lladdr MAC dev DEV [nud STATE]`. */
export interface NeighSpec {
  readonly ip: Ip;
  readonly dev: string;
  readonly lladdr?: Mac;
  /** Default: PERMANENT, as iproute2. */
  readonly state?: Neigh['state'];
}

/**
 * `ip neigh add|replace`.
 * @throws {NetlinkError} ENODEV; EINVAL for a state that needs a MAC and has none; EEXIST on add
 */
export const neighAdd = (
  netns: Netns,
  spec: NeighSpec,
  origin?: Origin,
  mode: 'add' | 'replace' = 'add',
): Neigh => {
  needDev(netns, spec.dev);
  const state = spec.state ?? 'PERMANENT';
  if (
    spec.lladdr === undefined &&
    state !== 'INCOMPLETE' &&
    state !== 'FAILED' &&
    state !== 'NOARP'
  )
    throw new NetlinkError('EINVAL');
  const known = writtenNeigh(netns, spec.dev, spec.ip);
  if (known && mode === 'add') throw new NetlinkError('EEXIST');
  const row: Neigh = {
    ip: spec.ip,
    dev: spec.dev,
    ...(spec.lladdr !== undefined && { lladdr: spec.lladdr }),
    state,
    ...(origin && { origin }),
  };
  if (known) netns.neighbours[netns.neighbours.indexOf(known)] = row;
  else netns.neighbours.push(row);
  neighWritten(netns, row);
  return row;
};

/** `ip neigh replace`. @throws {NetlinkError} as neighAdd */
export const neighReplace = (netns: Netns, spec: NeighSpec, origin?: Origin): Neigh =>
  neighAdd(netns, spec, origin, 'replace');

/** `ip neigh del IP dev DEV`. @throws {NetlinkError} ENODEV; ENOENT when there is no such row */
export const neighDel = (netns: Netns, ip: Ip, ifname: string): void => {
  needDev(netns, ifname);
  if (!dropWhere(netns.neighbours, (row) => row.ip === ip && row.dev === ifname))
    throw new NetlinkError('ENOENT');
  neighboursChanged(netns);
};

/** neigh_ifdown and neigh_changeaddr: all rows of a device go, permanent ones too. */
export const neighFlushDev = (netns: Netns, ifname: string): void => {
  if (dropWhere(netns.neighbours, (row) => row.dev === ifname)) neighboursChanged(netns);
};
