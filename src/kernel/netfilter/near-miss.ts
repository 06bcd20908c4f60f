/**
 * The rule that nearly decided instead of what did: all of its conditions but one hold, and its
 * verdict is another one. It is what somebody looks for who asks why a rule did not apply.
 */

import { ipv4Length } from '../../wire/length.ts';
import { ICMP_TYPE } from '../../wire/number.ts';
import type { Icmp, Ipv4 } from '../../wire/packet.ts';
import type { RuleMiss } from '../event.ts';
import { ctStateOf } from '../skb.ts';
import { ipsetAsked } from './ipset.ts';
import { asking, type MatchContext, matches, protocolOf } from './match.ts';
import { recentAddress } from './recent.ts';
import { findChain, type Match, type NfTable, type Rule, type Target } from './ruleset.ts';
import { type RuleAt, SILENT, type WalkEnd, walkTable } from './walk.ts';

/** What a rule does with a packet, as far as it makes a difference to its sender. */
type Way = 'pass' | 'block' | 'edit' | 'return';

/** The only condition that does not hold; undefined where there are more, or one is not known. */
const failingAlone = (rule: Rule, context: MatchContext): Match | undefined => {
  let failing: Match | undefined;
  for (const match of rule.matches) {
    if (matches(match, context) === true) continue;
    if (failing) return undefined;
    failing = match;
  }
  return failing && matches(failing, context) === false ? failing : undefined;
};

type Found = RuleMiss['found'];

const some = <Value>(value: Value | undefined): Value[] => (value === undefined ? [] : [value]);

const portsOf = (
  { payload }: Ipv4,
  which: readonly ('sport' | 'dport')[],
): NonNullable<Found>[number][] =>
  payload.type === 'tcp' || payload.type === 'udp' ? which.map((port) => payload[port]) : [];

const PORTS = { sports: ['sport'], dports: ['dport'], ports: ['sport', 'dport'] } as const;

const icmpType = ({ kind, code }: Icmp): string => `${ICMP_TYPE[kind]}/${code}`;

/** What the packet has where a condition looks. */
const foundBy = (match: Match, { skb, state, addrType, ipsets }: MatchContext): Found => {
  const { packet } = skb;
  const { payload } = packet;
  switch (match.kind) {
    case 'src':
    case 'dst':
      return [packet[match.kind]];
    case 'in':
    case 'out':
      return some(state[match.kind]);
    case 'protocol':
      return [payload.type === 'data' ? protocolOf(packet) : payload.type];
    case 'sport':
    case 'dport':
      return portsOf(packet, [match.kind]);
    case 'multiport':
      return portsOf(packet, PORTS[match.which]);
    case 'mark':
      return [skb.mark];
    case 'ctstate':
      return [ctStateOf(skb)];
    case 'addrtype':
      return [addrType(packet[match.which])];
    case 'physdev':
      return some(
        match.which === 'in' || match.which === 'is-in'
          ? (state.physin ?? skb.physin)
          : (state.physout ?? skb.physout),
      );
    case 'icmp-type':
      return payload.type === 'icmp' ? [icmpType(payload)] : [];
    case 'tcp-flags':
      return payload.type === 'tcp' ? payload.flags.map((flag) => flag.toUpperCase()) : [];
    case 'length':
      return [ipv4Length(packet)];
    case 'set': {
      const set = ipsets.get(match.name);
      return some(set && ipsetAsked(set, match.dirs, packet));
    }
    case 'recent':
      return [recentAddress(match, packet)];
    case 'statistic':
    case 'nfacct':
    case 'extension':
    case 'comment':
    case 'unmodelled':
      return [];
    default: {
      const never: never = match;
      return never;
    }
  }
};

interface Decision {
  readonly way: Way;
  /** Where a jump would have led. */
  readonly leadsTo?: { readonly chain: string; readonly number: number };
}

const wayOf = (target: Target): Way | undefined => {
  switch (target.kind) {
    case 'ACCEPT':
      return 'pass';
    case 'DROP':
    case 'REJECT':
      return 'block';
    case 'MASQUERADE':
    case 'SNAT':
    case 'DNAT':
      return 'edit';
    case 'RETURN':
      return 'return';
    default:
      return undefined;
  }
};

/** What the rule would have come to: a jump, what the chain that it leads to says. */
const decisionOf = (
  table: NfTable,
  { target }: Rule,
  context: MatchContext,
): Decision | undefined => {
  if (target.kind !== 'jump' && target.kind !== 'goto') {
    const way = wayOf(target);
    return way && { way };
  }
  const chain = findChain(table, target.chain);
  if (!chain) return undefined;
  // It would have been one of several, which all decide alike: chance is not asked for it.
  const asked: MatchContext = {
    ...asking(context),
    skb: { ...context.skb },
    chance: () => 0,
  };
  const end = walkTable(table, chain, asked, SILENT);
  if (end.kind !== 'target') return undefined;
  const way = wayOf(end.target);
  return way && { way, leadsTo: { chain: end.at.chain, number: end.at.number } };
};

interface Candidate {
  readonly miss: RuleMiss;
  readonly way: Way;
}

/** Conditions that say something of the packet. */
const weightOf = ({ miss: { rule } }: Candidate): number =>
  rule.matches.filter(({ kind }) => kind !== 'extension' && kind !== 'comment').length;

/** Passed after its chain was entered and before the rule at `by` came up, there or further down. */
const isInVisit = ({ chain, path }: RuleMiss, by: RuleAt): boolean =>
  path === by.path
    ? chain === by.chain
    : path[by.path.length]?.chain === by.chain && by.path.every((jump, at) => path[at] === jump);

/**
 * A RETURN would have spared the packet only the rules of its own chain, and what returned from a
 * chain decided about that chain alone.
 */
const wouldDiffer = ({ miss, way }: Candidate, decided: Way, by: RuleAt | undefined): boolean => {
  if (way === decided) return false;
  if (way === 'return' && (miss.path !== by?.path || miss.chain !== by.chain)) return false;
  return decided !== 'return' || (by !== undefined && isInVisit(miss, by));
};

/** Collects the rules of one walk that nearly matched. */
export interface NearMisses {
  missed(at: RuleAt): void;
  /** The rule nearest to deciding instead of the one at `at`, which returned. */
  ofReturn(at: RuleAt): RuleMiss | undefined;
  /** The rule nearest to deciding otherwise than the walk ended. */
  ofEnd(end: WalkEnd): RuleMiss | undefined;
}

/**
 * Of several rules the one with the most conditions is nearest, and of those the last one.
 *
 * @param context the one of the walk, whose mark changes as it goes
 */
export const collectNearMisses = (table: NfTable, context: MatchContext): NearMisses => {
  const candidates: Candidate[] = [];
  const here = asking(context);
  const nearest = (decided: Way, by?: RuleAt): RuleMiss | undefined => {
    let best: Candidate | undefined;
    for (const one of candidates) {
      if (!wouldDiffer(one, decided, by)) continue;
      if (!best || weightOf(one) >= weightOf(best)) best = one;
    }
    return best?.miss;
  };
  return {
    missed: (at) => {
      const condition = failingAlone(at.rule, here);
      const decision = condition && decisionOf(table, at.rule, here);
      if (!condition || !decision) return;
      const { way, leadsTo } = decision;
      const found = foundBy(condition, context);
      candidates.push({ way, miss: { ...at, condition, found, ...(leadsTo && { leadsTo }) } });
    },
    ofReturn: (at) => nearest('return', at),
    ofEnd: (end) => {
      switch (end.kind) {
        case 'policy':
          return nearest(end.policy === 'ACCEPT' ? 'pass' : 'block');
        case 'target': {
          const way = wayOf(end.target);
          return way && nearest(way, end.at);
        }
        case 'unmodelled':
          return undefined;
        default: {
          const never: never = end;
          return never;
        }
      }
    },
  };
};
