/** The route of a packet that came in: is it for us, for others, or impossible (net/ipv4/route.c, fib_frontend.c). */
import { cidrContains, cidrOf, isLoopback, isMulticast } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import type { DropReason } from './drop-reason.ts';
import type { Errno } from './event.ts';
import type { FibEntry } from './fib.ts';
import { routeDevices, throughHop } from './fib.ts';
import { hasCustomLocalRoutes, hasCustomRules } from './fib-index.ts';
import type { FibResult, Flow } from './fib-lookup.ts';
import { fibLookup, fibLookupWith, isZeronet, LIMITED_BROADCAST } from './fib-lookup.ts';
import type { PickHop } from './fib-multipath.ts';
import { fibSelectMultipath, firstHop } from './fib-multipath.ts';
import { gatewayOf, nexthopScope } from './fib-select.ts';
import type { Hosts } from './netdev.ts';
import { findDev, findDevOfAddress } from './netdev.ts';
import { ipv4DevConf } from './sysctl.ts';
import type { Netns } from './world.ts';

export interface InputKey {
  readonly dst: Ip;
  readonly src: Ip;
  /** The device that the packet came in by; not `lo`, whose packets keep the route they have. */
  readonly iif: string;
  readonly mark?: number;
}

/** The lookups that led to a decision; absent when it was made without one. */
interface Lookups {
  readonly result?: FibResult;
  /** The lookup of the source, where it was made (rp_filter, redirects, custom rules). */
  readonly reverse?: FibResult;
}

export type RouteInput =
  | (Lookups & { readonly kind: 'local' | 'broadcast' })
  | (Lookups & {
      readonly kind: 'forward';
      readonly row: FibEntry;
      readonly dev: string;
      /** Absent: the destination itself is the next hop. */
      readonly gateway?: Ip;
      /** The sender could have gone there itself: ip_forward tells it so (IPSKB_DOREDIRECT). */
      readonly redirect: boolean;
    })
  /** A martian: dropped without a word to anybody. */
  | (Lookups & {
      readonly kind: 'drop';
      readonly martian: 'source' | 'destination';
      readonly reason: DropReason;
    })
  /** ip_error: dropped, and told to the sender by ICMP when `icmp` is there. */
  | (Lookups & {
      readonly kind: 'error';
      readonly errno: Errno;
      readonly reason: DropReason;
      /** False: this machine does not forward what comes in by that device. */
      readonly forwarding: boolean;
      /** Code of the destination-unreachable message. */
      readonly icmp?: { readonly code: number };
    });

/** Outcome of a look at the source: fine (and whether it is on the link), or why not. */
type SourceCheck =
  | { readonly ok: true; readonly onLink: boolean; readonly reverse?: FibResult }
  | { readonly ok: false; readonly reason: DropReason; readonly reverse?: FibResult };

/** __fib_validate_source: the route back must exist as strictly as rp_filter wants it. */
const fullCheck = (
  world: Hosts,
  netns: Netns,
  key: InputKey,
  oif: string | undefined,
  rpFilter: number,
): SourceCheck => {
  const mark = ipv4DevConf(netns, key.iif, 'src_valid_mark') === 0 ? 0 : (key.mark ?? 0);
  const flow: Draft<Flow> = { dst: key.src, src: key.dst, mark };
  if (oif !== undefined) flow.iif = oif;
  const reverse = fibLookup(world, netns, flow);
  const { row } = reverse;
  const lastResort: SourceCheck =
    rpFilter === 0
      ? { ok: true, onLink: false, reverse }
      : { ok: false, reason: 'IP_RPFILTER', reverse };
  if (reverse.errno !== undefined || !row) return lastResort;
  if (row.type === 'local') {
    if (ipv4DevConf(netns, key.iif, 'accept_local') === 0)
      return { ok: false, reason: 'IP_LOCAL_SOURCE', reverse };
  } else if (row.type !== 'unicast') return { ok: false, reason: 'IP_INVALID_SOURCE', reverse };
  // fib_info_nh_uses_dev: any next hop's device will do.
  if (row.nexthops ? routeDevices(row).includes(key.iif) : row.dev === key.iif)
    return {
      ok: true,
      onLink: nexthopScope(throughHop(row, reverse.nexthop)) !== 'link',
      reverse,
    };
  if (findDev(netns, key.iif)?.addresses.length === 0) return lastResort;
  if (rpFilter === 1) return { ok: false, reason: 'IP_RPFILTER', reverse };
  const loose = fibLookupWith(netns, { ...flow, oif: key.iif });
  const onLink =
    loose.row?.type === 'unicast' && nexthopScope(throughHop(loose.row, loose.nexthop)) !== 'link';
  return { ok: true, onLink, reverse };
};

/**
 * fib_validate_source (net/ipv4/fib_frontend.c): whether a source is believed. Without rp_filter
 * only an own address is refused; otherwise the source is looked up as a destination: 1 (strict)
 * wants the very device it came in by, 2 (loose) any route.
 * @param oif the device the packet will leave by; undefined for one that stays here
 */
export const fibValidateSource = (
  world: Hosts,
  netns: Netns,
  key: InputKey,
  oif: string | undefined,
): SourceCheck => {
  const rpFilter = ipv4DevConf(netns, key.iif, 'rp_filter');
  const redirects = ipv4DevConf(netns, key.iif, 'send_redirects') !== 0;
  if (rpFilter === 0 && (key.iif !== oif || !redirects)) {
    if (ipv4DevConf(netns, key.iif, 'accept_local') !== 0) return { ok: true, onLink: false };
    if (!hasCustomLocalRoutes(netns) && !hasCustomRules(netns))
      return findDevOfAddress(netns, key.src)
        ? { ok: false, reason: 'IP_LOCAL_SOURCE' }
        : { ok: true, onLink: false };
  }
  return fullCheck(world, netns, key, oif, rpFilter);
};

// Every packet is routed a few times on its way: what it is told is written, not spread.
type Draft<Value> = { -readonly [Key in keyof Value]: Value[Key] };

type Stays = Extract<RouteInput, { kind: 'local' | 'broadcast' }>;

/** Writes down the lookups that led to an answer. */
const told = <Answer extends Draft<Lookups>>(
  answer: Answer,
  result: FibResult | undefined,
  reverse: FibResult | undefined,
): Answer => {
  if (result) answer.result = result;
  if (reverse) answer.reverse = reverse;
  return answer;
};

const martian = (
  which: 'source' | 'destination',
  reason: DropReason,
  result?: FibResult,
  reverse?: FibResult,
): RouteInput => {
  const answer: Draft<Extract<RouteInput, { kind: 'drop' }>> = {
    kind: 'drop',
    martian: which,
    reason,
  };
  return told(answer, result, reverse);
};

const HOST_UNREACH = 1;
const NET_UNREACH = 0;
const PKT_FILTERED = 13;

/** ip_error (net/ipv4/route.c): what becomes of a packet without a route. */
const ipError = (errno: Errno, forwarding: boolean, result: FibResult): RouteInput => {
  const common = { kind: 'error', errno, forwarding, result } as const;
  if (!forwarding) return { ...common, reason: 'IP_INADDRERRORS' };
  switch (errno) {
    case 'ENETUNREACH':
      return { ...common, reason: 'IP_INNOROUTES', icmp: { code: NET_UNREACH } };
    case 'EHOSTUNREACH':
      return { ...common, reason: 'NOT_SPECIFIED', icmp: { code: HOST_UNREACH } };
    case 'EACCES':
      return { ...common, reason: 'NOT_SPECIFIED', icmp: { code: PKT_FILTERED } };
    default:
      return { ...common, reason: 'NOT_SPECIFIED' };
  }
};

/** The martians that no table can tell; undefined: go on and look it up. */
const obviousMartian = (netns: Netns, { src, dst, iif }: InputKey): RouteInput | undefined => {
  if (isMulticast(src) || src === LIMITED_BROADCAST) return martian('source', 'IP_INVALID_SOURCE');
  if (dst === LIMITED_BROADCAST || (src === '0.0.0.0' && dst === '0.0.0.0')) return undefined;
  if (isZeronet(src)) return martian('source', 'IP_INVALID_SOURCE');
  if (isZeronet(dst)) return martian('destination', 'IP_INVALID_DEST');
  if (ipv4DevConf(netns, iif, 'route_localnet') !== 0) return undefined;
  if (isLoopback(dst)) return martian('destination', 'IP_LOCALNET');
  if (isLoopback(src)) return martian('source', 'IP_LOCALNET');
  return undefined;
};

/** ip_route_input_slow's brd_input: a broadcast's source is checked unless it is 0.0.0.0. */
const broadcastInput = (
  world: Hosts,
  netns: Netns,
  key: InputKey,
  result: FibResult | undefined,
): RouteInput => {
  if (isZeronet(key.src)) return told<Draft<Stays>>({ kind: 'broadcast' }, result, undefined);
  const check = fibValidateSource(world, netns, { ...key, dst: '0.0.0.0' }, undefined);
  return check.ok
    ? told<Draft<Stays>>({ kind: 'broadcast' }, result, check.reverse)
    : martian('source', check.reason, result, check.reverse);
};

/** inet_addr_onlink: whether one subnet of a device holds both addresses. */
const onOneLink = (netns: Netns, ifname: string, a: Ip, b: Ip): boolean =>
  (findDev(netns, ifname)?.addresses ?? []).some(({ ip, prefix }) => {
    const subnet = cidrOf(ip, prefix);
    return cidrContains(subnet, a) && cidrContains(subnet, b);
  });

/** __mkroute_input. */
const makeForward = (
  world: Hosts,
  netns: Netns,
  key: InputKey,
  row: FibEntry,
  result: FibResult,
): RouteInput => {
  const way = throughHop(row, result.nexthop);
  const { dev } = way;
  if (dev === undefined) throw new TypeError(`a route without a device: ${row.dst}`);
  const check = fibValidateSource(world, netns, key, dev);
  if (!check.ok) return martian('source', check.reason, result, check.reverse);
  const gateway = gatewayOf(way);
  const redirect =
    dev === key.iif &&
    check.onLink &&
    ipv4DevConf(netns, dev, 'send_redirects') !== 0 &&
    (ipv4DevConf(netns, dev, 'shared_media') !== 0 ||
      onOneLink(netns, dev, key.src, way.via ?? '0.0.0.0'));
  const forward: Draft<Extract<RouteInput, { kind: 'forward' }>> = {
    kind: 'forward',
    row,
    dev,
    redirect,
  };
  if (gateway !== undefined) forward.gateway = gateway;
  return told(forward, result, check.reverse);
};

/**
 * ip_route_input_slow (net/ipv4/route.c): what to do with a packet that came in by a device. In
 * order: impossible addresses are dropped as martians (multicast or zero source, zero destination,
 * 127.0.0.0/8 without route_localnet); the tables are asked; a packet for this machine or a
 * broadcast stays here if its source is believed; everything else is forwarded if the device
 * forwards (`ip_forward`), there is a route, and the source is believed. Without a route: an ICMP
 * error to the sender if the device forwards, silence if not.
 *
 * Multicast destinations, bc_forwarding and unknown ways to take one of several next hops answer a
 * drop with reason `not-modelled`.
 * @param pick takes one of several next hops for a packet that goes on
 */
export const ipRouteInput = (
  world: Hosts,
  netns: Netns,
  key: InputKey,
  pick: PickHop = firstHop,
): RouteInput => {
  if (isMulticast(key.dst)) return martian('destination', 'not-modelled');
  const obvious = obviousMartian(netns, key);
  if (obvious) return obvious;
  if (key.dst === LIMITED_BROADCAST || (key.src === '0.0.0.0' && key.dst === '0.0.0.0'))
    return broadcastInput(world, netns, key, undefined);
  const forwarding = ipv4DevConf(netns, key.iif, 'forwarding') !== 0;
  const result = fibLookup(world, netns, key);
  const { row } = result;
  if (result.errno !== undefined || !row || (row.dev === undefined && !row.nexthops))
    return ipError(
      forwarding ? (result.errno ?? 'ENETUNREACH') : 'EHOSTUNREACH',
      forwarding,
      result,
    );
  if (row.type === 'broadcast')
    return ipv4DevConf(netns, key.iif, 'bc_forwarding') === 0
      ? broadcastInput(world, netns, key, result)
      : martian('destination', 'not-modelled', result);
  if (row.type === 'local') {
    const check = fibValidateSource(world, netns, key, undefined);
    return check.ok
      ? told<Draft<Stays>>({ kind: 'local' }, result, check.reverse)
      : martian('source', check.reason, result, check.reverse);
  }
  if (!forwarding) return ipError('EHOSTUNREACH', false, result);
  if (row.type !== 'unicast') return martian('destination', 'IP_INVALID_DEST', result);
  if (!row.nexthops) return makeForward(world, netns, key, row, result);
  const nexthop = fibSelectMultipath(world, netns, row, undefined, key, pick);
  return nexthop
    ? makeForward(world, netns, key, row, { ...result, nexthop })
    : martian('destination', 'not-modelled', result);
};
