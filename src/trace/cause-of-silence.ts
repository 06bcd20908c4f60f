/** The cause where nobody answered, or nobody on a wire took a frame. */
import type { NeighbourEvent, WireEvent } from '../kernel/event.ts';
import { findDev, findDevOfAddress, type Vxlan } from '../kernel/netdev.ts';
import { netnsOf } from '../kernel/netns.ts';
import type { Netdev, Netns } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import { brokenLink } from './broken-link.ts';
import { linkDown } from './link-down.ts';
import type { TraceFacts } from './trace.ts';
import { type Finding, type Found, hereAt, intendedOf, placeOf, type View } from './view.ts';

/** Why nobody answered: looks at the asker's own port, then at the owner's. */
export function neighbourFinding(
  view: View,
  facts: TraceFacts,
  { hop, step }: Found,
  { ip }: NeighbourEvent['detail'],
): Finding {
  const netns = hereAt(view, hop);
  const asking = step.device === undefined ? undefined : findDev(netns, step.device);
  if (asking?.kind === 'vxlan') return vtepUnknown(view, netns, asking, ip);
  const own = asking && brokenLink(view, netns, asking);
  if (own !== undefined) return own;
  const owners = view.world.book.owners(ip);
  if (owners.length === 0) {
    return { code: ip === facts.probe.to.ip ? 'UNKNOWN_DST_IP' : 'ROUTE_WRONG_NEXTHOP' };
  }
  for (const owner of owners) {
    const holder = netnsOf(view.world, owner.netns);
    const broken = brokenOwner(view, holder, ip) ?? (asking && takenFor(holder, asking));
    if (broken !== undefined) return broken;
  }
  return { code: 'NEIGH_FAILED' };
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
    if (!other) continue;
    const { dev, address } = other;
    return {
      code: 'DUPLICATE_IP',
      about: {
        ...placeOf(holder),
        device: dev.ifname,
        wrong: { address: `${ip}/${address.prefix}` },
      },
      ...(address.origin && { origin: address.origin }),
    };
  }
  return undefined;
}

/** Nobody on the wire took a frame: the one with its MAC is not there to listen, or there is none. */
export function nobodyFinding(view: View, { to, segment }: WireEvent['detail']): Finding {
  if (to === undefined) return { code: 'ROUTE_WRONG_NEXTHOP' };
  const netns = netnsOf(view.world, `${to}/host`);
  const card = netns.devices.find((one) => one.kind === 'physical' && one.segment === segment);
  return card ? linkDown(netns, card) : { code: 'LINK_DOWN', about: placeOf(netns) };
}
