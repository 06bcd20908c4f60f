/** The route of a packet that came in: told as events, and kept in the packet. */
import type { Ip } from '../../wire/packet.ts';
import type { RouteEvent, Unmodelled } from '../event.ts';
import type { FibResult } from '../fib-lookup.ts';
import type { RouteInput } from '../route-input.ts';
import type { Dst, Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { addFound, tellRoute } from './route.ts';
import type { Walk } from './walk.ts';

const resultOf = (route: RouteInput): RouteEvent['detail']['result'] => {
  switch (route.kind) {
    case 'local':
    case 'broadcast':
      return route.kind;
    case 'forward':
      return 'unicast';
    case 'drop':
    case 'error':
      return route.result?.type ?? 'no-route';
    default: {
      const never: never = route;
      return never;
    }
  }
};

/** Reports the lookup for a packet that came in, and the one back where that refused it. */
export const tellInput = (
  walk: Walk,
  netns: Netns,
  skb: Skb,
  iif: string,
  route: RouteInput,
): void => {
  const { src, dst } = skb.packet;
  const tell = (detail: RouteEvent['detail'], found: FibResult | undefined): void => {
    if (skb.mark !== 0) detail.mark = skb.mark;
    if (found) addFound(detail, found);
    tellRoute(walk, netns, detail);
  };
  const refused = route.kind === 'drop' && route.reason === 'IP_RPFILTER';
  // Impossible addresses are dropped before anything is looked up.
  if (route.result || route.kind !== 'drop')
    tell({ dst, src, iif, purpose: 'input', result: resultOf(route) }, route.result);
  if (refused && route.reverse) {
    const result = route.reverse.type;
    tell({ dst: src, src: dst, iif, purpose: 'reverse-path', result }, route.reverse);
  }
};

/** What about a packet that came in is not modelled. */
export const unmodelledIn = ({ result }: RouteInput): Unmodelled =>
  result?.row?.nexthops ? 'multipath' : 'multicast';

/** The way on of a packet that goes through; what a redirect taught this machine binds it as well. */
export const forwardDst = (
  walk: Walk,
  netns: Netns,
  to: Ip,
  { dev, row, gateway, redirect }: Extract<RouteInput, { kind: 'forward' }>,
): Dst => {
  const learned = walk.overlay.read(netns.id)?.redirects?.get(to) ?? gateway;
  const way: { -readonly [Key in keyof Dst]: Dst[Key] } = { type: 'unicast', dev, redirect };
  if (learned !== undefined) way.gateway = learned;
  if (row.mtu) way.mtu = row.mtu;
  return way;
};
