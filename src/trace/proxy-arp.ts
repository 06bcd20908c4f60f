/** A route that only works because a router answers ARP for everybody (proxy_arp). */
import type { RouteEvent } from '../kernel/event.ts';
import { routeDevices } from '../kernel/fib.ts';
import { fibLookup } from '../kernel/fib-lookup.ts';
import { findDev } from '../kernel/netdev.ts';
import { netnsOf } from '../kernel/netns.ts';
import { ipv4DevConf } from '../kernel/sysctl.ts';
import type { Netdev, Netns } from '../kernel/world.ts';
import { isLinkLocal } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import { type Finding, type Found, placeOf, type View } from './view.ts';

/** A default route to nobody: without a gateway, or by a link-local one. */
const needsProxy = ({ hop, step }: Found): boolean => {
  const lookup = hop.steps.findLast(({ kind, n }) => kind === 'route' && n < step.n);
  const { row } = (lookup?.detail ?? {}) as Partial<RouteEvent['detail']>;
  if (row?.dst !== '0.0.0.0/0' || row.nexthops) return false;
  return row.via === undefined || isLinkLocal(row.via);
};

/** The device that a router hears a Pod by: its end of the pair, or the bridge that has it. */
const routerOf = (view: View, asking: Netdev): { netns: Netns; device: Netdev } | undefined => {
  if (asking.kind !== 'veth' || !asking.peer) return undefined;
  const netns = netnsOf(view.world, asking.peer.netns);
  const port = findDev(netns, asking.peer.ifname);
  const device = port?.master === undefined ? port : findDev(netns, port.master);
  return device && { netns, device };
};

/** Nobody answered for `ip`, because the router that leads there does not answer for others. */
export const proxyArpOff = (
  view: View,
  found: Found,
  asking: Netdev,
  ip: Ip,
): Finding | undefined => {
  const router = needsProxy(found) ? routerOf(view, asking) : undefined;
  if (!router) return undefined;
  const { netns, device } = router;
  if (ipv4DevConf(netns, device.ifname, 'proxy_arp') !== 0) return undefined;
  const { row } = fibLookup(view.world, netns, { dst: ip, iif: device.ifname });
  if (row?.type !== 'unicast' || routeDevices(row).includes(device.ifname)) return undefined;
  return { code: 'PROXY_ARP_OFF', about: { ...placeOf(netns), device: device.ifname } };
};
