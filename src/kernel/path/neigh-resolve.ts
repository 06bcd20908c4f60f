/** From the next hop's address to its MAC (net/core/neighbour.c, neigh_resolve_output). */
import type { Ip, Mac } from '../../wire/packet.ts';
import { BROADCAST_MAC } from '../../wire/packet.ts';
import type { NeighbourEvent, Tap, WireBroadcast } from '../event.ts';
import type { Neigh, NudState } from '../neigh.ts';
import { isNudValid, neighLookup } from '../neigh-table.ts';
import type { Skb } from '../skb.ts';
import { sysctlNumber } from '../sysctl.ts';
import type { Netdev, Netns } from '../world.ts';
import { arpSolicit } from './arp.ts';
import { neighUpdate } from './neigh-update.ts';
import type { Walk } from './walk.ts';
import { emit, markAmbiguous, recordedBy } from './walk.ts';

/** Answers with different MACs: which one comes first is chance. */
const answers = (taps: readonly Tap[], netns: Netns, dev: Netdev, ip: Ip): ReadonlySet<Mac> => {
  const macs = new Set<Mac>();
  for (const { netns: at, device, direction, packet } of taps) {
    const arp = packet[1];
    if (at !== netns.id || device !== dev.ifname || direction !== 'receive') continue;
    if (arp?.type === 'arp' && arp.op === 'reply' && arp.spa === ip) macs.add(arp.sha);
  }
  return macs;
};

/** 224.0.0.1 is at 01:00:5e:00:00:01 (ip_eth_mc_map). */
const multicastMac = (ip: Ip): Mac => {
  const [, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  return `01:00:5e:${hex(b & 0x7f)}:${hex(c)}:${hex(d)}`;
};

/** A row that packets are sent to without another look (NUD_CONNECTED). */
const CONNECTED: ReadonlySet<NudState> = new Set(['REACHABLE', 'NOARP', 'PERMANENT']);

const headerOf = (dev: Netdev, ip: Ip): string => `${dev.ifname} ${ip}`;

/**
 * Whether the header for a neighbour is at hand, because the stack has sent to it before
 * (neigh_hh_init). Kept of neighbours behind bridges, where br_netfilter asks.
 */
export const neighHasHeader = (walk: Walk, netns: Netns, dev: Netdev, ip: Ip): boolean => {
  const dynamic = walk.overlay.read(netns.id);
  const row = neighLookup(netns, dynamic, dev.ifname, ip);
  return (
    row !== undefined &&
    CONNECTED.has(row.state) &&
    dynamic?.headers?.has(headerOf(dev, ip)) === true
  );
};

const keepHeader = (walk: Walk, netns: Netns, dev: Netdev, ip: Ip): void => {
  if (dev.kind === 'bridge') walk.overlay.write(netns.id).headers?.add(headerOf(dev, ip));
};

/**
 * The MAC of a next hop. A row that is there is used as it is, however old; else the link is asked
 * `mcast_solicit` times, and the packet waits for the answer.
 * @param skb the packet that waits; absent when there is none yet
 * @returns undefined when nobody answered
 */
export const neighResolve = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  ip: Ip,
  skb: Skb | undefined,
): Mac | undefined => {
  if (dev.kind === 'loopback') return dev.mac;
  const tell = (
    action: NeighbourEvent['action'],
    detail: NeighbourEvent['detail'],
    row?: Neigh,
  ): void =>
    emit(walk, {
      kind: 'neighbour',
      netns: netns.id,
      device: dev.ifname,
      action,
      detail,
      ...(row?.origin && { origin: row.origin }),
    });
  // arp_constructor: what needs no question.
  const type = skb?.dst?.type;
  if (type === 'broadcast' || type === 'multicast') {
    const lladdr = type === 'broadcast' ? BROADCAST_MAC : multicastMac(ip);
    tell('noarp', { ip, lladdr });
    return lladdr;
  }
  // IFF_NOARP: everybody is at the device's own MAC.
  if (dev.kind === 'dummy') {
    tell('noarp', { ip, lladdr: dev.mac });
    return dev.mac;
  }
  const known = neighLookup(netns, walk.overlay.read(netns.id), dev.ifname, ip);
  if (known?.lladdr !== undefined && isNudValid(known.state)) {
    tell('known', { ip, lladdr: known.lladdr, row: known }, known);
    keepHeader(walk, netns, dev, ip);
    return known.lladdr;
  }
  return ask(walk, netns, dev, ip, skb, tell);
};

const ask = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  ip: Ip,
  skb: Skb | undefined,
  tell: (action: NeighbourEvent['action'], detail: NeighbourEvent['detail'], row?: Neigh) => void,
): Mac | undefined => {
  neighUpdate(walk, netns, dev.ifname, ip, { state: 'INCOMPLETE' }, true);
  const taps: Tap[] = [];
  const broadcasts: WireBroadcast[] = [];
  const times = sysctlNumber(
    netns,
    `net.ipv4.neigh.${dev.ifname.replaceAll('.', '/')}.mcast_solicit`,
  );
  // Who takes the question says nothing about who will take the packet.
  const { accepted } = walk;
  if (times > 0)
    recordedBy(walk, { kind: 'taps', taps, broadcasts }, () =>
      arpSolicit(walk, netns, dev, ip, skb?.packet.src),
    );
  walk.accepted = accepted;
  const row = neighLookup(netns, walk.overlay.read(netns.id), dev.ifname, ip);
  const seen = {
    ...(taps.length > 0 && { exchange: taps }),
    ...(broadcasts.length > 0 && { broadcasts }),
  };
  if (row?.lladdr !== undefined && isNudValid(row.state)) {
    keepHeader(walk, netns, dev, ip);
    if (answers(taps, netns, dev, ip).size > 1) markAmbiguous(walk);
    tell('resolved', { ip, lladdr: row.lladdr, row, ...seen, asked: 1 }, row);
    return row.lladdr;
  }
  neighUpdate(walk, netns, dev.ifname, ip, { state: 'FAILED' }, true);
  const elsewhere = netns.neighbours.find((other) => other.ip === ip && other.dev !== dev.ifname);
  tell('failed', {
    ip,
    ...seen,
    asked: taps.length > 0 ? times : 0,
    ...(elsewhere && { nearMiss: { row: elsewhere, reason: 'other-device' } }),
  });
  return undefined;
};
