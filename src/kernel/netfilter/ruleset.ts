/**
 * Netfilter rules of one namespace, in the vocabulary of iptables: what `iptables-save` prints is
 * what is stored. The nft back end of iptables loads the same rules.
 *
 * Base chains of one hook run by priority, and of one priority the last registered runs first
 * (nf_hook_entries_grow, net/netfilter/core.c), whichever table it is in: whoever makes a base chain
 * gives it the ruleset's next serial (`registerBase`), and nf-hook.ts sorts by both. So it is among
 * nat chains too, which one function at the priority of iptables' nat calls one after the other until
 * one of them binds (nf_nat_register_fn, nf_nat_inet_fn, net/netfilter/nf_nat_core.c).
 */
import type { Cidr, Ip } from '../../wire/packet.ts';
import type { Origin } from '../origin.ts';

import type { IpSetDirs } from './ipset.ts';
import { cloneNftTable, type NftTable } from './nft-table.ts';
import type { RejectWith } from './reject-with.ts';

export type { RejectWith };

export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';
export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security';

export interface Ruleset {
  /** Tables in order of registration (creation). Empty: nothing was ever loaded. */
  readonly tables: NfTable[];
  /** Tables that `nft` made, in order of creation; absent: none. */
  nft?: readonly NftTable[];
  /** Counts the edits, for what is derived from the rules; only the builders below edit. */
  revision?: number;
  /** How many base chains were ever registered, in tables of any kind. */
  registrations?: number;
}

export interface NfTable {
  readonly name: TableName;
  readonly chains: Chain[];
}

export interface Chain {
  readonly name: string;
  /** Built-in chains only. */
  readonly base?: {
    readonly hook: Hook;
    readonly policy: 'ACCEPT' | 'DROP';
    /** The serial that `registerBase` gave it. */
    readonly registered: number;
  };
  readonly rules: Rule[];
}

export interface Rule {
  readonly matches: readonly Match[];
  readonly target: Target;
  readonly comment?: string;
  /** How many extension matches (`-m`) are printed before the comment. Absent: none. */
  readonly commentAt?: number;
  /** The rule is one of nf_tables, in the words of `nft`; its conditions are in the text only. */
  readonly nft?: string;
  readonly origin?: Origin;
}

/** Conntrack states a packet can be in. */
export type CtState = 'INVALID' | 'NEW' | 'ESTABLISHED' | 'RELATED' | 'UNTRACKED';

/** One condition of a rule. `negate` is the `!` before it. */
export type Match =
  | { readonly kind: 'src' | 'dst'; readonly cidr: Cidr; readonly negate: boolean }
  | { readonly kind: 'in' | 'out'; readonly ifname: string; readonly negate: boolean }
  | {
      readonly kind: 'protocol';
      /** A number where nothing here speaks it. */
      readonly protocol: 'tcp' | 'udp' | 'icmp' | 'sctp' | number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'sport' | 'dport';
      readonly from: number;
      readonly to: number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'multiport';
      readonly which: 'sports' | 'dports' | 'ports';
      readonly ports: readonly (readonly [number, number])[];
      readonly negate: boolean;
    }
  | {
      readonly kind: 'mark';
      readonly value: number;
      readonly mask: number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'ctstate';
      readonly states: readonly (CtState | 'DNAT' | 'SNAT')[];
      readonly negate: boolean;
      /** Written as `-m state --state`, the match's older name. */
      readonly alias?: 'state';
    }
  | {
      readonly kind: 'addrtype';
      readonly which: 'src' | 'dst';
      readonly type: 'LOCAL' | 'UNICAST' | 'BROADCAST' | 'MULTICAST';
      readonly negate: boolean;
    }
  | {
      readonly kind: 'physdev';
      readonly which: 'in' | 'out' | 'is-bridged' | 'is-in' | 'is-out';
      readonly ifname?: string;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'icmp-type';
      /** 255: any. */
      readonly type: number;
      readonly code?: number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'tcp-flags';
      readonly mask: readonly string[];
      readonly set: readonly string[];
      readonly negate: boolean;
    }
  | {
      readonly kind: 'length';
      readonly from: number;
      readonly to: number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'set';
      /** Of a set in the same namespace. */
      readonly name: string;
      readonly dirs: IpSetDirs;
      readonly negate: boolean;
    }
  | {
      /** `-m statistic --mode random`. */
      readonly kind: 'statistic';
      /** As the kernel keeps it: in 2^31 parts. From 2^31 on the rule always matches. */
      readonly probability: number;
      readonly negate: boolean;
    }
  | {
      /** `-m recent`: a list of addresses that were seen. */
      readonly kind: 'recent';
      readonly op: 'set' | 'rcheck' | 'update' | 'remove';
      readonly name: string;
      readonly seconds?: number;
      readonly reap?: true;
      readonly hitcount?: number;
      readonly mask: Ip;
      readonly side: 'source' | 'dest';
      readonly negate: boolean;
    }
  /** `-m nfacct`: counts packets under a name, always true. */
  | { readonly kind: 'nfacct'; readonly name: string }
  /** `-m tcp` without a condition of its own, which kube-proxy writes: always true. */
  | { readonly kind: 'extension'; readonly name: 'tcp' | 'udp' | 'sctp' }
  /** A second comment; a rule's first one is `Rule.comment`. */
  | { readonly kind: 'comment'; readonly text: string }
  /** A match that is not modelled, kept word for word so that it can be printed and named. */
  | { readonly kind: 'unmodelled'; readonly text: string };

export type Target =
  | { readonly kind: 'ACCEPT' | 'DROP' }
  | { readonly kind: 'RETURN' }
  | { readonly kind: 'NONE' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'REJECT'; readonly with: RejectWith }
  | {
      readonly kind: 'MARK';
      /** `set` is `--set-xmark value/mask`: (mark and not mask) xor value. The others take `value`. */
      readonly op: 'set' | 'or' | 'and' | 'xor';
      readonly value: number;
      readonly mask: number;
    }
  | { readonly kind: 'MASQUERADE'; readonly randomFully: boolean }
  | { readonly kind: 'SNAT'; readonly ip: Ip; readonly port?: number }
  | { readonly kind: 'DNAT'; readonly ip: Ip; readonly port?: number }
  /** Table raw only: conntrack leaves the packet alone. `CT --notrack` is its newer name. */
  | { readonly kind: 'NOTRACK'; readonly alias?: 'CT' }
  /** `options` word for word, as printed. */
  | { readonly kind: 'LOG'; readonly options?: string }
  | { readonly kind: 'unmodelled'; readonly text: string };

/** Priorities of the built-in tables (include/uapi/linux/netfilter_ipv4.h), by hook for nat. */
const NAT_DST = -100;
const NAT_SRC = 100;

/** The hooks of each table's built-in chains, in the order in which iptables-save prints them. */
export const TABLE_HOOKS: Readonly<Record<TableName, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** The priority at which a table's built-in chain is called; lower is earlier. */
export const priorityOf = (table: TableName, hook: Hook): number => {
  switch (table) {
    case 'raw':
      return -300;
    case 'mangle':
      return -150;
    case 'nat':
      return hook === 'PREROUTING' || hook === 'OUTPUT' ? NAT_DST : NAT_SRC;
    case 'filter':
      return 0;
    case 'security':
      // The nf_tables back end's own number; the legacy table is at 50, before nat.
      return 150;
    default: {
      const never: never = table;
      return never;
    }
  }
};

/** What `iptables` says when it cannot do an edit. */
export class NetfilterError extends Error {
  override readonly name = 'NetfilterError';
  /** Whether the text is that of an errno (nft_strerror), or of iptables itself. */
  readonly by: 'errno' | 'tool';

  constructor(message: string, by: 'errno' | 'tool' = 'errno') {
    super(message);
    this.by = by;
  }
}

const NO_NAME = 'No chain/target/match by that name.';

/** Nothing was ever loaded: no table, no hook. */
export const emptyRuleset = (): Ruleset => ({ tables: [], revision: 0 });

/** A copy that can be edited without the first one noticing. Rules are shared: they never change. */
export const cloneRuleset = (ruleset: Ruleset): Ruleset => ({
  ...ruleset,
  revision: 0,
  tables: ruleset.tables.map(({ name, chains }) => ({
    name,
    chains: chains.map((chain) => ({ ...chain, rules: [...chain.rules] })),
  })),
  ...(ruleset.nft && { nft: ruleset.nft.map(cloneNftTable) }),
});

/** Whether anything is at any hook. */
export const hasRules = ({ tables, nft }: Ruleset): boolean =>
  tables.length > 0 || nft !== undefined;

export const findTable = (ruleset: Ruleset, name: TableName): NfTable | undefined =>
  ruleset.tables.find((table) => table.name === name);

// Chains keep their places until one is deleted; new ones come last.
const places = new WeakMap<NfTable, Map<string, number>>();

const placesOf = (table: NfTable): ReadonlyMap<string, number> => {
  const known = places.get(table) ?? new Map<string, number>();
  places.set(table, known);
  for (let place = known.size; place < table.chains.length; place += 1) {
    const chain = table.chains[place];
    if (chain) known.set(chain.name, place);
  }
  return known;
};

/** The chain of that name, built-in or not. */
export const findChain = (table: NfTable, name: string): Chain | undefined =>
  table.chains[placesOf(table).get(name) ?? -1];

/** What is derived from a whole ruleset, kept until the ruleset is edited. */
export const perRevision = <Derived>(
  derive: (ruleset: Ruleset) => Derived,
): ((ruleset: Ruleset) => Derived) => {
  const kept = new WeakMap<Ruleset, { revision: number; derived: Derived }>();
  return (ruleset) => {
    const revision = ruleset.revision ?? 0;
    const known = kept.get(ruleset);
    if (known?.revision === revision) return known.derived;
    const derived = derive(ruleset);
    kept.set(ruleset, { revision, derived });
    return derived;
  };
};

/** Says that the rules are others now. */
export const edited = (ruleset: Ruleset): void => {
  ruleset.revision = (ruleset.revision ?? 0) + 1;
};

const tableFor = (ruleset: Ruleset, name: TableName): NfTable => {
  const known = findTable(ruleset, name);
  if (known) return known;
  const table: NfTable = { name, chains: [] };
  ruleset.tables.push(table);
  return table;
};

/** The serial of a base chain that is registered now: later than all others of this namespace. */
export const registerBase = (ruleset: Ruleset): number => {
  ruleset.registrations = (ruleset.registrations ?? 0) + 1;
  return ruleset.registrations;
};

const hookNamed = (table: TableName, chain: string): Hook | undefined =>
  TABLE_HOOKS[table].find((hook) => hook === chain);

/**
 * The chain to edit. A built-in chain is registered when something is first put into it, as the
 * nft back end of iptables does: the other built-in chains of its table are not.
 * @throws {NetfilterError} when there is no such chain
 */
const chainFor = (ruleset: Ruleset, table: TableName, name: string): Chain => {
  const known = findTable(ruleset, table);
  const chain = known && findChain(known, name);
  if (chain) return chain;
  const hook = hookNamed(table, name);
  if (!hook) throw new NetfilterError(NO_NAME);
  const registered = registerBase(ruleset);
  const base: Chain = { name, base: { hook, policy: 'ACCEPT', registered }, rules: [] };
  tableFor(ruleset, table).chains.push(base);
  return base;
};

/** An edit other than an append makes a new chain object: what is derived from a chain is keyed on it. */
const replaceChain = (ruleset: Ruleset, table: TableName, chain: Chain, next: Chain): void => {
  const from = tableFor(ruleset, table);
  from.chains[placesOf(from).get(chain.name) ?? from.chains.length] = next;
  edited(ruleset);
};

const targetChain = ({ target }: Rule): string | undefined =>
  target.kind === 'jump' || target.kind === 'goto' ? target.chain : undefined;

const checkTarget = (ruleset: Ruleset, table: TableName, rule: Rule): void => {
  const name = targetChain(rule);
  if (name === undefined) return;
  const known = findTable(ruleset, table);
  if (!known || !findChain(known, name))
    throw new NetfilterError(`Chain '${name}' does not exist`, 'tool');
};

/**
 * `iptables -t table -N name`.
 * @throws {NetfilterError} when the chain exists, or is built in
 */
export const nfNewChain = (ruleset: Ruleset, table: TableName, name: string): Chain => {
  const known = findTable(ruleset, table);
  if (hookNamed(table, name) || (known && findChain(known, name)))
    throw new NetfilterError('Chain already exists.');
  const chain: Chain = { name, rules: [] };
  tableFor(ruleset, table).chains.push(chain);
  edited(ruleset);
  return chain;
};

/**
 * What `iptables-restore --noflush` does with the user chains of a table that its input names: each
 * is made, or loses the rules it had, and gets those given; all of them or none.
 * @throws {NetfilterError} when a chain is built in, or a rule jumps to a chain that is not there
 */
export const nfRestore = (ruleset: Ruleset, table: TableName, chains: readonly Chain[]): void => {
  if (chains.some(({ name }) => hookNamed(table, name)))
    throw new NetfilterError('Chain already exists.');
  const { chains: all } = tableFor(ruleset, table);
  const places = new Map(all.map(({ name }, place) => [name, place]));
  const next = [...all];
  for (const chain of chains) {
    const place = places.get(chain.name) ?? next.length;
    places.set(chain.name, place);
    next[place] = chain;
  }
  for (const { rules } of chains)
    for (const rule of rules) {
      const name = targetChain(rule);
      if (name !== undefined && !places.has(name))
        throw new NetfilterError(`Chain '${name}' does not exist`, 'tool');
    }
  for (const [place, chain] of next.entries()) all[place] = chain;
  edited(ruleset);
};

/**
 * `iptables -t table -A chain rule`.
 * @throws {NetfilterError} when the chain, or the chain to jump to, does not exist
 */
export const nfAppend = (ruleset: Ruleset, table: TableName, chain: string, rule: Rule): void => {
  checkTarget(ruleset, table, rule);
  chainFor(ruleset, table, chain).rules.push(rule);
  edited(ruleset);
};

/**
 * `iptables -t table -I chain number rule`: the rule becomes that number, counted from 1.
 * @throws {NetfilterError} as nfAppend, and when the number is beyond the end of the chain
 */
export const nfInsert = (
  ruleset: Ruleset,
  table: TableName,
  chain: string,
  rule: Rule,
  number = 1,
): void => {
  checkTarget(ruleset, table, rule);
  const known = chainFor(ruleset, table, chain);
  if (number < 1 || number > known.rules.length + 1)
    throw new NetfilterError('Index of insertion too big.');
  const at = number - 1;
  const rules = [...known.rules.slice(0, at), rule, ...known.rules.slice(at)];
  replaceChain(ruleset, table, known, { ...known, rules });
};

/**
 * `iptables -t table -D chain number`: takes the rule of that number away, counted from 1.
 * @throws {NetfilterError} when there is no such chain or rule
 */
export const nfDelete = (
  ruleset: Ruleset,
  table: TableName,
  chain: string,
  number: number,
): void => {
  const known = findTable(ruleset, table);
  const from = known && findChain(known, chain);
  if (!from) throw new NetfilterError(NO_NAME);
  if (number < 1 || number > from.rules.length)
    throw new NetfilterError('Index of deletion too big.');
  const rules = from.rules.filter((_, at) => at !== number - 1);
  replaceChain(ruleset, table, from, { ...from, rules });
};

/**
 * `iptables -t table -P chain policy`.
 * @throws {NetfilterError} when the chain is not built in
 */
export const nfPolicy = (
  ruleset: Ruleset,
  table: TableName,
  chain: string,
  policy: 'ACCEPT' | 'DROP',
): void => {
  const hook = hookNamed(table, chain);
  if (!hook) throw new NetfilterError('Bad built-in chain name.');
  const known = chainFor(ruleset, table, chain);
  const registered = known.base?.registered ?? registerBase(ruleset);
  replaceChain(ruleset, table, known, { ...known, base: { hook, policy, registered } });
};

/**
 * `iptables -t table -F [chain]`. A built-in chain that is named is registered by it; without a name
 * all chains lose their rules, and none is made.
 * @throws {NetfilterError} when there is no such chain
 */
export const nfFlush = (ruleset: Ruleset, table: TableName, chain?: string): void => {
  const all = findTable(ruleset, table)?.chains ?? [];
  for (const from of chain === undefined ? [...all] : [chainFor(ruleset, table, chain)])
    replaceChain(ruleset, table, from, { ...from, rules: [] });
};

const isUsed = ({ chains }: NfTable, { name, rules }: Chain): boolean =>
  rules.length > 0 || chains.some((one) => one.rules.some((rule) => targetChain(rule) === name));

const busy = ({ name }: Chain): NetfilterError =>
  new NetfilterError(` CHAIN_DEL failed (Device or resource busy): chain ${name}`, 'tool');

const removeChain = (ruleset: Ruleset, table: NfTable, chain: Chain): void => {
  const { chains } = table;
  chains.splice(chains.indexOf(chain), 1);
  places.delete(table);
  edited(ruleset);
};

/**
 * `iptables -t table -X chain`; a built-in chain goes too, with its hook, where it does nothing.
 * @throws {NetfilterError} when there is no such chain, it has rules or a policy, or a rule jumps to it
 */
export const nfDeleteChain = (ruleset: Ruleset, table: TableName, name: string): void => {
  const known = findTable(ruleset, table);
  const chain = known && findChain(known, name);
  if (!known || !chain) throw new NetfilterError(NO_NAME);
  if (isUsed(known, chain)) throw busy(chain);
  if (chain.base?.policy === 'DROP') throw new NetfilterError('Directory not empty.');
  removeChain(ruleset, known, chain);
};

/**
 * `iptables -t table -X`: all chains that are not built in, and those built-in ones that do nothing
 * (nft_may_delete_chain); all of them or none.
 * @throws {NetfilterError} when one has rules, or a rule jumps to it
 */
export const nfDeleteChains = (ruleset: Ruleset, table: TableName): void => {
  const known = findTable(ruleset, table);
  if (!known) return;
  const gone = known.chains.filter(
    ({ base, rules }) => !base || (rules.length === 0 && base.policy === 'ACCEPT'),
  );
  const used = gone.find((chain) => !chain.base && isUsed(known, chain));
  if (used) throw busy(used);
  for (const chain of gone) removeChain(ruleset, known, chain);
};
