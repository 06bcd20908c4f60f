/** Asking for a MAC, and answering (net/ipv4/arp.c, RFC 826). */
import { cidrContains, cidrOf, isLoopback, isMulticast } from '../../wire/ip.ts';
import type { Arp, Ethernet, Ip } from '../../wire/packet.ts';
import { BROADCAST_MAC, ZERO_MAC } from '../../wire/packet.ts';
import { inetAddrType } from '../fib-lookup.ts';
import { inetSelectAddr } from '../fib-select.ts';
import { neighLookup } from '../neigh-table.ts';
import { ipRouteInput } from '../route-input.ts';
import type { PktType } from '../skb.ts';
import { ipv4DevConf } from '../sysctl.ts';
import type { Netdev, Netns } from '../world.ts';
import { neighUpdate } from './neigh-update.ts';
import type { Walk } from './walk.ts';
import { drop } from './walk.ts';

/** inet_addr_onlink (net/ipv4/devinet.c): a subnet of the device holds both addresses. */
const onLink = (dev: Netdev, a: Ip, b: Ip): boolean =>
  dev.addresses.some(({ ip, prefix }) => {
    const subnet = cidrOf(ip, prefix);
    return cidrContains(subnet, a) && cidrContains(subnet, b);
  });

/** The address to ask with: the waiting packet's own where arp_announce lets it. */
const askingAddress = (
  netns: Netns,
  dev: Netdev,
  target: Ip,
  packetSource: Ip | undefined,
): Ip | undefined => {
  const announce = ipv4DevConf(netns, dev.ifname, 'arp_announce');
  const own = packetSource !== undefined && inetAddrType(netns, packetSource) === 'local';
  if (own && announce === 0) return packetSource;
  if (own && announce === 1 && onLink(dev, target, packetSource)) return packetSource;
  return inetSelectAddr(netns, dev.ifname, target, 'link');
};

/**
 * arp_solicit: asks everybody on the link who has an address. Without an address of its own the
 * device asks nothing.
 * @param packetSource source of the packet that waits
 */
export const arpSolicit = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  target: Ip,
  packetSource: Ip | undefined,
): void => {
  const spa = askingAddress(netns, dev, target, packetSource);
  if (spa === undefined) return;
  const frame: Ethernet = {
    type: 'ethernet',
    src: dev.mac,
    dst: BROADCAST_MAC,
    payload: { type: 'arp', op: 'request', sha: dev.mac, spa, tha: ZERO_MAC, tpa: target },
  };
  walk.stages.devQueueXmit(walk, netns, dev, frame);
};

/** arp_ignore: whether a device keeps silent about an address that this machine has. */
const arpIgnore = (netns: Netns, dev: Netdev, { spa, tpa }: Arp): boolean => {
  const mode = ipv4DevConf(netns, dev.ifname, 'arp_ignore');
  const holds = (asker: Ip | undefined): boolean =>
    dev.addresses.some(
      ({ ip, prefix }) =>
        ip === tpa && (asker === undefined || cidrContains(cidrOf(ip, prefix), asker)),
    );
  switch (mode) {
    case 1:
      return !holds(undefined);
    case 2:
      return !holds(spa);
    case 3:
      return !netns.devices.some(({ addresses }) =>
        addresses.some(({ ip, scope }) => ip === tpa && scope !== 'host'),
      );
    case 8:
      return true;
    default:
      return false;
  }
};

/** arp_filter: whether an answer to the asker would leave by another device. */
const arpFilter = (walk: Walk, netns: Netns, dev: Netdev, { spa, tpa }: Arp): boolean => {
  if (ipv4DevConf(netns, dev.ifname, 'arp_filter') === 0) return false;
  const route = ipRouteInput(walk.world, netns, { dst: spa, src: tpa, iif: dev.ifname });
  return !(route.kind === 'forward' && route.dev === dev.ifname);
};

const reply = (walk: Walk, netns: Netns, dev: Netdev, { sha, spa, tpa }: Arp): void => {
  // neigh_event_ns: whoever asks will be written to.
  neighUpdate(walk, netns, dev.ifname, spa, { lladdr: sha, state: 'STALE' }, true);
  const frame: Ethernet = {
    type: 'ethernet',
    src: dev.mac,
    dst: sha,
    payload: { type: 'arp', op: 'reply', sha: dev.mac, spa: tpa, tha: sha, tpa: spa },
  };
  walk.accepted += 1;
  walk.stages.devQueueXmit(walk, netns, dev, frame);
};

/** What to say to a request. */
const answer = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  arp: Arp,
): 'reply' | 'silence' | 'not-mine' => {
  // A question for somebody else comes to every port: most of them need no lookup to know that.
  const proxies = ipv4DevConf(netns, dev.ifname, 'proxy_arp') !== 0;
  if (!proxies && inetAddrType(netns, arp.tpa) !== 'local') return 'not-mine';
  const route = ipRouteInput(walk.world, netns, { dst: arp.tpa, src: arp.spa, iif: dev.ifname });
  if (route.kind === 'local')
    return arpIgnore(netns, dev, arp) || arpFilter(walk, netns, dev, arp) ? 'silence' : 'reply';
  if (route.kind !== 'forward' || route.dev === dev.ifname) return 'not-mine';
  // arp_fwd_proxy: a router that knows the way elsewhere answers in the other's place.
  return proxies && ipv4DevConf(netns, dev.ifname, 'forwarding') !== 0 ? 'reply' : 'not-mine';
};

/**
 * arp_rcv and arp_process: answers a request for an own address (or for another's, with proxy_arp)
 * if the asker's own address is believable, and remembers the asker. Everything else updates a row
 * that is there: an answer to a question makes it REACHABLE, anything else STALE.
 */
export const arpRcv = (walk: Walk, netns: Netns, dev: Netdev, arp: Arp, pktType: PktType): void => {
  if (pktType === 'otherhost') {
    drop(walk, netns, 'OTHERHOST', { device: dev.ifname });
    return;
  }
  const { tpa, spa, sha, op } = arp;
  if (isMulticast(tpa)) return;
  if (isLoopback(tpa) && ipv4DevConf(netns, dev.ifname, 'route_localnet') === 0) return;
  if (op === 'request') {
    const what = answer(walk, netns, dev, arp);
    if (what === 'reply') reply(walk, netns, dev, arp);
    if (what !== 'not-mine') return;
  }
  const known = neighLookup(netns, walk.overlay.read(netns.id), dev.ifname, spa);
  if (!known) return;
  if (op === 'reply') walk.accepted += 1;
  const heard = op === 'reply' && pktType === 'host';
  neighUpdate(
    walk,
    netns,
    dev.ifname,
    spa,
    { lladdr: sha, state: heard ? 'REACHABLE' : 'STALE' },
    false,
  );
};
