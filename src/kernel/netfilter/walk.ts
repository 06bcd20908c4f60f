/** One packet through one table at one hook: rules in order, jumps, gotos, returns, the policy. */
import type { Skb } from '../skb.ts';
import { candidates, type Selection } from './dispatch.ts';
import { asking, changesList, type MatchContext, ruleMatches } from './match.ts';
import type { NftTableName } from './nft-table.ts';
import { type Chain, findChain, type NfTable, type Rule, type Target } from './ruleset.ts';

/** A rule and how the walk came to it. */
export interface RuleAt {
  /** Of nf_tables only: the table, which the rule's own walk knows. */
  readonly table?: NftTableName;
  readonly chain: string;
  /** 1-based, as `iptables -L --line-numbers`. */
  readonly number: number;
  readonly rule: Rule;
  /** The jumps and gotos from the built-in chain on. */
  readonly path: readonly { chain: string; number: number }[];
  /** Of nf_tables only: the element of a verdict map that decided. */
  readonly element?: string;
}

/** Targets that end the walk of a table. */
export type FinalTarget = Extract<
  Target,
  { kind: 'ACCEPT' | 'DROP' | 'REJECT' | 'MASQUERADE' | 'SNAT' | 'DNAT' }
>;

/** How the walk of a table ended. */
export type WalkEnd =
  | { readonly kind: 'target'; readonly target: FinalTarget; readonly at: RuleAt }
  | { readonly kind: 'policy'; readonly policy: 'ACCEPT' | 'DROP'; readonly chain: string }
  /** What happens at this rule is not known, and it matters. */
  | { readonly kind: 'unmodelled'; readonly at: RuleAt };

/** What the walk tells on its way. */
export interface WalkReport {
  /** All conditions of the rule hold. */
  matched(at: RuleAt): void;
  /** Rules that did something and let the packet walk on. */
  marked(at: RuleAt, mark: number): void;
  returned(at: RuleAt): void;
  /** A rule of which a condition does not hold. */
  missed?(at: RuleAt): void;
}

interface Frame {
  readonly chain: Chain;
  /** Which rules to ask; absent: all. */
  readonly among: Selection | undefined;
  /** Index of the next rule to look at, where all are asked. */
  next: number;
  readonly path: RuleAt['path'];
}

// Targets that do nothing to the packet and let it walk on, whatever their options are.
const WATCHERS = /^-j (?:NFLOG|ULOG|TRACE|AUDIT|CHECKSUM)\b/;

/** mark_tg (net/netfilter/xt_mark.c): the mark that the rule leaves. */
export const markAfter = (
  mark: number,
  { op, value, mask }: Extract<Target, { kind: 'MARK' }>,
): number => {
  switch (op) {
    case 'set':
      return ((mark & ~mask) ^ value) >>> 0;
    case 'or':
      return (mark | value) >>> 0;
    case 'and':
      return (mark & value) >>> 0;
    case 'xor':
      return (mark ^ value) >>> 0;
    default: {
      const never: never = op;
      return never;
    }
  }
};

const takeNext = (frame: Frame): { rule: Rule; number: number } | undefined => {
  const { chain, among } = frame;
  const at = among ? among.next() : frame.next;
  frame.next += 1;
  const rule = at === undefined ? undefined : chain.rules[at];
  return rule && at !== undefined ? { rule, number: at + 1 } : undefined;
};

/** Which rules of a chain a walk asks: all of them, or those that can match. */
export type Candidates = typeof candidates;

/** Asks every rule: what the indexed walk is held against. */
export const everyRule: Candidates = () => undefined;

/** Chains as long as nobody writes them by hand. */
const VERY_LONG = 1000;

/**
 * For a walk that looks for rules that nearly matched: every rule of a chain, but of one with a rule
 * for each of thousands of Services only those that can match.
 */
export const nearRules: Candidates = (chain, packet) =>
  chain.rules.length > VERY_LONG ? candidates(chain, packet) : undefined;

/**
 * Walks a table from one of its chains (nft_do_chain, net/netfilter/nf_tables_core.c; the same as
 * ipt_do_table). MARK changes `context.skb.mark` as it goes. Nothing else is changed: what a final
 * target does is for the caller.
 *
 * A rule whose outcome is not known ends the walk only if it matters: its known conditions hold,
 * and its target would end or change the walk.
 *
 * What rules leave to chance `context.chance` settles, once each time the walk comes to it.
 */
export const walkTable = (
  table: NfTable,
  start: Chain,
  context: MatchContext,
  report: WalkReport,
  select: Candidates = candidates,
): WalkEnd => {
  const { skb } = context;
  const enter = (chain: Chain, path: Frame['path']): Frame => ({
    chain,
    among: select(chain, skb.packet),
    next: 0,
    path,
  });
  const stack: Frame[] = [];
  let frame: Frame | undefined = enter(start, []);

  while (frame) {
    const taken = takeNext(frame);
    if (!taken) {
      frame = stack.pop();
      continue;
    }
    const { rule, number } = taken;
    const answer = ruleMatches(rule, context, frame.chain.name, number);
    if (answer === false) {
      report.missed?.({ chain: frame.chain.name, number, rule, path: frame.path });
      continue;
    }
    const at: RuleAt = { chain: frame.chain.name, number, rule, path: frame.path };
    if (answer === 'unknown') {
      if (mayMatter(table, at, context, select)) return { kind: 'unmodelled', at };
      continue;
    }
    report.matched(at);
    const { target } = rule;
    switch (target.kind) {
      case 'NONE':
      case 'LOG':
        break;
      case 'MARK':
        skb.mark = markAfter(skb.mark, target);
        report.marked(at, skb.mark);
        break;
      case 'NOTRACK':
        // notrack_tg: what has a connection by now keeps it.
        if (!skb.ct && !skb.madeUntracked) skb.untracked = true;
        break;
      case 'RETURN':
        report.returned(at);
        frame = stack.pop();
        break;
      case 'jump':
      case 'goto': {
        const chain = findChain(table, target.chain);
        // iptables does not load a jump to nowhere.
        if (!chain) return { kind: 'unmodelled', at };
        if (target.kind === 'jump') stack.push(frame);
        frame = enter(chain, [...frame.path, { chain: at.chain, number }]);
        break;
      }
      case 'ACCEPT':
      case 'DROP':
      case 'REJECT':
      case 'MASQUERADE':
      case 'SNAT':
      case 'DNAT':
        return { kind: 'target', target, at };
      case 'unmodelled':
        if (!WATCHERS.test(target.text)) return { kind: 'unmodelled', at };
        break;
      default: {
        const never: never = target;
        return never;
      }
    }
  }
  return { kind: 'policy', policy: start.base?.policy ?? 'ACCEPT', chain: start.name };
};

/** For a walk that nobody is told of. */
export const SILENT: WalkReport = {
  matched: () => undefined,
  marked: () => undefined,
  returned: () => undefined,
};

/** Whether it makes a difference that a rule, of which this is not known, matches. */
const mayMatter = (
  table: NfTable,
  { rule }: RuleAt,
  context: MatchContext,
  select: Candidates,
): boolean => {
  const { target } = rule;
  if (changesList(rule)) return true;
  switch (target.kind) {
    case 'NONE':
    case 'LOG':
      return false;
    case 'MARK':
      return markAfter(context.skb.mark, target) !== context.skb.mark;
    case 'NOTRACK':
      return !context.skb.ct && !context.skb.untracked && !context.skb.madeUntracked;
    case 'jump': {
      // A chain that would send the packet back as it came makes no difference.
      const chain = findChain(table, target.chain);
      if (!chain) return true;
      const skb: Skb = { ...context.skb };
      const end = walkTable(table, chain, { ...asking(context), skb }, SILENT, select);
      return (
        end.kind !== 'policy' ||
        skb.mark !== context.skb.mark ||
        skb.untracked !== context.skb.untracked
      );
    }
    case 'unmodelled':
      return !WATCHERS.test(target.text);
    case 'goto':
    case 'RETURN':
    case 'ACCEPT':
    case 'DROP':
    case 'REJECT':
    case 'MASQUERADE':
    case 'SNAT':
    case 'DNAT':
      return true;
    default: {
      const never: never = target;
      return never;
    }
  }
};
