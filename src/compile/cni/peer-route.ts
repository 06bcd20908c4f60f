/** Routes that a daemon adds and, when the kernel refuses one, only logs. */
import { NetlinkError, type RouteMode, type RouteSpec, routeAdd } from '../../kernel/netlink.ts';
import type { Origin } from '../../kernel/origin.ts';
import type { Netns } from '../../kernel/world.ts';

/** The namespace stays as it was where the next hop is not on a link. */
export const tryRoute = (
  netns: Netns,
  spec: RouteSpec,
  origin: Origin,
  mode: RouteMode = 'add',
): void => {
  try {
    routeAdd(netns, spec, origin, mode);
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
  }
};
