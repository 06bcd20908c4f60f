/** A next hop for each flow: one choice, and then always the same (fib_multipath_hash). */
import type { Ipv4 } from '../../wire/packet.ts';
import type { HashedFlow, PickHop } from '../fib-multipath.ts';
import { sysctlGet } from '../sysctl.ts';
import type { Netns } from '../world.ts';
import type { Walk } from './walk.ts';
import { choose } from './walk.ts';

const hasPorts = (
  payload: Ipv4['payload'],
): payload is Extract<Ipv4['payload'], { type: 'tcp' | 'udp' }> =>
  payload.type === 'tcp' || payload.type === 'udp';

/** What is hashed of a flow. Both directions of one hash alike (__flow_hash_consistentify). */
const hashed = (netns: Netns, { src = '', dst }: HashedFlow, packet: Ipv4 | undefined): string => {
  const addresses = [src, dst].sort().join(' ');
  if (packet === undefined || !hasPorts(packet.payload)) return addresses;
  if (sysctlGet(netns, 'net.ipv4.fib_multipath_hash_policy') !== '1') return addresses;
  const { type, sport, dport } = packet.payload;
  return `${addresses} ${type} ${[String(sport), String(dport)].sort().join(' ')}`;
};

/** ip_multipath_l3_keys: an ICMP error goes the way of the packet that it is about. */
const subjectOf = (packet: Ipv4): Ipv4 =>
  packet.payload.type === 'icmp' && packet.payload.original ? packet.payload.original : packet;

/** @param packet the packet that came in; absent for one that is made here, whose ports nobody asks */
export const pickHop =
  (walk: Walk, packet?: Ipv4): PickHop =>
  (netns, row, hops, flow) => {
    const subject = packet && subjectOf(packet);
    const key = hashed(netns, subject ?? flow, subject);
    let known = walk.hops.get(row);
    if (!known) {
      known = new Map();
      walk.hops.set(row, known);
    }
    const before = known.get(key);
    if (before && hops.includes(before)) return before;
    const picked = choose(walk, {
      by: 'multipath',
      netns: netns.id,
      options: hops.length,
      at: row.dst,
    });
    const hop = hops[picked];
    if (!hop) throw new RangeError(`no next hop ${picked} of ${row.dst}`);
    known.set(key, hop);
    return hop;
  };
