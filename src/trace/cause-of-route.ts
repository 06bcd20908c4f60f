/** The cause where a lookup of a route ended a packet. */
import type { RouteEvent } from '../kernel/event.ts';
import type { FibEntry } from '../kernel/fib.ts';
import type { World } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import { linkDown } from './link-down.ts';
import type { CauseCode, TraceFacts } from './trace.ts';
import { type Finding, type Found, hereAt, placeOf, type View } from './view.ts';

export function routeFinding(
  view: View,
  facts: TraceFacts,
  found: Found,
  detail: RouteEvent['detail'],
): Finding {
  const { leg, hop } = found;
  const netns = hereAt(view, hop);
  const about = detail.row && { ...placeOf(netns), wrong: { route: detail.row } };
  const typed = (code: CauseCode): Finding => ({ code, ...(about && { about }) });
  if (detail.purpose === 'reverse-path') return typed('RP_FILTER_DROP');
  switch (detail.result) {
    case 'broadcast':
      return { code: 'MARTIAN_OR_NONROUTABLE' };
    case 'unreachable':
      return typed('ROUTE_UNREACHABLE');
    case 'prohibit':
      return typed('ROUTE_PROHIBIT');
    case 'blackhole':
      if (detail.row?.origin?.why !== 'unrouted-range') return typed('ROUTE_BLACKHOLE');
      return unroutedFinding(view, facts, found, detail);
    default: {
      const down = netns.devices.find(
        ({ kind, addresses, up }) => kind !== 'loopback' && addresses.length > 0 && !up,
      );
      // With a state to compare with, that says which row is gone, and why.
      if (down !== undefined && !view.intended) return linkDown(netns, down);
      return { code: leg.direction === 'reply' ? 'REPLY_NO_ROUTE' : 'NO_ROUTE' };
    }
  }
}

/** The network's router has no way to an address of the cluster. */
function unroutedFinding(
  { world }: View,
  facts: TraceFacts,
  { leg, hop }: Found,
  { dst, row }: RouteEvent['detail'],
): Finding {
  const first = facts.legs[0]?.hops[0];
  if (leg.direction === 'reply' && isOutside(facts) && first) {
    return { code: 'NO_SNAT_FOR_EGRESS', about: { node: first.node, netns: 'host' } };
  }
  if (world.book.owners(dst).length === 0) return { code: 'UNKNOWN_DST_IP' };
  const route = row && routeToNode(world, dst, row);
  return {
    code: 'NO_ROUTE',
    about: { node: hop.node, netns: hop.netns, ...(route && { missing: { route } }) },
  };
}

/** The row that would lead to the node whose Pods a range is for, beside one that leads nowhere. */
function routeToNode({ book, host }: World, dst: Ip, beside: FibEntry): FibEntry | undefined {
  const range = book.rangeOf(dst);
  if (range?.kind !== 'node-pods' || range.host === undefined) return undefined;
  const card = [...host(range.host).netns.values()]
    .flatMap(({ devices }) => devices)
    .find(({ kind, addresses }) => kind === 'physical' && addresses.length > 0);
  const via = card?.addresses[0]?.ip;
  if (via === undefined) return undefined;
  const { table, metric } = beside;
  return {
    table,
    type: 'unicast',
    dst: range.cidr,
    via,
    scope: 'global',
    metric,
    protocol: 'boot',
  };
}

function isOutside(facts: TraceFacts): boolean {
  return facts.probe.to.kind === 'external' || facts.probe.to.kind === 'ip';
}
