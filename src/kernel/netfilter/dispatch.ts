/**
 * Which rules of a long chain can match a packet, without asking every one: kube-proxy's chains
 * have one rule for each Service, and a packet meets a handful of them.
 *
 * A rule is filed under what excludes most (destination address and port, one of them, source
 * address), or under `rest` when it has none of them. What comes out is in the order of the chain, so
 * that the walk reports the same rule as one that asks them all; and one by one, since most walks end
 * long before the chain does.
 */
import type { Ip, Ipv4 } from '../../wire/packet.ts';
import type { Chain, Match, Rule } from './ruleset.ts';

interface Dispatch {
  /** The chain's length when it was made; an append is the only edit that keeps the chain object. */
  readonly length: number;
  /** By address and port in one text. */
  readonly byService: ReadonlyMap<string, readonly number[]>;
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

const serviceKey = (dst: Ip, dport: number): string => `${dst}:${dport}`;

const makeDispatch = ({ rules }: Chain): Dispatch => {
  const byService = new Map<string, number[]>();
  const byDst = new Map<Ip, number[]>();
  const bySrc = new Map<Ip, number[]>();
  const byDport = new Map<number, number[]>();
  const rest: number[] = [];
  for (const [at, rule] of rules.entries()) {
    const dst = host(rule, 'dst');
    const src = host(rule, 'src');
    const dport = port(rule);
    if (dst !== undefined && dport !== undefined) file(byService, serviceKey(dst, dport), at);
    else if (dst !== undefined) file(byDst, dst, at);
    else if (src !== undefined) file(bySrc, src, at);
    else if (dport !== undefined) file(byDport, dport, at);
    else rest.push(at);
  }
  return { length: rules.length, byService, byDst, bySrc, byDport, rest };
};

const dispatchOf = (chain: Chain): Dispatch => {
  const known = dispatches.get(chain);
  if (known?.length === chain.rules.length) return known;
  const made = makeDispatch(chain);
  dispatches.set(chain, made);
  return made;
};

/** Positions of rules, in ascending order, each when it is asked for. */
export interface Selection {
  /** The next one; undefined at the end. */
  next(): number | undefined;
}

/** Several ascending lists as one. */
const merged = (lists: readonly (readonly number[])[]): Selection => {
  const taken = lists.map(() => 0);
  return {
    next: () => {
      let from = -1;
      let least: number | undefined;
      for (const [at, list] of lists.entries()) {
        const one = list[taken[at] ?? 0];
        if (one !== undefined && (least === undefined || one < least)) {
          least = one;
          from = at;
        }
      }
      if (from >= 0) taken[from] = (taken[from] ?? 0) + 1;
      return least;
    },
  };
};

/** The rules that may match the packet; `undefined` stands for all of them. */
export const candidates = (chain: Chain, packet: Ipv4): Selection | undefined => {
  if (chain.rules.length < LONG) return undefined;
  const { payload } = packet;
  const dport = payload.type === 'tcp' || payload.type === 'udp' ? payload.dport : undefined;
  // A port that only a running kernel knows can be any rule's.
  if (typeof dport === 'object') return undefined;
  const { byService, byDst, bySrc, byDport, rest } = dispatchOf(chain);
  const lists = [byDst.get(packet.dst), bySrc.get(packet.src), rest];
  if (dport !== undefined)
    lists.push(byDport.get(dport), byService.get(serviceKey(packet.dst, dport)));
  return merged(lists.filter((list) => list !== undefined));
};
