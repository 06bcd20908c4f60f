/** The cause where nobody answered, too many did, or nobody on a wire took a frame. */
import type { NeighbourEvent, Tap, WireEvent } from '../kernel/event.ts';
import { findDev, findDevOfAddress, type Vxlan } from '../kernel/netdev.ts';
import { netnsOf } from '../kernel/netns.ts';
import { cutBetween } from '../kernel/segment.ts';
import type { IfAddr, Netdev, Netns } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import { brokenLink } from './broken-link.ts';
import { linkDown } from './link-down.ts';
import { proxyArpOff } from './proxy-arp.ts';
import type { CauseFact, Leg, TraceFacts } from './trace.ts';
import { type Finding, type Found, hereAt, intendedOf, placeOf, type View } from './view.ts';

/** Why nobody answered: looks at the asker's own port, then at the owner's. */
export function neighbourFinding(
  view: View,
  facts: TraceFacts,
  found: Found,
  { ip }: NeighbourEvent['detail'],
): Finding {
  const { hop, step } = found;
  const netns = hereAt(view, hop);
  const asking = step.device === undefined ? undefined : findDev(netns, step.device);
  if (asking?.kind === 'vxlan') return vtepUnknown(view, netns, asking, ip);
  const own = asking && brokenLink(view, netns, asking);
  if (own !== undefined) return own;
  const proxy = asking && proxyArpOff(view, found, asking, ip);
  if (proxy !== undefined) return proxy;
  const owners = view.world.book.owners(ip);
  if (owners.length === 0) {
    return { code: ip === facts.probe.to.ip ? 'UNKNOWN_DST_IP' : 'ROUTE_WRONG_NEXTHOP' };
  }
  for (const owner of owners) {
    const holder = netnsOf(view.world, owner.netns);
    if (asking && isCut(view, netns, asking, holder.host)) return cutFinding(netns, holder.host);
    const broken = brokenOwner(view, holder, ip) ?? (asking && takenFor(holder, asking));
    if (broken !== undefined) return broken;
  }
  return { code: 'NEIGH_FAILED' };
}

/** A wire that loses everything both or one way loses the question or the answer. */
function isCut({ world }: View, { host }: Netns, asking: Netdev, owner: string): boolean {
  const name = asking.kind === 'physical' ? asking.segment : undefined;
  const segment = name === undefined ? undefined : world.segments.get(name);
  if (!segment) return false;
  return Boolean(cutBetween(segment, host, owner, {}) ?? cutBetween(segment, owner, host, {}));
}

/** The wire between two machines loses the packet. */
export function cutFinding(netns: Netns, peer: string | undefined): Finding {
  const about = { ...placeOf(netns), ...(peer !== undefined && { peer }) };
  return { code: 'UNDERLAY_BLOCKED', about };
}

function vtepUnknown(view: View, netns: Netns, { ifname }: Vxlan, ip: Ip): Finding {
  const row = intendedOf(view, netns.id)?.neighbours.find(
    (one) => one.ip === ip && one.dev === ifname,
  );
  return {
    code: 'VTEP_NEIGH_MISSING',
    about: {
      ...placeOf(netns),
      device: ifname,
      ...(row && { missing: { neighbour: row } }),
    },
  };
}

/** Why the owner of an address does not answer, as far as its devices tell. */
function brokenOwner(view: View, holder: Netns, ip: Ip): Finding | undefined {
  const device = findDevOfAddress(holder, ip)?.dev;
  if (device !== undefined) return brokenLink(view, holder, device);
  const there = intendedOf(view, holder.id);
  const wanted = there && findDevOfAddress(there, ip);
  const ifname = wanted?.dev.ifname;
  const about = { ...placeOf(holder), ...(ifname !== undefined && { device: ifname }) };
  if (!wanted || !findDev(holder, wanted.dev.ifname)) return { code: 'LINK_MISSING', about };
  const address = `${ip}/${wanted.address.prefix}`;
  return { code: 'NEIGH_FAILED', about: { ...about, missing: { address } } };
}

/** Who has the asker's own address too answers none of its questions. */
function takenFor(holder: Netns, asking: Netdev): Finding | undefined {
  for (const { ip } of asking.addresses) {
    const other = findDevOfAddress(holder, ip);
    if (other) return twinFinding(holder, other);
  }
  return undefined;
}

/** A machine that took a packet for an address which somebody else was given. */
export function wrongOwner({ world }: View, netns: Netns, ip: Ip): Finding | undefined {
  const owners = world.book.owners(ip);
  if (owners.length === 0 || owners.some((owner) => owner.netns === netns.id)) return undefined;
  const found = findDevOfAddress(netns, ip);
  return found && twinFinding(netns, found);
}

/** An address that somebody else has, too. */
function twinFinding(holder: Netns, { dev, address }: { dev: Netdev; address: IfAddr }) {
  const { ip, prefix, origin } = address;
  return {
    code: 'DUPLICATE_IP' as const,
    about: { ...placeOf(holder), device: dev.ifname, wrong: { address: `${ip}/${prefix}` } },
    ...(origin && { origin }),
  };
}

/** Several owners answer for one address; which answer counts is decided by time alone. */
export function twinCause(view: View, leg: Leg): CauseFact | undefined {
  for (const { steps } of leg.hops) {
    for (const step of steps) {
      if (step.kind !== 'neighbour') continue;
      const { ip, exchange = [] } = step.detail as NeighbourEvent['detail'];
      const holders = new Set(exchange.flatMap((tap) => (isAnswer(tap, ip) ? tap.netns : [])));
      const owners = [...holders]
        .map((id) => netnsOf(view.world, id))
        .flatMap((holder) => {
          const found = findDevOfAddress(holder, ip);
          return found ? [{ holder, ...found }] : [];
        });
      // Who was given it by hand has it wrongly.
      const wrong = owners.find(({ address }) => address.origin?.by === 'fault') ?? owners[1];
      if (owners.length > 1 && wrong) return { ...twinFinding(wrong.holder, wrong), step: step.n };
    }
  }
  return undefined;
}

const isAnswer = ({ direction, packet }: Tap, ip: Ip): boolean =>
  direction === 'transmit' &&
  packet.some((layer) => layer.type === 'arp' && layer.op === 'reply' && layer.spa === ip);

/** Nobody on the wire took a frame: the one with its MAC is not there to listen, or there is none. */
export function nobodyFinding(view: View, { to, segment }: WireEvent['detail']): Finding {
  if (to === undefined) return { code: 'ROUTE_WRONG_NEXTHOP' };
  const netns = netnsOf(view.world, `${to}/host`);
  const card = netns.devices.find((one) => one.kind === 'physical' && one.segment === segment);
  return card ? linkDown(netns, card) : { code: 'LINK_DOWN', about: placeOf(netns) };
}
