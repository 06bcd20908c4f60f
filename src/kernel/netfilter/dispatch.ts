/**
 * Which rules of a long chain can match a packet, without asking every one: kube-proxy's chains
 * have one rule for each Service, and a packet meets a handful of them.
 *
 * A rule is filed under the one selector that excludes most (destination address, source address,
 * destination port), or under `rest` when it has none. What comes out is in the order of the chain,
 * so that the walk reports the same rule as one that asks them all.
 */
import type { Ip, Ipv4 } from '../../wire/packet.ts';
import type { Chain, Match, Rule } from './ruleset.ts';

interface Dispatch {
  /** The chain's length when it was made; an append is the only edit that keeps the chain object. */
  readonly length: number;
  readonly byDst: ReadonlyMap<Ip, readonly number[]>;
  readonly bySrc: ReadonlyMap<Ip, readonly number[]>;
  readonly byDport: ReadonlyMap<number, readonly number[]>;
  readonly rest: readonly number[];
}

/** Chains shorter than this are faster to walk than to dispatch. */
const LONG = 24;

const dispatches = new WeakMap<Chain, Dispatch>();

const host = (rule: Rule, kind: 'src' | 'dst'): Ip | undefined => {
  const match = rule.matches.find(
    (one): one is Extract<Match, { kind: 'src' | 'dst' }> =>
      one.kind === kind && !one.negate && one.cidr.endsWith('/32'),
  );
  return match?.cidr.slice(0, -'/32'.length);
};

const port = (rule: Rule): number | undefined => {
  const match = rule.matches.find(
    (one): one is Extract<Match, { kind: 'sport' | 'dport' }> =>
      one.kind === 'dport' && !one.negate && one.from === one.to,
  );
  return match?.from;
};

const file = <Key>(map: Map<Key, number[]>, key: Key, at: number): void => {
  const known = map.get(key);
  if (known) known.push(at);
  else map.set(key, [at]);
};

const makeDispatch = ({ rules }: Chain): Dispatch => {
  const byDst = new Map<Ip, number[]>();
  const bySrc = new Map<Ip, number[]>();
  const byDport = new Map<number, number[]>();
  const rest: number[] = [];
  for (const [at, rule] of rules.entries()) {
    const dst = host(rule, 'dst');
    const src = host(rule, 'src');
    const dport = port(rule);
    if (dst !== undefined) file(byDst, dst, at);
    else if (src !== undefined) file(bySrc, src, at);
    else if (dport !== undefined) file(byDport, dport, at);
    else rest.push(at);
  }
  return { length: rules.length, byDst, bySrc, byDport, rest };
};

const dispatchOf = (chain: Chain): Dispatch => {
  const known = dispatches.get(chain);
  if (known?.length === chain.rules.length) return known;
  const made = makeDispatch(chain);
  dispatches.set(chain, made);
  return made;
};

const NONE: readonly number[] = [];

/**
 * Positions of the rules, in ascending order, that may match the packet; `undefined` stands for
 * all of them.
 */
export const candidates = (chain: Chain, packet: Ipv4): readonly number[] | undefined => {
  if (chain.rules.length < LONG) return undefined;
  const { payload } = packet;
  const dport = payload.type === 'tcp' || payload.type === 'udp' ? payload.dport : undefined;
  // A port that only a running kernel knows can be any rule's.
  if (typeof dport === 'object') return undefined;
  const { byDst, bySrc, byDport, rest } = dispatchOf(chain);
  const lists = [
    byDst.get(packet.dst) ?? NONE,
    bySrc.get(packet.src) ?? NONE,
    dport === undefined ? NONE : (byDport.get(dport) ?? NONE),
    rest,
  ].filter((list) => list.length > 0);
  const [only = NONE, ...more] = lists;
  return more.length === 0 ? only : lists.flat().sort((a, b) => a - b);
};
