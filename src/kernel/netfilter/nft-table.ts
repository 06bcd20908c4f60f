/**
 * Tables of nf_tables as `nft` makes them, beside those of iptables. Rules are kept as expressions,
 * in the vocabulary of nft(8); what is not modelled is kept word for word.
 *
 * Tables of family ip6 are stored and printed only; those of family inet are asked about IPv4.
 */
import type { Origin } from '../origin.ts';
import type { RejectWith } from './reject-with.ts';

export type NftFamily = 'ip' | 'ip6' | 'inet';

/** How a table is named where iptables' tables are named too: `ip kube-proxy`. */
export type NftTableName = `${NftFamily} ${string}`;

export interface NftTable {
  readonly family: NftFamily;
  readonly name: string;
  readonly comment?: string;
  /** Sets and maps, in order of creation. */
  readonly sets: NftSet[];
  /** In order of creation; among base chains, that is the order of registration. */
  readonly chains: NftChain[];
}

export type NftHook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

export interface NftBase {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: NftHook;
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  /** When, among all base chains of the namespace; given when the table is loaded. */
  registered?: number;
}

export interface NftChain {
  readonly name: string;
  /** Absent: only jumps lead to it. */
  readonly base?: NftBase;
  readonly comment?: string;
  readonly rules: NftRule[];
}

export interface NftRule {
  readonly statements: readonly NftStatement[];
  readonly comment?: string;
  readonly origin?: Origin;
}

export type NftType =
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'inet_proto'
  | 'inet_service'
  | 'mark'
  | 'ifname'
  | 'ct_state';

export interface NftSet {
  readonly kind: 'set' | 'map';
  readonly name: string;
  /** More than one: a concatenation. */
  readonly key: readonly NftType[];
  /** Maps only. */
  readonly data?: 'verdict' | readonly NftType[];
  readonly flags: readonly ('dynamic' | 'interval' | 'timeout')[];
  /** Seconds that an element stays. */
  readonly timeout?: number;
  /** Most elements; a set that rules add to has a limit. */
  size?: number;
  readonly comment?: string;
  /** What was written by hand; what rules add while packets pass is dynamic state. */
  readonly elements: NftElement[];
}

export interface NftElement {
  readonly key: readonly NftValue[];
  /** Of a verdict map. */
  readonly verdict?: NftVerdict;
  /** Of any other map. */
  readonly data?: readonly NftValue[];
  readonly comment?: string;
  readonly origin?: Origin;
}

/**
 * One value, as its type wants it: an address or prefix, an interface name (`cni*`: all that begin
 * so) or a symbol as text; a port, a protocol, a mark as number; or all from one to another.
 */
export type NftValue = string | number | NftRange;

export interface NftRange {
  readonly from: string | number;
  readonly to: string | number;
}

/** What a rule looks at. */
export type NftExpr =
  | { readonly kind: 'address'; readonly header: 'ip' | 'ip6'; readonly field: 'saddr' | 'daddr' }
  | { readonly kind: 'ip-protocol' }
  | {
      readonly kind: 'port';
      /** `th`: whatever the protocol is. */
      readonly header: 'tcp' | 'udp' | 'sctp' | 'th';
      readonly field: 'sport' | 'dport';
    }
  | { readonly kind: 'meta'; readonly key: 'l4proto' | 'mark' | 'iifname' | 'oifname' }
  | { readonly kind: 'ct'; readonly key: 'state' | 'status' | 'mark' }
  /** `fib daddr type`. */
  | { readonly kind: 'fib-type'; readonly field: 'saddr' | 'daddr' }
  | { readonly kind: 'numgen'; readonly mode: 'random' | 'inc'; readonly mod: number }
  | { readonly kind: 'masked'; readonly of: NftExpr; readonly mask: number }
  | { readonly kind: 'concat'; readonly of: readonly NftExpr[] };

/** What it is held against. */
export type NftOperand =
  | { readonly kind: 'value'; readonly value: NftValue }
  /** Any of these bits: `established,related`. */
  | { readonly kind: 'flags'; readonly names: readonly string[] }
  | { readonly kind: 'named-set'; readonly name: string }
  | { readonly kind: 'set'; readonly elements: readonly NftElement[] };

export type NftVerdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

/** An address and a port to translate to; without a port, it stays as it is. */
export interface NftEnd {
  readonly ip: string;
  readonly port?: number;
}

export type NftStatement =
  | {
      readonly kind: 'match';
      readonly left: NftExpr;
      readonly negate: boolean;
      readonly right: NftOperand;
    }
  | { readonly kind: 'vmap'; readonly on: NftExpr; readonly map: string | readonly NftElement[] }
  | { readonly kind: 'verdict'; readonly verdict: NftVerdict }
  /** `meta mark set`. */
  | { readonly kind: 'mark'; readonly op: 'set' | 'or' | 'and' | 'xor'; readonly value: number }
  /** Without a type: port unreachable. */
  | { readonly kind: 'reject'; readonly with?: RejectWith }
  | { readonly kind: 'dnat' | 'snat'; readonly to: NftEnd }
  /** `dnat ip addr . port to EXPRESSION map { … }`. */
  | { readonly kind: 'dnat-map'; readonly on: NftExpr; readonly map: readonly NftDestination[] }
  | { readonly kind: 'masquerade'; readonly fullyRandom: boolean }
  /** `update` prolongs the time of an element that is there. */
  | {
      readonly kind: 'set-element';
      readonly op: 'add' | 'update';
      readonly set: string;
      readonly key: NftExpr;
    }
  | { readonly kind: 'counter' }
  /** `options` word for word, as printed. */
  | { readonly kind: 'log'; readonly options?: string }
  /** A statement that is not modelled. `watches`: it lets the packet walk on whatever it does. */
  | { readonly kind: 'unmodelled'; readonly text: string; readonly watches?: true };

export interface NftDestination {
  readonly key: number;
  readonly to: Required<NftEnd>;
}

/** The name by which a table is known among all tables. */
export const nftTableName = ({ family, name }: Pick<NftTable, 'family' | 'name'>): NftTableName =>
  `${family} ${name}`;

interface Places {
  readonly chains: Map<string, NftChain>;
  readonly sets: Map<string, NftSet>;
}

// Only the builders add to a table (nft-edit.ts), and nothing is taken out of one.
const places = new WeakMap<NftTable, Places>();

/** Where chains and sets are, by name; the builders keep it while they add. */
export const nftPlaces = (table: NftTable): Places => {
  const known = places.get(table);
  if (known) return known;
  const made: Places = {
    chains: new Map(table.chains.map((chain) => [chain.name, chain])),
    sets: new Map(table.sets.map((set) => [set.name, set])),
  };
  places.set(table, made);
  return made;
};

export const findNftChain = (table: NftTable, name: string): NftChain | undefined =>
  nftPlaces(table).chains.get(name);

/** A set or a map. */
export const findNftSet = (table: NftTable, name: string): NftSet | undefined =>
  nftPlaces(table).sets.get(name);

/** `add table`: one without anything in it. */
export const nftTable = (family: NftFamily, name: string, comment?: string): NftTable =>
  comment === undefined
    ? { family, name, sets: [], chains: [] }
    : { family, name, comment, sets: [], chains: [] };

/** A copy that can be added to without the first one noticing. */
export const cloneNftTable = (table: NftTable): NftTable => ({
  ...table,
  sets: table.sets.map((set) => ({ ...set, elements: [...set.elements] })),
  chains: table.chains.map((chain) => ({ ...chain, rules: [...chain.rules] })),
});
