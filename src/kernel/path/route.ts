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
import type { Walk } from './walk.ts';
import { drop, emit, isTold } from './walk.ts';

type Detail = RouteEvent['detail'];

/** Reports one lookup. */
export const tellRoute = (walk: Walk, netns: Netns, detail: Detail): void => {
  const origin = detail.row?.origin ?? detail.rule?.origin;
  emit(walk, {
    kind: 'route',
    netns: netns.id,
    ...(detail.row?.dev !== undefined && { device: detail.row.dev }),
    action: 'lookup',
    detail,
    ...(origin && { origin }),
  });
};

/** What a lookup found, for its event. */
export const foundIn = (
  result: Pick<FibResult, 'rule' | 'row' | 'nearMiss'>,
): Pick<Detail, 'rule' | 'row' | 'nearMiss'> => ({
  ...(result.rule && { rule: result.rule }),
  ...(result.row && { row: result.row }),
  ...(result.nearMiss && { nearMiss: result.nearMiss }),
});

type Found = Extract<RouteOutput, { kind: 'route' }>;

/** find_exception: what ICMP told about the way to a destination. */
const withExceptions = (walk: Walk, netns: Netns, found: Found): Dst => {
  const dynamic = walk.overlay.read(netns.id);
  const pmtu = found.type === 'unicast' ? dynamic?.pmtu.get(found.dst) : undefined;
  const learned = found.type === 'unicast' ? dynamic?.redirects?.get(found.dst) : undefined;
  const gateway = learned ?? found.gateway;
  const mtu = found.row?.mtu;
  return {
    type: found.type,
    dev: found.dev,
    ...(gateway !== undefined && { gateway }),
    ...(mtu !== undefined && mtu > 0 && { mtu }),
    ...(pmtu !== undefined && { pmtu }),
  };
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
): void => {
  const chosen = route.kind === 'route' && key.src === undefined ? { chosenSource: route.src } : {};
  const { pmtu } = route.kind === 'route' ? withExceptions(walk, netns, route) : {};
  const type = route.kind === 'not-modelled' ? 'unicast' : route.type;
  tellRoute(walk, netns, {
    dst: key.dst,
    ...(key.src !== undefined && { src: key.src }),
    ...chosen,
    ...(key.mark !== undefined && key.mark !== 0 && { mark: key.mark }),
    purpose,
    ...foundIn(route),
    result: type === 'multicast' ? 'broadcast' : type,
    ...(pmtu !== undefined && { pmtu }),
  });
};

/**
 * Routes a packet made here (ip_route_output_flow), or a socket's connect (ip_route_connect), and
 * tells it.
 * @param told what to do before the lookup is told, once the source is known
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
  const route = lookup(walk.world, netns, key);
  how.before?.(route.kind === 'route' ? route.src : (key.src ?? '0.0.0.0'));
  if (isTold(walk)) tellOutput(walk, netns, key, route, how.purpose ?? 'output');
  switch (route.kind) {
    case 'error':
      return { kind: 'error', errno: route.errno };
    case 'not-modelled':
      drop(walk, netns, 'not-modelled', { unmodelled: 'multipath' });
      return { kind: 'not-modelled' };
    case 'route':
      return {
        kind: 'route',
        dst: withExceptions(walk, netns, route),
        src: route.src,
        to: route.dst,
      };
    default: {
      const never: never = route;
      return never;
    }
  }
};

/**
 * ip_route_me_harder (net/ipv4/netfilter.c): the route of a packet that netfilter changed. Its
 * source may be anybody's. Without a route the packet ends here.
 */
export const ipRouteMeHarder = (walk: Walk, netns: Netns, skb: Skb): boolean => {
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
    return true;
  }
  if (route.kind === 'error') drop(walk, netns, 'NETFILTER_DROP');
  return false;
};
