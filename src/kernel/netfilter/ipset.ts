/**
 * Sets of addresses and ports that rules ask by name (net/netfilter/xt_set.c,
 * net/netfilter/ipset/ip_set_hash_gen.h, ip_set_bitmap_port.c, ip_set_getport.c; Linux 6.1). A member
 * is filed under its text as `ipset list` prints it, so that a packet's question is one look-up.
 */
import { cidrOf, isIpv4 } from '../../wire/ip.ts';
import type { Ipv4, Unknown } from '../../wire/packet.ts';
import type { Origin } from '../origin.ts';

export type IpSetType =
  | 'hash:ip'
  | 'hash:ip,port'
  | 'hash:ip,port,ip'
  | 'hash:ip,port,net'
  | 'hash:net'
  | 'bitmap:port';

export interface IpSet {
  readonly name: string;
  readonly type: IpSetType;
  /** A bitmap of ports has none, and is asked about packets of both. */
  readonly family: 'inet' | 'inet6';
  /** Hashes: as created. */
  readonly hashsize: number;
  readonly maxelem: number;
  /** bitmap:port: the first and the last port that it has a bit for. */
  readonly range: readonly [number, number];
  readonly members: Map<string, IpSetMember>;
  /** The lengths of the nets in it, longest first. */
  readonly prefixes: number[];
  readonly origin?: Origin;
}

export interface IpSetMember {
  /** An exception from a wider net. */
  readonly nomatch?: true;
  readonly origin?: Origin;
}

export type IpSets = Map<string, IpSet>;

/** What `ipset` says when it cannot do an edit. */
export class IpSetError extends Error {
  override readonly name = 'IpSetError';
}

export interface IpSetSpec {
  readonly name: string;
  readonly type: IpSetType;
  readonly family?: 'inet' | 'inet6';
  readonly hashsize?: number;
  readonly maxelem?: number;
  readonly range?: readonly [number, number];
}

const LONGEST_NAME = 31;

/**
 * `ipset create`.
 * @throws {IpSetError} when there is a set of that name, or the name is too long
 */
export const ipsetCreate = (sets: IpSets, spec: IpSetSpec, origin?: Origin): IpSet => {
  const { name } = spec;
  if (name.length > LONGEST_NAME)
    throw new IpSetError(
      `Syntax error: setname '${name}' is longer than ${LONGEST_NAME} characters`,
    );
  if (sets.has(name))
    throw new IpSetError('Set cannot be created: set with the same name already exists');
  const set: IpSet = {
    name,
    type: spec.type,
    family: spec.family ?? 'inet',
    hashsize: spec.hashsize ?? 1024,
    maxelem: spec.maxelem ?? 65536,
    range: spec.range ?? [0, 65535],
    members: new Map(),
    prefixes: [],
    ...(origin && { origin }),
  };
  sets.set(name, set);
  return set;
};

/** The last part of a member that is a net: its length; nothing where the set holds no nets. */
const netPrefix = ({ type, family }: IpSet, member: string): number | undefined => {
  if (type !== 'hash:net' && type !== 'hash:ip,port,net') return undefined;
  const net = member.slice(member.lastIndexOf(',') + 1);
  const slash = net.indexOf('/');
  if (slash >= 0) return Number(net.slice(slash + 1));
  return family === 'inet' ? 32 : 128;
};

const PORT = /^(?:tcp|udp|sctp):\d{1,5}$/;

const isNet = (text: string, family: IpSet['family']): boolean => {
  const [ip = '', prefix, ...more] = text.split('/');
  if (more.length > 0) return false;
  if (prefix !== undefined && !(Number(prefix) > 0)) return false;
  return family === 'inet' ? isIpv4(ip) : ip.includes(':');
};

const isMember = ({ type, family, range }: IpSet, member: string): boolean => {
  if (type === 'bitmap:port')
    return /^\d{1,5}$/.test(member) && Number(member) >= range[0] && Number(member) <= range[1];
  const parts = member.split(',');
  const kinds = type.slice('hash:'.length).split(',');
  return (
    parts.length === kinds.length &&
    kinds.every((kind, at) => {
      const part = parts[at] ?? '';
      if (kind === 'port') return PORT.test(part);
      return isNet(part, family) && (kind === 'net' || !part.includes('/'));
    })
  );
};

/**
 * `ipset add -exist`.
 * @param member as `ipset list` prints it: canonical addresses, a whole address without length
 * @throws {IpSetError} for what is no member of such a set
 */
export const ipsetAdd = (set: IpSet, member: string, how: IpSetMember = {}): void => {
  if (!isMember(set, member))
    throw new IpSetError(`Syntax error: cannot parse ${member} as a member of ${set.type}`);
  set.members.set(member, how);
  const prefix = netPrefix(set, member);
  if (prefix === undefined || set.prefixes.includes(prefix)) return;
  set.prefixes.push(prefix);
  set.prefixes.sort((a, b) => b - a);
};

/** Copies that can be edited without the first ones noticing. */
export const cloneIpSets = (sets: IpSets): IpSets =>
  new Map(
    [...sets].map(([name, set]) => [
      name,
      { ...set, members: new Map(set.members), prefixes: [...set.prefixes] },
    ]),
  );

/** Which end of the packet each part of a member is held against. */
export type IpSetDirs = readonly ('src' | 'dst')[];

type Answer = boolean | 'unknown';

/** What a packet has where a port is asked for (get_port). */
type Port =
  | { readonly protocol: string; readonly port: number | Unknown }
  /** It has one that is not looked into. */
  | 'unread';

const SCTP = 132;

const portOf = ({ payload, protocol = 0 }: Ipv4, dir: 'src' | 'dst'): Port | undefined => {
  if (payload.type === 'tcp' || payload.type === 'udp')
    return { protocol: payload.type, port: dir === 'src' ? payload.sport : payload.dport };
  return payload.type === 'data' && protocol === SCTP ? 'unread' : undefined;
};

const has = ({ members }: IpSet, member: string): boolean => {
  const found = members.get(member);
  return found !== undefined && found.nomatch !== true;
};

/** mtype_test_cidrs: the longest net decides, and an exception says no. */
const hasNet = (set: IpSet, before: string, ip: string): boolean => {
  for (const prefix of set.prefixes) {
    const net = prefix === 32 ? ip : cidrOf(ip, prefix);
    const found = set.members.get(before + net);
    if (found) return found.nomatch !== true;
  }
  return false;
};

/** A port that only a running kernel knows: whether none, all or some of its range are in the set. */
const inSet = (port: number | Unknown, size: number, asks: (port: number) => boolean): Answer => {
  if (typeof port === 'number') return asks(port);
  if (size === 0) return false;
  const [low, high] = port.range;
  const first = asks(low);
  for (let at = low + 1; at <= high; at++) if (asks(at) !== first) return 'unknown';
  return first;
};

const DIMENSIONS: Readonly<Record<IpSetType, number>> = {
  'hash:ip': 1,
  'hash:ip,port': 2,
  'hash:ip,port,ip': 3,
  'hash:ip,port,net': 3,
  'hash:net': 1,
  'bitmap:port': 1,
};

/**
 * ip_set_test (net/netfilter/ipset/ip_set_core.c) for an IPv4 packet: whether what the packet has at
 * its ends is in the set. A set of the other family holds no packet, nor one of more parts than
 * `dirs` names.
 */
export const ipsetTest = (set: IpSet, dirs: IpSetDirs, packet: Ipv4): Answer => {
  const { type, family, members } = set;
  const [first = 'src', second = 'src', third = 'src'] = dirs;
  if (dirs.length < DIMENSIONS[type]) return false;
  if (type === 'bitmap:port') {
    const at = portOf(packet, first);
    if (at === undefined || at === 'unread') return false;
    return inSet(at.port, members.size, (port) => has(set, String(port)));
  }
  if (family !== 'inet') return false;
  const ip = packet[first];
  if (type === 'hash:ip') return ip !== '0.0.0.0' && has(set, ip);
  if (type === 'hash:net') return hasNet(set, '', ip);
  const at = portOf(packet, second);
  // Protocols without ports have members of their own, which nothing here adds.
  if (at === undefined) return false;
  if (at === 'unread') return members.size === 0 ? false : 'unknown';
  return inSet(at.port, members.size, (port) => {
    const start = `${ip},${at.protocol}:${port}`;
    if (type === 'hash:ip,port') return has(set, start);
    if (type === 'hash:ip,port,ip') return has(set, `${start},${packet[third]}`);
    return hasNet(set, `${start},`, packet[third]);
  });
};

const asked = (set: IpSet, dirs: IpSetDirs, packet: Ipv4): readonly string[] => {
  const port = (dir: 'src' | 'dst' = 'src'): string => {
    const at = portOf(packet, dir);
    if (at === undefined || at === 'unread') return 'no port';
    const text = typeof at.port === 'number' ? at.port : at.port.range.join('-');
    return set.type === 'bitmap:port' ? String(text) : `${at.protocol}:${text}`;
  };
  if (set.type === 'bitmap:port') return [port(dirs[0])];
  return set.type
    .slice('hash:'.length)
    .split(',')
    .map((kind, at) => (kind === 'port' ? port(dirs[at]) : packet[dirs[at] ?? 'src']));
};

/** What a set is asked for: the packet's own addresses and ports, as a member would be printed. */
export const ipsetAsked = (set: IpSet, dirs: IpSetDirs, packet: Ipv4): string =>
  asked(set, dirs, packet).join(',');
