/**
 * One hook of the IPv4 stack: everything that is registered there, in the order of its priority.
 *
 *             raw    conntrack  mangle  nat    filter  nat    security  conntrack
 *             -300   -200       -150    -100   0       100    150       last
 * PREROUTING  rules  in         rules   dst    .       .      .         .
 * INPUT       .      .          rules   .      rules   src    rules     confirm
 * FORWARD     .      .          rules   .      rules   .      rules     .
 * OUTPUT      rules  in         rules   dst    rules   .      rules     .
 * POSTROUTING .      .          rules   .      .       src    .         confirm
 *
 * Conntrack is there while a rule needs it, nat at all its hooks while one nat chain is. IPVS, while
 * there is a virtual server, comes before nat at INPUT, after it at OUTPUT, and last at FORWARD.
 */
import type { HookEvent, KernelEvent, RuleEvent, RuleMiss } from '../event.ts';
import type { Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { conntrackActive, nfConntrackConfirm, nfConntrackIn } from './conntrack-in.ts';
import { type IpVsHook, ipVsHooks, runIpVs } from './ip-vs-op.ts';
import type { MatchContext } from './match.ts';
import { nfNatInetFn } from './nat.ts';
import { collectNearMisses } from './near-miss.ts';
import { type NftBaseChain, nftBaseChains, seesIpv4 } from './nft-base.ts';
import { walkNft } from './nft-base-chain.ts';
import { type NftTableName, nftTableName } from './nft-table.ts';
import {
  type Chain,
  findChain,
  findTable,
  type Hook,
  hasRules,
  type NfTable,
  perRevision,
  priorityOf,
  type Ruleset,
  type TableName,
} from './ruleset.ts';
import type { NfDecider, NfEnv, NfState, NfVerdict } from './verdict.ts';
import { nearRules, type RuleAt, type WalkEnd, type WalkReport, walkTable } from './walk.ts';

const ACCEPT: NfVerdict = { kind: 'ACCEPT' };

const CONNTRACK = -200;
const LAST = 2 ** 31 - 1;

/** A base chain of iptables, as the hook calls it. */
interface Base {
  readonly table: NfTable;
  readonly chain: Chain;
}

/** A nat chain, with its place among the others of its hook. */
type NatChain = Place &
  (({ readonly what: 'table' } & Base) | ({ readonly what: 'nft' } & NftBaseChain));

interface Place {
  readonly priority: number;
  /** When, among all of the namespace. */
  readonly registered: number;
}

/** One function registered at a hook (struct nf_hook_ops). */
type Op = Place &
  (
    | { readonly what: 'conntrack' | 'confirm' }
    /** All nat chains of the hook, in the order in which they are asked. */
    | { readonly what: 'nat'; readonly chains: readonly NatChain[] }
    | { readonly what: IpVsHook['what'] }
    | ({ readonly what: 'table' } & Base)
    | ({ readonly what: 'nft' } & NftBaseChain)
  );

/** nf_hook_entries_grow: of one priority the last registered comes first. */
const inOrder = (a: Place, b: Place): number =>
  a.priority - b.priority || b.registered - a.registered;

/** When the first nat chain was registered. */
const firstNat = (ruleset: Ruleset): number | undefined => {
  const iptables = findTable(ruleset, 'nat')?.chains ?? [];
  const all = [
    ...iptables.flatMap(({ base }) => base?.registered ?? []),
    ...(ruleset.nft ?? [])
      .filter(seesIpv4)
      .flatMap(({ chains }) => chains)
      .flatMap(({ base }) => (base?.type === 'nat' ? (base.registered ?? 0) : [])),
  ];
  return all.length > 0 ? Math.min(...all) : undefined;
};

const natChains = (ruleset: Ruleset, hook: Hook): readonly NatChain[] => {
  const table = findTable(ruleset, 'nat');
  const chain = table && findChain(table, hook);
  const all: NatChain[] = nftBaseChains(ruleset, hook).flatMap((found): NatChain[] => {
    const { type, priority, registered = 0 } = found.base;
    return type === 'nat' ? [{ what: 'nft', priority, registered, ...found }] : [];
  });
  if (table && chain?.base) {
    const { registered } = chain.base;
    all.push({ what: 'table', priority: priorityOf('nat', hook), registered, table, chain });
  }
  return all.sort(inOrder);
};

/** The functions at a hook. @param ipvs there is a virtual server */
const findOps = (ruleset: Ruleset, hook: Hook, ipvs: boolean): readonly Op[] => {
  const ops: Op[] = [];
  for (const table of ruleset.tables) {
    if (table.name === 'nat') continue;
    const chain = findChain(table, hook);
    if (!chain?.base) continue;
    const { registered } = chain.base;
    const priority = priorityOf(table.name, hook);
    ops.push({ priority, registered, what: 'table', table, chain });
  }
  for (const found of nftBaseChains(ruleset, hook)) {
    const { type, priority, registered = 0 } = found.base;
    if (type !== 'nat') ops.push({ priority, registered, what: 'nft', ...found });
  }
  if (hook !== 'FORWARD' && conntrackActive(ruleset)) {
    const arriving = hook === 'PREROUTING' || hook === 'OUTPUT';
    ops.push(
      arriving
        ? { priority: CONNTRACK, registered: 0, what: 'conntrack' }
        : { priority: LAST, registered: 0, what: 'confirm' },
    );
    // The function that calls nat chains is there at all hooks since the first one was made.
    const since = firstNat(ruleset);
    if (since !== undefined)
      ops.push({
        priority: priorityOf('nat', hook),
        registered: since,
        what: 'nat',
        chains: natChains(ruleset, hook),
      });
  }
  if (ipvs)
    for (const { what, priority } of ipVsHooks(hook)) ops.push({ priority, registered: 0, what });
  return ops.sort(inOrder);
};

type OpsByHook = Map<Hook, readonly Op[]>;

const opsByHook = perRevision((): OpsByHook => new Map());
const opsByHookWithIpvs = perRevision((): OpsByHook => new Map());

const opsAt = ({ netfilter, ipvs }: Netns, hook: Hook): readonly Op[] => {
  const withIpvs = ipvs.size > 0;
  const known = (withIpvs ? opsByHookWithIpvs : opsByHook)(netfilter);
  const ops = known.get(hook) ?? findOps(netfilter, hook, withIpvs);
  known.set(hook, ops);
  return ops;
};

type RuleAction = RuleEvent['action'];

/** A table by the name that it has among all tables. */
type AnyTable = TableName | NftTableName;

/** One call of nfHook. */
interface Run {
  readonly env: NfEnv;
  readonly hook: Hook;
  readonly state: NfState;
  readonly skb: Skb;
  readonly context: MatchContext;
  chains: HookEvent['detail']['chains'][number][];
  events: KernelEvent[];
}

const emitRule = (
  { env, hook, state, events }: Run,
  table: AnyTable,
  action: RuleAction,
  at: RuleAt | { readonly chain: string },
  more: { readonly mark?: number; readonly nearMiss?: RuleMiss | undefined } = {},
): void => {
  const origin = 'rule' in at ? at.rule.origin : undefined;
  const { mark, nearMiss } = more;
  const { bridged } = state;
  const detail: RuleEvent['detail'] =
    mark === undefined ? { hook, table, bridged, ...at } : { hook, table, bridged, mark, ...at };
  if (nearMiss) detail.nearMiss = nearMiss;
  events.push({
    kind: 'rule',
    netns: env.netns.id,
    action,
    detail,
    ...(origin && { origin }),
  });
};

/** How a chain was walked, and which rule nearly ended it otherwise, if that was asked for. */
interface Walked {
  readonly end: WalkEnd;
  readonly nearMiss: RuleMiss | undefined;
}

const walkChain = (run: Run, table: NfTable, chain: Chain): Walked => {
  const { env, context, chains } = run;
  const misses = env.detailed ? collectNearMisses(table, context) : undefined;
  const report: WalkReport = {
    matched: (at) => env.count?.(table.name, at.chain, at.number),
    marked: (at, mark) => emitRule(run, table.name, 'mark', at, { mark }),
    returned: (at) => emitRule(run, table.name, 'return', at, { nearMiss: misses?.ofReturn(at) }),
  };
  if (misses) report.missed = misses.missed;
  const end = walkTable(table, chain, context, report, misses && nearRules);
  const nearMiss = misses?.ofEnd(end);
  const { policy = 'ACCEPT' } = chain.base ?? {};
  const asked: Run['chains'][number] = {
    table: table.name,
    chain: chain.name,
    rules: chain.rules.length,
    policy,
  };
  if (nearMiss && end.kind === 'policy' && end.policy === 'ACCEPT') asked.nearMiss = nearMiss;
  chains.push(asked);
  return { end, nearMiss };
};

const walkNftChain = (run: Run, { table, chain, base }: NftBaseChain): Walked => {
  const { env, context, chains } = run;
  const name = nftTableName(table);
  const end = walkNft(
    table,
    chain,
    { ...context, added: env.nftSets },
    {
      counted: (at, number) => env.count?.(name, at, number),
      marked: (at, mark) => emitRule(run, name, 'mark', at, { mark }),
      returned: (at) => emitRule(run, name, 'return', at),
    },
  );
  const policy = base.policy === 'drop' ? 'DROP' : 'ACCEPT';
  chains.push({ table: name, chain: chain.name, rules: chain.rules.length, policy });
  return { end, nearMiss: undefined };
};

const decider = (table: AnyTable, at: RuleAt | { readonly chain: string }): NfDecider => ({
  table,
  chain: at.chain,
  ...('rule' in at && { number: at.number, rule: at.rule }),
});

/** Tells which rule ended the walk of a table, for what a nat chain does not tell by its edit. */
const emitEnd = (run: Run, table: AnyTable, { end, nearMiss }: Walked): void => {
  switch (end.kind) {
    case 'policy':
      if (end.policy === 'DROP')
        emitRule(run, table, 'policy-drop', { chain: end.chain }, { nearMiss });
      return;
    case 'unmodelled':
      emitRule(run, table, 'unmodelled', end.at);
      return;
    case 'target': {
      const { kind } = end.target;
      if (kind === 'ACCEPT') emitRule(run, table, 'accept', end.at, { nearMiss });
      else if (kind === 'DROP') emitRule(run, table, 'drop', end.at, { nearMiss });
      else if (kind === 'REJECT') emitRule(run, table, 'reject', end.at, { nearMiss });
      return;
    }
    default: {
      const never: never = end;
      throw new TypeError(`not an end: ${never}`);
    }
  }
};

const verdictOf = (table: AnyTable, end: WalkEnd): NfVerdict => {
  switch (end.kind) {
    case 'policy':
      return end.policy === 'ACCEPT' ? ACCEPT : { kind: 'DROP', by: decider(table, end) };
    case 'unmodelled':
      return { kind: 'UNKNOWN', by: decider(table, end.at) };
    case 'target': {
      const by = decider(table, end.at);
      switch (end.target.kind) {
        case 'ACCEPT':
          return ACCEPT;
        case 'DROP':
          return { kind: 'DROP', by };
        case 'REJECT':
          return { kind: 'REJECT', with: end.target.with, by };
        // These are loaded into nat chains only.
        case 'MASQUERADE':
        case 'SNAT':
        case 'DNAT':
          return { kind: 'UNKNOWN', by };
        default: {
          const never: never = end.target;
          return never;
        }
      }
    }
    default: {
      const never: never = end;
      return never;
    }
  }
};

const runTable = (run: Run, table: NfTable, chain: Chain): NfVerdict => {
  const { skb, hook } = run;
  const { mark } = skb;
  const walked = walkChain(run, table, chain);
  emitEnd(run, table.name, walked);
  const verdict = verdictOf(table.name, walked.end);
  // The mangle table's chain at OUTPUT is of type route: a new mark can mean another route.
  const reroute =
    table.name === 'mangle' && hook === 'OUTPUT' && verdict.kind === 'ACCEPT' && skb.mark !== mark;
  return reroute ? { kind: 'ACCEPT', reroute } : verdict;
};

const runNft = (run: Run, found: NftBaseChain): NfVerdict => {
  const { skb } = run;
  const { mark } = skb;
  const name = nftTableName(found.table);
  const walked = walkNftChain(run, found);
  emitEnd(run, name, walked);
  const verdict = verdictOf(name, walked.end);
  const reroute = found.base.type === 'route' && verdict.kind === 'ACCEPT' && skb.mark !== mark;
  return reroute ? { kind: 'ACCEPT', reroute } : verdict;
};

/** What a nat chain says that binds nothing: the next one is asked (nf_nat_inet_fn). */
const bindsNothing = (end: WalkEnd): boolean =>
  end.kind === 'policy'
    ? end.policy === 'ACCEPT'
    : end.kind === 'target' && end.target.kind === 'ACCEPT';

/** Nat chains are walked once for each half of a connection; the edit tells what they said. */
const runNat = (run: Run, chains: readonly NatChain[]): NfVerdict => {
  const { env, skb, state, events } = run;
  let walked: Walked | undefined;
  const walk = (): WalkEnd | undefined => {
    for (const one of chains) {
      walked = one.what === 'nft' ? walkNftChain(run, one) : walkChain(run, one.table, one.chain);
      emitEnd(run, one.what === 'nft' ? nftTableName(one.table) : 'nat', walked);
      if (!bindsNothing(walked.end)) break;
    }
    return walked?.end;
  };
  return nfNatInetFn(env, state, skb, walk, (event) => {
    const nearMiss = event.kind === 'nat' && event.detail.rule ? walked?.nearMiss : undefined;
    events.push(
      event.kind === 'nat' && nearMiss
        ? { ...event, detail: { ...event.detail, nearMiss } }
        : event,
    );
  });
};

const runOp = (run: Run, op: Op): NfVerdict => {
  const { env, hook, skb } = run;
  const emit = (event: KernelEvent): void => {
    run.events.push(event);
  };
  switch (op.what) {
    case 'conntrack':
      if (!nfConntrackIn(env, hook, skb, emit))
        return { kind: 'DROP', by: { table: 'raw', chain: hook } };
      return skb.packet.payload.type === 'data'
        ? { kind: 'UNKNOWN', by: { table: 'raw', chain: hook } }
        : ACCEPT;
    case 'confirm':
      return nfConntrackConfirm(env, hook, skb, emit)
        ? ACCEPT
        : { kind: 'DROP', by: { table: 'nat', chain: hook } };
    case 'nat':
      return runNat(run, op.chains);
    case 'table':
      return runTable(run, op.table, op.chain);
    case 'nft':
      return runNft(run, op);
    case 'ip-vs-in':
    case 'ip-vs-out':
      return runIpVs(op.what, { env, hook, skb, emit, flush: () => flush(run) });
    default: {
      const never: never = op;
      return never;
    }
  }
};

const HOOK_ACTION = {
  ACCEPT: 'accept',
  DROP: 'drop',
  REJECT: 'reject',
  UNKNOWN: 'unknown',
  STOLEN: 'accept',
} as const;

const emitAll = ({ env, hook, state, chains, events }: Run, verdict: NfVerdict): void => {
  if (chains.length > 0) {
    const { in: entered, out, physin, physout, bridged } = state;
    env.emit({
      kind: 'hook',
      netns: env.netns.id,
      action: HOOK_ACTION[verdict.kind],
      detail: {
        hook,
        ...(entered !== undefined && { in: entered }),
        ...(out !== undefined && { out }),
        ...(physin !== undefined && { physin }),
        ...(physout !== undefined && { physout }),
        chains,
        bridged,
      },
    });
  }
  for (const event of events) env.emit(event);
};

/** Tells what the hook has seen so far, before the stack is called from within it. */
const flush = (run: Run): void => {
  emitAll(run, ACCEPT);
  run.chains = [];
  run.events = [];
};

/**
 * nf_hook (include/linux/netfilter.h) for IPv4: calls what is registered at the hook until
 * something does not accept. Changes `skb` (mark, connection, and with NAT the packet) and the
 * namespace's conntrack table, and emits one `hook` event if a chain was asked, then what decided:
 * `conntrack`, `rule` and `nat` events in order.
 */
export const nfHook = (env: NfEnv, hook: Hook, skb: Skb, state: NfState): NfVerdict => {
  const { netns } = env;
  if (!hasRules(netns.netfilter) && netns.ipvs.size === 0) return ACCEPT;
  const ops = opsAt(netns, hook);
  if (ops.length === 0) return ACCEPT;
  const run: Run = {
    env,
    hook,
    state,
    skb,
    context: {
      skb,
      state,
      addrType: (ip) => env.addrType(ip),
      ipsets: env.netns.ipsets,
      ...(env.recent && { recent: env.recent }),
      chance: (options, by, at) => env.choose({ by, netns: env.netns.id, options, at }),
    },
    chains: [],
    events: [],
  };
  let verdict: NfVerdict = ACCEPT;
  let reroute = false;
  for (const op of ops) {
    verdict = runOp(run, op);
    if (verdict.kind !== 'ACCEPT') break;
    reroute ||= verdict.reroute === true;
  }
  emitAll(run, verdict);
  return verdict.kind === 'ACCEPT' && reroute ? { kind: 'ACCEPT', reroute: true } : verdict;
};
