/**
 * Where a packet left the way that it would take without the scenario's faults: the first lookup
 * that found another row. A packet that strays often ends far from there, at somebody who is right
 * not to know it.
 */
import type { EncapsulateEvent, NeighbourEvent, RouteEvent } from '../kernel/event.ts';
import type { FibEntry, FibRule } from '../kernel/fib.ts';
import { routeDevices } from '../kernel/fib.ts';
import { type FibResult, fibLookup } from '../kernel/fib-lookup.ts';
import { findDev } from '../kernel/netdev.ts';
import type { Netdev, Netns, World } from '../kernel/world.ts';
import { cidrContains, cidrOf, parseCidr } from '../wire/ip.ts';
import { linkDown, lostAddress } from './link-down.ts';
import type { CauseCode, CauseSubject, Hop, Leg, Step } from './trace.ts';
import { type Finding, hereAt, intendedOf, placeOf, type View } from './view.ts';

/** A namespace as it is, and as it would be. */
interface Both {
  readonly here: Netns;
  readonly there: Netns;
}

/** @param last number of the step that ended the leg */
export const strayOf = (view: View, leg: Leg, last: number): Finding | undefined => {
  const { intended } = view;
  if (!intended) return undefined;
  for (const hop of leg.hops) {
    for (const step of hop.steps) {
      if (step.n > last) return undefined;
      const found = strayAt(view, intended, leg, hop, step);
      if (found) return { ...found, step: step.n };
    }
  }
  return undefined;
};

const strayAt = (
  view: View,
  intended: World,
  leg: Leg,
  hop: Hop,
  step: Step,
): Finding | undefined => {
  if (step.kind !== 'route' && step.kind !== 'neighbour' && step.kind !== 'encapsulate') {
    return undefined;
  }
  const here = hereAt(view, hop);
  const there = intendedOf(view, here.id);
  if (!there) return undefined;
  const both = { here, there };
  switch (step.kind) {
    case 'route': {
      const detail = step.detail as RouteEvent['detail'];
      if (detail.purpose === 'reverse-path') return undefined;
      return strayRoute(intended, both, detail, leg.direction);
    }
    case 'neighbour':
      return strayNeighbour(both, step.detail as NeighbourEvent['detail']);
    case 'encapsulate':
      return strayTunnel(both, step.detail as EncapsulateEvent['detail']);
    default:
      return step.kind satisfies never;
  }
};

const sameRoute = (a: FibEntry, b: FibEntry): boolean =>
  a.table === b.table &&
  a.type === b.type &&
  a.dst === b.dst &&
  a.via === b.via &&
  a.dev === b.dev &&
  a.metric === b.metric &&
  hopsKey(a) === hopsKey(b);

/** Next hops, whatever became of their links. */
const hopsKey = ({ nexthops = [] }: FibEntry): string =>
  nexthops.map(({ via, dev, weight }) => `${via} ${dev} ${weight}`).join();

/** The device that the row needs: of several the first that is gone or down, if any is. */
const deviceOf = (here: Netns, row: FibEntry): string | undefined => {
  const names = routeDevices(row);
  return names.find((ifname) => !findDev(here, ifname)?.up) ?? names[0];
};

/** The lookup of a route as it would have gone; undefined where it went just so. */
export const strayRoute = (
  intended: World,
  both: Both,
  detail: RouteEvent['detail'],
  direction: Leg['direction'],
): Finding | undefined => {
  const { dst, src, iif, mark, row } = detail;
  const expected = fibLookup(intended, both.there, {
    dst,
    ...(src !== undefined && { src }),
    ...(iif !== undefined && { iif }),
    ...(mark !== undefined && { mark }),
  });
  if (!expected.row || (row && sameRoute(row, expected.row))) return undefined;
  const found = whyNot(both, expected.row, expected, detail, direction);
  const origin = found.origin ?? row?.origin ?? detail.rule?.origin;
  return origin?.by === 'fault' ? { ...found, origin } : found;
};

/** Why a namespace does not take the row that it would have taken. */
const whyNot = (
  both: Both,
  wanted: FibEntry,
  { rule: wantedRule }: FibResult,
  { dst, row, rule }: RouteEvent['detail'],
  direction: Leg['direction'],
): Finding => {
  const { here } = both;
  const place = placeOf(here);
  const ifname = deviceOf(here, wanted);
  const device = ifname === undefined ? undefined : findDev(here, ifname);
  if (ifname !== undefined && !device) return goneDevice(both, ifname);
  if (device && !device.up) return linkDown(here, device, wanted);
  const thrown = here.routes.find(
    (one) =>
      one.type === 'throw' &&
      one.table === wanted.table &&
      cidrContains(one.dst, dst) &&
      isAsNarrow(one, wanted),
  );
  if (here.routes.some((one) => sameRoute(one, wanted))) {
    if (thrown) return { code: 'ROUTE_THROW', about: { ...place, wrong: { route: thrown } } };
    return row && wanted.table === row.table && sameRule(rule, wantedRule)
      ? hidden(here, row)
      : diverted(both, rule, wantedRule);
  }
  const wrong = thrown ?? (row && isAsNarrow(row, wanted) ? row : undefined);
  const missing = missingWith(both, device, wanted);
  const named = { ...place, ...(ifname !== undefined && { device: ifname }), missing };
  if (!wrong) {
    return {
      code: direction === 'reply' && !row ? 'REPLY_NO_ROUTE' : 'NO_ROUTE',
      about: named,
    };
  }
  return {
    code: wrongCode(wrong, wanted),
    about: { ...named, wrong: { route: wrong } },
  };
};

/** The right row is there, and another one wins: one of its own, or what came with an address. */
const hidden = (here: Netns, row: FibEntry): Finding => {
  const place = placeOf(here);
  const device = row.dev === undefined ? undefined : findDev(here, row.dev);
  const address =
    row.protocol === 'kernel' && row.type === 'unicast'
      ? device?.addresses.find(({ ip, prefix }) => cidrOf(ip, prefix) === row.dst)
      : undefined;
  if (!device || !address)
    return { code: typeCode(row) ?? 'ROUTE_SHADOWED', about: { ...place, wrong: { route: row } } };
  const { ip, prefix, origin } = address;
  return {
    code: 'ROUTE_WRONG_NET',
    about: { ...place, device: device.ifname, wrong: { address: `${ip}/${prefix}` } },
    ...(origin && { origin }),
  };
};

const isAsNarrow = (row: FibEntry, wanted: FibEntry): boolean =>
  parseCidr(row.dst).prefix >= parseCidr(wanted.dst).prefix;

/** The code of a row that leads nowhere on purpose. */
const typeCode = ({ type }: FibEntry): CauseCode | undefined => {
  switch (type) {
    case 'throw':
      return 'ROUTE_THROW';
    case 'blackhole':
      return 'ROUTE_BLACKHOLE';
    case 'unreachable':
      return 'ROUTE_UNREACHABLE';
    case 'prohibit':
      return 'ROUTE_PROHIBIT';
    default:
      return undefined;
  }
};

const wrongCode = (row: FibEntry, wanted: FibEntry): CauseCode =>
  typeCode(row) ??
  (routeDevices(row).join() === routeDevices(wanted).join()
    ? 'ROUTE_WRONG_NEXTHOP'
    : 'ROUTE_WRONG_DEV');

const goneDevice = ({ here, there }: Both, device: string): Finding => ({
  code: findDev(there, device)?.kind === 'vxlan' ? 'TUNNEL_MISSING' : 'LINK_MISSING',
  about: { ...placeOf(here), device },
});

/** The row, and an address that is gone; the kernel makes its own rows anew with the address. */
const missingWith = (
  { there }: Both,
  device: Netdev | undefined,
  route: FibEntry,
): NonNullable<CauseSubject['missing']> => {
  const lost = lostAddress(there, device, route.src);
  return lost.address !== undefined && route.protocol === 'kernel' ? lost : { route, ...lost };
};

const ALL = '0.0.0.0/0';

/** All that tells one rule from another; `from all` is as good as nothing. */
const ruleKey = ({ priority, from = ALL, to = ALL, iif, oif, fwmark, action }: FibRule): string =>
  [
    priority,
    from,
    to,
    iif,
    oif,
    fwmark?.mark,
    fwmark?.mask,
    action.kind === 'table' ? action.table : action.kind,
  ].join();

const sameRule = (a: FibRule | undefined, b: FibRule | undefined): boolean =>
  (a && ruleKey(a)) === (b && ruleKey(b));

/** Rules send the packet elsewhere: one that was added, or for want of one that is gone. */
const diverted = (
  { here, there }: Both,
  rule: FibRule | undefined,
  wanted: FibRule | undefined,
): Finding => {
  const added = rule && !there.rules.some((one) => sameRule(one, rule));
  const gone = wanted && !here.rules.some((one) => sameRule(one, wanted));
  return {
    code: 'POLICY_RULE_DIVERTED',
    about: {
      ...placeOf(here),
      ...(added && { wrong: { ipRule: rule } }),
      ...(gone && { missing: { ipRule: wanted } }),
    },
    ...(added && rule.origin && { origin: rule.origin }),
  };
};

/** An entry that was written by hand, and that leads the frame to somebody else. */
const strayNeighbour = (
  { here, there }: Both,
  { row }: NeighbourEvent['detail'],
): Finding | undefined => {
  if (row?.state !== 'PERMANENT') return undefined;
  const wanted = there.neighbours.find(({ ip, dev }) => ip === row.ip && dev === row.dev);
  if (wanted?.lladdr === row.lladdr) return undefined;
  return {
    code: 'NEIGH_FAILED',
    about: {
      ...placeOf(here),
      device: row.dev,
      wrong: { neighbour: row },
      ...(wanted && { missing: { neighbour: wanted } }),
    },
    ...(row.origin && { origin: row.origin }),
  };
};

const strayTunnel = (
  { here, there }: Both,
  { row }: EncapsulateEvent['detail'],
): Finding | undefined => {
  const tunnel = findDev(there, row.dev);
  if (tunnel?.kind !== 'vxlan') return undefined;
  const wanted = tunnel.fdb.find(({ mac }) => mac === row.mac);
  if (!wanted || wanted.dst === row.dst) return undefined;
  return {
    code: 'VTEP_FDB_WRONG',
    about: { ...placeOf(here), device: row.dev, wrong: { fdb: row }, missing: { fdb: wanted } },
    ...(row.origin && { origin: row.origin }),
  };
};
