/** The raw writes of netlink: elements are replaced, never changed, and indexes are told. */

import type { FibEntry } from '../fib.ts';
import { routeInserted, routesChanged } from '../fib-index.ts';
import { devicesChanged, findDev } from '../netdev.ts';
import type { Netdev, Netns } from '../world.ts';
import { noDevice } from './error.ts';

/** @throws {NetlinkError} ENODEV */
export const needDev = (netns: Netns, ifname: string): Netdev => {
  const dev = findDev(netns, ifname);
  if (!dev) throw noDevice(ifname);
  return dev;
};

/** Puts a changed device in the place of the one with its name. */
export const putDev = <Dev extends Netdev>(netns: Netns, dev: Dev): Dev => {
  const at = netns.devices.findIndex(({ ifname }) => ifname === dev.ifname);
  if (at < 0) netns.devices.push(dev);
  else netns.devices[at] = dev;
  devicesChanged(netns);
  return dev;
};

export const dropDev = (netns: Netns, ifname: string): void => {
  dropWhere(netns.devices, (dev) => dev.ifname === ifname);
  devicesChanged(netns);
};

/** Takes elements out of an array in place; answers whether there were any. */
export const dropWhere = <Value>(values: Value[], gone: (value: Value) => boolean): boolean => {
  const kept = values.filter((value) => !gone(value));
  if (kept.length === values.length) return false;
  values.splice(0, values.length, ...kept);
  return true;
};

/** Puts a row at an index of the routes. */
export const insertRoute = (netns: Netns, at: number, row: FibEntry): void => {
  netns.routes.splice(at, 0, row);
  routeInserted(netns, row);
};

export const replaceRoute = (netns: Netns, at: number, row: FibEntry): void => {
  netns.routes[at] = row;
  routesChanged(netns);
};

export const dropRoutes = (netns: Netns, gone: (row: FibEntry) => boolean): boolean => {
  const dropped = dropWhere(netns.routes, gone);
  if (dropped) routesChanged(netns);
  return dropped;
};
