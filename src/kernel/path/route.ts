/** Route lookups as the stages need them: told as events, and kept in the packet. */
import type { Ip } from '../../wire/packet.ts';
import type { Errno, RouteEvent } from '../event.ts';
import type { FibResult } from '../fib-lookup.ts';
import { inetAddrType } from '../fib-lookup.ts';
import { findDev } from '../netdev.ts';
import type { OutputKey, RouteOutput } from '../route-output.ts';
import { ipRouteConnect, ipRouteOutput } from '../route-output.ts';
import type { Dst, Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { pickHop } from './pick-hop.ts';
import type { Walk } from './walk.ts';
import { drop, emit, isTold } from './walk.ts';

type Detail = RouteEvent['detail'];

/** Reports one lookup. */
export const tellRoute = (walk: Walk, netns: Netns, detail: Detail): void => {
  const { row, rule } = detail;
  const device = (detail.nexthop ?? row)?.dev;
  const origin = row?.origin ?? rule?.origin;
  const event: { -readonly [Key in keyof RouteEvent]: RouteEvent[Key] } =
    device === undefined
      ? { kind: 'route', netns: netns.id, action: 'lookup', detail }
      : { kind: 'route', netns: netns.id, device, action: 'lookup', detail };
  if (origin) event.origin = origin;
  emit(walk, event);
};

/** Adds what a lookup found to its event. */
export const addFound = (
  detail: Detail,
  { rule, row, nexthop, nearMiss }: Pick<FibResult, 'rule' | 'row' | 'nexthop' | 'nearMiss'>,
): void => {
  if (rule) detail.rule = rule;
  if (row) detail.row = row;
  if (nexthop) detail.nexthop = nexthop;
  if (nearMiss) detail.nearMiss = nearMiss;
};

type Found = Extract<RouteOutput, { kind: 'route' }>;

/** find_exception: what ICMP told about the way to a destination. */
const withExceptions = (walk: Walk, netns: Netns, found: Found): Dst => {
  const { type, dev, row } = found;
  const dynamic = type === 'unicast' ? walk.overlay.read(netns.id) : undefined;
  const pmtu = dynamic?.pmtu.get(found.dst);
  const gateway = dynamic?.redirects?.get(found.dst) ?? found.gateway;
  const dst: { -readonly [Key in keyof Dst]: Dst[Key] } = { type, dev };
  if (gateway !== undefined) dst.gateway = gateway;
  if (row?.mtu) dst.mtu = row.mtu;
  if (pmtu !== undefined) dst.pmtu = pmtu;
  return dst;
};

/** ipv4_mtu (net/ipv4/route.c): the learned MTU, else the row's, else the device's; in bytes. */
export const dstMtu = (netns: Netns, dst: Dst): number =>
  Math.min(dst.pmtu ?? dst.mtu ?? findDev(netns, dst.dev)?.mtu ?? 0, 0xffff);

/** The same for a packet that is forwarded, which no learned MTU binds (ip_dst_mtu_maybe_forward). */
export const dstMtuForward = (netns: Netns, dst: Dst): number =>
  Math.min(dst.mtu ?? findDev(netns, dst.dev)?.mtu ?? 0, 0xffff);

export type Routed =
  | { readonly kind: 'route'; readonly dst: Dst; readonly src: Ip; readonly to: Ip }
  | { readonly kind: 'error'; readonly errno: Errno }
  | { readonly kind: 'not-modelled' };

const tellOutput = (
  walk: Walk,
  netns: Netns,
  key: OutputKey,
  route: RouteOutput,
  purpose: 'output' | 'underlay',
  pmtu: number | undefined,
): void => {
  const type = route.kind === 'not-modelled' ? 'unicast' : route.type;
  const detail: Detail = {
    dst: key.dst,
    purpose,
    result: type === 'multicast' ? 'broadcast' : type,
  };
  if (key.src !== undefined) detail.src = key.src;
  else if (route.kind === 'route') detail.chosenSource = route.src;
  if (key.mark) detail.mark = key.mark;
  addFound(detail, route);
  if (pmtu !== undefined) detail.pmtu = pmtu;
  tellRoute(walk, netns, detail);
};

/**
 * Routes a packet made here (ip_route_output_flow), or a socket's connect (ip_route_connect), and
 * tells it.
 * @param how `before`: what to do before the lookup is told, once the source is known
 */
export const routeOutput = (
  walk: Walk,
  netns: Netns,
  key: OutputKey,
  how: {
    readonly purpose?: 'output' | 'underlay';
    readonly connect?: boolean;
    readonly before?: (src: Ip) => void;
  } = {},
): Routed => {
  const lookup = how.connect ? ipRouteConnect : ipRouteOutput;
  const route = lookup(walk.world, netns, key, pickHop(walk));
  const dst = route.kind === 'route' ? withExceptions(walk, netns, route) : undefined;
  how.before?.(route.kind === 'route' ? route.src : (key.src ?? '0.0.0.0'));
  if (isTold(walk)) tellOutput(walk, netns, key, route, how.purpose ?? 'output', dst?.pmtu);
  if (route.kind === 'route' && dst) return { kind: 'route', dst, src: route.src, to: route.dst };
  switch (route.kind) {
    case 'error':
      return { kind: 'error', errno: route.errno };
    case 'not-modelled':
      drop(walk, netns, 'not-modelled', { unmodelled: 'multipath' });
      return { kind: 'not-modelled' };
    default:
      throw new TypeError('a route without a way');
  }
};

/**
 * ip_route_me_harder (net/ipv4/netfilter.c): the route of a packet that netfilter changed. Its
 * source may be anybody's. Without a route the packet ends here.
 * @returns what the sender gets where there is no route (NF_DROP_ERR)
 */
export const ipRouteMeHarder = (walk: Walk, netns: Netns, skb: Skb): Errno | undefined => {
  const { packet, mark } = skb;
  const type = inetAddrType(netns, packet.src);
  const own = type === 'local' || type === 'unicast';
  const route = routeOutput(walk, netns, {
    dst: packet.dst,
    ...(own && { src: packet.src, anySource: true }),
    mark,
  });
  if (route.kind === 'route') {
    skb.dst = route.dst;
    return undefined;
  }
  if (route.kind !== 'error') return 'EPERM';
  drop(walk, netns, 'NETFILTER_DROP');
  return route.errno;
};
