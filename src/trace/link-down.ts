/** A device that is down, and the routes that went down with it. */
import type { FibEntry } from '../kernel/fib.ts';
import { routeDevices } from '../kernel/fib.ts';
import { fibLookup } from '../kernel/fib-lookup.ts';
import type { Neigh } from '../kernel/neigh.ts';
import { findDev } from '../kernel/netdev.ts';
import { netnsOf } from '../kernel/netns.ts';
import type { Netdev, Netns, World } from '../kernel/world.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import type { CauseSubject, TraceFacts } from './trace.ts';
import { type Finding, intendedOf, placeOf, type View } from './view.ts';

/** @param taken the row that the packet would have taken */
export const linkDown = (netns: Netns, { ifname, origin }: Netdev, taken?: FibEntry): Finding => ({
  code: 'LINK_DOWN',
  about: {
    ...placeOf(netns),
    device: ifname,
    // The kernel makes its own rows anew when the device comes up.
    ...(taken && taken.protocol !== 'kernel' && { missing: { route: taken } }),
  },
  ...(origin && { origin }),
});

/** An address of the device that is gone: the preferred one, else the first. */
export const lostAddress = (
  there: Netns,
  device: Netdev | undefined,
  preferred?: Ip,
): { address?: Cidr } => {
  if (!device) return {};
  const kept = new Set(device.addresses.map(({ ip }) => ip));
  const lost = (findDev(there, device.ifname)?.addresses ?? []).filter(({ ip }) => !kept.has(ip));
  const address = lost.find(({ ip }) => ip === preferred) ?? lost[0];
  return address ? { address: `${address.ip}/${address.prefix}` } : {};
};

/**
 * Adds what one end of the conversation would be reached by: without it the device may be up again,
 * and the packet or its answer still finds no way.
 */
export const withTaken = (view: View, facts: TraceFacts, finding: Finding): Finding => {
  const { code, about } = finding;
  const there = about && intendedOf(view, `${about.node}/${about.netns}`);
  if (code !== 'LINK_DOWN' || !about || !there || !view.intended) return finding;
  const { world, intended } = view;
  const route = about.missing?.route ?? takenRoute(intended, there, about, facts);
  const here = netnsOf(world, there.id);
  const isNext = ({ ip, dev }: Neigh): boolean =>
    dev === about.device && (route?.nexthops ?? [route]).some((hop) => hop?.via === ip);
  const neighbour = here.neighbours.some(isNext) ? undefined : there.neighbours.find(isNext);
  const device = about.device === undefined ? undefined : findDev(here, about.device);
  const missing = {
    ...lostAddress(there, device),
    ...(route && { route }),
    ...(neighbour && { neighbour }),
  };
  return Object.keys(missing).length === 0 ? finding : { ...finding, about: { ...about, missing } };
};

const takenRoute = (
  intended: World,
  there: Netns,
  { device }: CauseSubject,
  { probe: { from, to } }: TraceFacts,
): FibEntry | undefined => {
  for (const dst of [to.ip, from.ip]) {
    const row = dst === undefined ? undefined : fibLookup(intended, there, { dst }).row;
    if (!row || row.protocol === 'kernel') continue;
    if (device === undefined ? !row.dev : routeDevices(row).includes(device)) return row;
  }
  return undefined;
};
