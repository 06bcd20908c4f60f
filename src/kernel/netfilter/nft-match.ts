/**
 * What rules of nf_tables see of a packet (net/netfilter/nft_payload.c, nft_meta.c, nft_ct.c,
 * nft_fib.c, nft_numgen.c), and whether a condition on it holds.
 */

import { ICMP_TYPE } from '../../wire/number.ts';
import type { Unknown } from '../../wire/packet.ts';
import { ctStateOf } from '../skb.ts';
import { type Answer, type MatchContext, protocolOf } from './match.ts';
import { type Datum, lookUp, nftKey, valueHolds } from './nft-set.ts';
import {
  findNftSet,
  type NftElement,
  type NftExpr,
  type NftOperand,
  type NftTable,
  nftTableName,
} from './nft-table.ts';

/** What rules added to sets while packets passed: keys by `ip TABLE SET`. */
export type NftAdded = Map<string, Set<string>>;

/** What a condition of an nft rule can see. */
export interface NftContext extends Pick<MatchContext, 'skb' | 'state' | 'addrType' | 'chance'> {
  readonly table: NftTable;
  readonly added: NftAdded | undefined;
  /** Names what is left to chance in the rule: `CHAIN NUMBER`. */
  readonly at: string;
  /** Told of the element of a named set that the packet is in. */
  found?(element: NftElement): void;
  /** A condition before this one is neither true nor false: chance is not asked. */
  readonly unsure: boolean;
}

/** `undefined`: the packet has nothing of that kind, and the rule does not match (NFT_BREAK). */
type Seen = Datum | 'nothing-known' | undefined;

/** The name under which a set's added keys are kept. */
export const addedName = (table: NftTable, set: string): string => `${nftTableName(table)} ${set}`;

const PORTS: readonly [number, number] = [0, 65535];

/** Bytes 2 and 3 of an ICMP header, which `th dport` reads, are its checksum. */
const CHECKSUM: Unknown = { unknown: 'flow-hash', range: PORTS };

const SCTP = 132;

const portOf = (
  { header, field }: Extract<NftExpr, { kind: 'port' }>,
  { skb }: NftContext,
): Seen => {
  const { payload } = skb.packet;
  switch (payload.type) {
    case 'tcp':
    case 'udp':
      return header === 'th' || header === payload.type ? payload[field] : undefined;
    case 'icmp':
      if (header !== 'th') return undefined;
      return field === 'dport' ? CHECKSUM : ICMP_TYPE[payload.kind] * 256 + payload.code;
    case 'data':
      return header === 'th' || (header === 'sctp' && protocolOf(skb.packet) === SCTP)
        ? CHECKSUM
        : undefined;
    default: {
      const never: never = payload;
      return never;
    }
  }
};

const numberFrom = (
  { mode, mod }: Extract<NftExpr, { kind: 'numgen' }>,
  { chance, at, unsure }: NftContext,
): Seen => {
  if (mod === 1) return 0;
  // Where `inc` stands depends on all the packets before.
  if (unsure || !chance) return { unknown: 'flow-hash', range: [0, mod - 1] };
  return mode === 'random' || mode === 'inc' ? chance(mod, 'numgen', at) : undefined;
};

const metaOf = ({ key }: Extract<NftExpr, { kind: 'meta' }>, { skb, state }: NftContext): Seen => {
  switch (key) {
    case 'l4proto':
      return protocolOf(skb.packet);
    case 'mark':
      return skb.mark >>> 0;
    case 'iifname':
      return state.in ?? '';
    case 'oifname':
      return state.out ?? '';
    default: {
      const never: never = key;
      return never;
    }
  }
};

/** One value of the packet. A connection's status is more than one value: see `holds`. */
const see = (expr: NftExpr, context: NftContext): Seen => {
  const { skb, addrType } = context;
  const { packet } = skb;
  switch (expr.kind) {
    case 'address':
      if (expr.header === 'ip6') return undefined;
      return expr.field === 'saddr' ? packet.src : packet.dst;
    case 'ip-protocol':
      return protocolOf(packet);
    case 'port':
      return portOf(expr, context);
    case 'meta':
      return metaOf(expr, context);
    case 'ct':
      if (expr.key === 'state') return ctStateOf(skb).toLowerCase();
      return skb.ct ? 'nothing-known' : undefined;
    case 'fib-type':
      return addrType(expr.field === 'saddr' ? packet.src : packet.dst).toLowerCase();
    case 'numgen':
      return numberFrom(expr, context);
    case 'masked': {
      const value = see(expr.of, context);
      return typeof value === 'number' ? (value & expr.mask) >>> 0 : value;
    }
    case 'concat':
      return 'nothing-known';
    default: {
      const never: never = expr;
      return never;
    }
  }
};

const UNKNOWN = 'unknown';

/** All values of an expression; one, unless it is a concatenation. */
export const evaluate = (
  expr: NftExpr,
  context: NftContext,
): readonly Datum[] | typeof UNKNOWN | undefined => {
  const data: Datum[] = [];
  let unknown = false;
  for (const part of expr.kind === 'concat' ? expr.of : [expr]) {
    const value = see(part, context);
    if (value === undefined) return undefined;
    if (value === 'nothing-known') unknown = true;
    else data.push(value);
  }
  return unknown ? UNKNOWN : data;
};

const isInSet = (name: string, data: readonly Datum[], context: NftContext): Answer => {
  const { table, added } = context;
  const found = lookUp(findNftSet(table, name)?.elements ?? [], data);
  if (found === 'unknown') return found;
  if (found) {
    context.found?.(found);
    return true;
  }
  const keys = added?.get(addedName(table, name));
  if (!keys || keys.size === 0) return false;
  const known = data.filter((datum) => typeof datum !== 'object');
  return known.length === data.length ? keys.has(nftKey(known)) : 'unknown';
};

/** A packet has one state, and a connection several marks of what happened to it. */
const flagsHold = (
  left: NftExpr,
  { names }: Extract<NftOperand, { kind: 'flags' }>,
  negate: boolean,
  { skb }: NftContext,
): Answer => {
  if (left.kind !== 'ct') return 'unknown';
  if (left.key === 'state') {
    const state = ctStateOf(skb).toLowerCase();
    // `!=` compares the whole value, and no state is several at once.
    return negate ? names.length > 1 || names[0] !== state : names.includes(state);
  }
  if (!skb.ct) return false;
  if (negate) return 'unknown';
  const { snat, dnat, confirmed, assured, seenReply } = skb.ct.entry;
  const known = new Map([
    ['snat', snat],
    ['dnat', dnat],
    ['confirmed', confirmed],
    ['assured', assured],
    ['seen-reply', seenReply],
  ]);
  if (names.some((name) => known.get(name) === true)) return true;
  return names.every((name) => known.has(name)) ? false : 'unknown';
};

const operandHolds = (
  right: Exclude<NftOperand, { kind: 'flags' }>,
  data: readonly Datum[],
  context: NftContext,
): Answer => {
  switch (right.kind) {
    case 'value': {
      const [datum] = data;
      return datum === undefined ? 'unknown' : valueHolds(right.value, datum);
    }
    case 'set': {
      const found = lookUp(right.elements, data);
      return found === 'unknown' ? found : found !== undefined;
    }
    case 'named-set':
      return isInSet(right.name, data, context);
    default: {
      const never: never = right;
      return never;
    }
  }
};

/** Whether a condition holds. What the packet does not have at all, no condition holds on. */
export const holds = (
  left: NftExpr,
  right: NftOperand,
  negate: boolean,
  context: NftContext,
): Answer => {
  if (right.kind === 'flags') return flagsHold(left, right, negate, context);
  const data = evaluate(left, context);
  if (data === undefined) return false;
  if (data === UNKNOWN) return 'unknown';
  const answer = operandHolds(right, data, context);
  return answer === 'unknown' ? answer : answer !== negate;
};
