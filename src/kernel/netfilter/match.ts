/**
 * The conditions of rules, one function a kind, with three answers: a condition that is not
 * modelled, or that asks for a value only a running kernel knows, is neither true nor false.
 */
import { cidrContains } from '../../wire/ip.ts';
import { ipv4Length } from '../../wire/length.ts';
import { ICMP_TYPE } from '../../wire/number.ts';
import type { Ip, Ipv4, Unknown } from '../../wire/packet.ts';
import { PROTO } from '../../wire/packet.ts';
import { ctStateOf, type Skb } from '../skb.ts';
import { type IpSets, ipsetTest } from './ipset.ts';
import { type RecentLists, recentMatches } from './recent.ts';
import type { Match, Rule } from './ruleset.ts';
import type { NfEnv, NfState } from './verdict.ts';

export type Answer = boolean | 'unknown';

/** What a condition can see. */
export interface MatchContext {
  readonly skb: Skb;
  readonly state: NfState;
  readonly addrType: NfEnv['addrType'];
  /** The namespace's sets. */
  readonly ipsets: IpSets;
  /**
   * Settles what a rule leaves to chance: which of so many ways, from 0. Absent in a walk that only
   * asks what would be: there the answer is not known, and nobody's pick is used up.
   */
  readonly chance?: (options: number, by: 'statistic' | 'numgen', at: string) => number;
  /** The lists of `-m recent`; absent: nobody knows them. */
  readonly recent?: RecentLists;
  /** Only asks what would be: no list changes. */
  readonly dry?: true;
}

/** The same place, for a walk that only asks: it picks nothing and leaves nothing behind. */
export const asking = (context: MatchContext): MatchContext => {
  const { skb, state, addrType, ipsets, recent } = context;
  return { skb, state, addrType, ipsets, ...(recent && { recent }), dry: true };
};

type MatchOf<Kind extends Match['kind']> = Extract<Match, { kind: Kind }>;

const negated = (answer: Answer, negate: boolean): Answer =>
  answer === 'unknown' ? answer : answer !== negate;

/** The protocol number of an IPv4 header (IANA); 0 for data that does not say. */
export const protocolOf = (packet: Ipv4): number =>
  packet.payload.type === 'data' ? (packet.protocol ?? 0) : PROTO[packet.payload.type];

const matchAddress = (cidr: string, ip: Ip): boolean => cidrContains(cidr, ip);

/** ifname_compare_aligned (net/netfilter/x_tables.c): a `+` at the end stands for any rest. */
export const matchIfname = (pattern: string, ifname: string | undefined): boolean =>
  pattern.endsWith('+')
    ? (ifname ?? '').startsWith(pattern.slice(0, -1))
    : (ifname ?? '') === pattern;

const SCTP = 132;

const matchProtocol = ({ protocol }: MatchOf<'protocol'>, packet: Ipv4): boolean => {
  const wanted =
    typeof protocol === 'number' ? protocol : protocol === 'sctp' ? SCTP : PROTO[protocol];
  return protocolOf(packet) === wanted;
};

const inRange = (port: number | Unknown, from: number, to: number): Answer => {
  if (typeof port === 'number') return port >= from && port <= to;
  const [low, high] = port.range;
  if (low >= from && high <= to) return true;
  return high < from || low > to ? false : 'unknown';
};

/** tcp_mt, udp_mt (net/netfilter/xt_tcpudp.c). */
const matchPort = (
  { kind, from, to, negate }: MatchOf<'sport' | 'dport'>,
  packet: Ipv4,
): Answer => {
  const { payload } = packet;
  if (payload.type !== 'tcp' && payload.type !== 'udp') return false;
  return negated(inRange(payload[kind], from, to), negate);
};

const anyOf = (answers: readonly Answer[]): Answer =>
  answers.includes(true) ? true : answers.includes('unknown') ? 'unknown' : false;

/** multiport_mt (net/netfilter/xt_multiport.c). */
const matchMultiport = (
  { which, ports, negate }: MatchOf<'multiport'>,
  { payload }: Ipv4,
): Answer => {
  if (payload.type !== 'tcp' && payload.type !== 'udp') return false;
  const asked = {
    sports: [payload.sport],
    dports: [payload.dport],
    ports: [payload.sport, payload.dport],
  }[which];
  const hits = asked.flatMap((port) => ports.map(([from, to]) => inRange(port, from, to)));
  return negated(anyOf(hits), negate);
};

/** mark_mt (net/netfilter/xt_mark.c). */
const matchMark = ({ value, mask, negate }: MatchOf<'mark'>, { mark }: Skb): boolean =>
  ((mark & mask) >>> 0 === value >>> 0) !== negate;

/** conntrack_mt, state bits (net/netfilter/xt_conntrack.c). A packet without entry is INVALID. */
const matchCtstate = ({ states, negate }: MatchOf<'ctstate'>, skb: Skb): boolean => {
  const { ct } = skb;
  const hit =
    states.includes(ctStateOf(skb)) ||
    (ct?.entry.snat === true && states.includes('SNAT')) ||
    (ct?.entry.dnat === true && states.includes('DNAT'));
  return hit !== negate;
};

/** addrtype_mt_v1 (net/netfilter/xt_addrtype.c). */
const matchAddrtype = (
  { which, type, negate }: MatchOf<'addrtype'>,
  packet: Ipv4,
  addrType: NfEnv['addrType'],
): boolean => (addrType(packet[which]) === type) !== negate;

/**
 * physdev_mt (net/netfilter/xt_physdev.c). What came in by a bridge's port has that port until it
 * leaves the namespace, routed or bridged. Without a port to leave by, it matches neither
 * `--physdev-out` nor `! --physdev-out`.
 */
const matchPhysdev = (
  { which, ifname = '', negate }: MatchOf<'physdev'>,
  { physin, physout }: { physin: string | undefined; physout: string | undefined },
): boolean => {
  switch (which) {
    case 'is-in':
      return (physin !== undefined) !== negate;
    case 'is-out':
    case 'is-bridged':
      return (physout !== undefined) !== negate;
    case 'in':
      return (physin !== undefined && matchIfname(ifname, physin)) !== negate;
    case 'out':
      if (physin !== undefined && physout === undefined) return false;
      return (physout !== undefined && matchIfname(ifname, physout)) !== negate;
    default: {
      const never: never = which;
      return never;
    }
  }
};

const ANY_ICMP_TYPE = 255;

/** icmp_match (net/netfilter/xt_tcpudp.c). */
const matchIcmpType = (
  { type, code, negate }: MatchOf<'icmp-type'>,
  { payload }: Ipv4,
): boolean => {
  if (payload.type !== 'icmp') return false;
  const hit =
    type === ANY_ICMP_TYPE ||
    (ICMP_TYPE[payload.kind] === type && (code === undefined || payload.code === code));
  return hit !== negate;
};

/** tcp_mt: of the flags in `mask` exactly those in `set` are there. */
const matchTcpFlags = ({ mask, set, negate }: MatchOf<'tcp-flags'>, { payload }: Ipv4): boolean => {
  if (payload.type !== 'tcp') return false;
  const flags = payload.flags.map((flag) => flag.toUpperCase());
  return mask.every((flag) => flags.includes(flag) === set.includes(flag)) !== negate;
};

/** length_mt (net/netfilter/xt_length.c): the whole IP packet, in bytes. */
const matchLength = ({ from, to, negate }: MatchOf<'length'>, packet: Ipv4): boolean => {
  const length = ipv4Length(packet);
  return (length >= from && length <= to) !== negate;
};

/** match_set (net/netfilter/xt_set.c). */
const matchSet = ({ name, dirs, negate }: MatchOf<'set'>, packet: Ipv4, sets: IpSets): Answer => {
  const set = sets.get(name);
  return set ? negated(ipsetTest(set, dirs, packet), negate) : 'unknown';
};

/** One, as `-m statistic` counts. */
const CERTAIN = 2 ** 31;

/** statistic_mt in random mode (net/netfilter/xt_statistic.c), as far as chance does not decide. */
const matchStatistic = ({ probability, negate }: MatchOf<'statistic'>): Answer => {
  if (probability > 0 && probability < CERTAIN) return 'unknown';
  return probability > 0 !== negate;
};

/** Whether one condition holds for the packet at this hook; of chance, whether it has no part. */
export const matches = (match: Match, context: MatchContext): Answer => {
  const { skb, state, addrType, ipsets, recent, dry } = context;
  const { packet } = skb;
  switch (match.kind) {
    case 'src':
    case 'dst':
      return matchAddress(match.cidr, packet[match.kind]) !== match.negate;
    case 'in':
      return matchIfname(match.ifname, state.in) !== match.negate;
    case 'out':
      return matchIfname(match.ifname, state.out) !== match.negate;
    case 'protocol':
      return matchProtocol(match, packet) !== match.negate;
    case 'sport':
    case 'dport':
      return matchPort(match, packet);
    case 'multiport':
      return matchMultiport(match, packet);
    case 'mark':
      return matchMark(match, skb);
    case 'ctstate':
      return matchCtstate(match, skb);
    case 'addrtype':
      return matchAddrtype(match, packet, addrType);
    case 'physdev':
      return matchPhysdev(match, {
        physin: state.physin ?? skb.physin,
        physout: state.physout ?? skb.physout,
      });
    case 'icmp-type':
      return matchIcmpType(match, packet);
    case 'tcp-flags':
      return matchTcpFlags(match, packet);
    case 'length':
      return matchLength(match, packet);
    case 'set':
      return matchSet(match, packet, ipsets);
    case 'statistic':
      return matchStatistic(match);
    case 'recent':
      return recent ? recentMatches(match, packet, recent, dry === true) : 'unknown';
    case 'nfacct':
    case 'extension':
    case 'comment':
      return true;
    case 'unmodelled':
      return 'unknown';
    default: {
      const never: never = match;
      return never;
    }
  }
};

/**
 * Whether all conditions of a rule hold: `false` as soon as one does not, whatever the others are;
 * `unknown` when those that are known hold. Chance is asked only where it alone decides.
 * @param number 1-based, in its chain: names the choice
 */
export const ruleMatches = (
  rule: Rule,
  context: MatchContext,
  chain: string,
  number: number,
): Answer => {
  let answer: Answer = true;
  let chances = 0;
  const draw = (): boolean => {
    for (; chances > 0; chances -= 1)
      if (context.chance?.(2, 'statistic', `${chain} ${number}`) !== 0) return false;
    return true;
  };
  for (const match of rule.matches) {
    if (match.kind === 'recent') {
      // It may change its list, so it is only asked once all before it hold.
      if (answer !== true) continue;
      if (!draw()) return false;
    }
    const one = matches(match, context);
    if (one === false) return false;
    if (one !== 'unknown') continue;
    if (match.kind === 'statistic' && context.chance) chances += 1;
    else answer = 'unknown';
  }
  return answer === true ? draw() : answer;
};

/** Whether a rule changes a list when its conditions hold. */
export const changesList = ({ matches: conditions }: Rule): boolean =>
  conditions.some((match) => match.kind === 'recent' && match.op !== 'rcheck');
