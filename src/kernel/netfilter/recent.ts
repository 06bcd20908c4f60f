/** Lists of addresses that were seen (net/netfilter/xt_recent.c). */
import { ipv4ToNumber, numberToIpv4 } from '../../wire/ip.ts';
import type { Ip, Ipv4 } from '../../wire/packet.ts';
import type { Match } from './ruleset.ts';

/** By the list's name, how often each of its addresses was seen, last seen last. */
export type RecentLists = Map<string, Map<Ip, number>>;

export const copyRecent = (lists: RecentLists | undefined): RecentLists =>
  new Map([...(lists ?? [])].map(([name, list]) => [name, new Map(list)]));

export type RecentMatch = Extract<Match, { kind: 'recent' }>;

/** ip_list_tot: of more addresses the one that was longest not seen goes. */
const LONGEST_LIST = 100;

const see = (lists: RecentLists, name: string, address: Ip): void => {
  const list = lists.get(name) ?? new Map<Ip, number>();
  lists.set(name, list);
  const seen = list.get(address) ?? 0;
  list.delete(address);
  const [oldest] = list.keys();
  if (list.size >= LONGEST_LIST && oldest !== undefined) list.delete(oldest);
  list.set(address, seen + 1);
};

/** The packet's address that the list is about, under the list's mask. */
export const recentAddress = ({ side, mask }: RecentMatch, packet: Ipv4): Ip =>
  numberToIpv4(
    (ipv4ToNumber(side === 'source' ? packet.src : packet.dst) & ipv4ToNumber(mask)) >>> 0,
  );

/**
 * recent_mt. No time passes while a packet walks, nor between two probes: whatever is in a list was
 * seen within any number of `--seconds`, and `--reap` finds nothing that is too old.
 * @param dry only asks: the lists stay as they are
 */
export const recentMatches = (
  match: RecentMatch,
  packet: Ipv4,
  lists: RecentLists,
  dry: boolean,
): boolean => {
  const { op, name, hitcount = 0, negate } = match;
  const address = recentAddress(match, packet);
  const seen = lists.get(name)?.get(address);
  if (op === 'set') {
    if (!dry) see(lists, name, address);
    return !negate;
  }
  if (seen === undefined) return negate;
  if (op === 'remove') {
    if (!dry) lists.get(name)?.delete(address);
    return !negate;
  }
  const holds = seen >= hitcount !== negate;
  if (op === 'update' && holds && !dry) see(lists, name, address);
  return holds;
};
