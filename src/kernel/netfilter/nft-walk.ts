/** One packet through rules of nf_tables (nft_do_chain, net/netfilter/nf_tables_core.c). */
import type { Origin } from '../origin.ts';
import type { Answer } from './match.ts';
import { addedName, evaluate, holds, type NftContext } from './nft-match.ts';
import { lookUp, nftKey } from './nft-set.ts';
import {
  findNftChain,
  findNftSet,
  type NftChain,
  type NftElement,
  type NftRule,
  type NftStatement,
  type NftTable,
  type NftVerdict,
  nftTableName,
} from './nft-table.ts';
import { elementText, nftRuleText, typesOf } from './nft-text.ts';
import type { Rule, Target } from './ruleset.ts';
import type { FinalTarget, RuleAt, WalkEnd } from './walk.ts';

/** What the walk tells on its way. */
export interface NftReport {
  /** The packet came as far as a `counter`. */
  counted(chain: string, number: number): void;
  marked(at: RuleAt, mark: number): void;
  returned(at: RuleAt): void;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export type Context = Omit<NftContext, 'at' | 'unsure' | 'table' | 'found'>;

export interface Frame {
  readonly chain: NftChain;
  /** Index of the next rule. */
  next: number;
  readonly path: RuleAt['path'];
  /** Of the rule or element that led here, for rules that were written for nobody in particular. */
  readonly led: Origin | undefined;
}

/** Where the walk stands. */
interface Here {
  readonly table: NftTable;
  readonly frame: Frame;
  readonly number: number;
  readonly rule: NftRule;
  /** The last element of a named set that a condition of the rule found. */
  member: NftElement | undefined;
}

// A rule's text is the same for every packet.
const texts = new WeakMap<NftRule, string>();

const textOf = (rule: NftRule, table: NftTable): string => {
  const known = texts.get(rule) ?? nftRuleText(rule, table.family);
  texts.set(rule, known);
  return known;
};

/**
 * Who it was written for: the rule, or what led to it, whichever names an object. A rule about the
 * members of a set is about the one that the packet has.
 */
const originOf = ({ rule, frame, member }: Here, element?: NftElement): Origin | undefined => {
  const named = [element?.origin, rule.origin].find((origin) => origin?.object);
  if (named) return named;
  const { object, at: place } = member?.origin ?? {};
  if (rule.origin && object) return { ...rule.origin, object, ...(place && { at: place }) };
  return frame.led?.object ? frame.led : rule.origin;
};

const at = (here: Here, target: Target, element?: NftElement, shown?: string): RuleAt => {
  const { table, frame, number, rule } = here;
  const origin = originOf(here, element);
  const told: Rule = {
    matches: [],
    target,
    nft: textOf(rule, table),
    ...(rule.comment !== undefined && { comment: rule.comment }),
    ...(origin && { origin }),
  };
  return {
    table: nftTableName(table),
    chain: frame.chain.name,
    number,
    rule: told,
    path: frame.path,
    ...(shown !== undefined && { element: shown }),
  };
};

/** What one rule does. */
type Outcome =
  | { readonly kind: 'next' }
  | { readonly kind: 'verdict'; readonly verdict: NftVerdict; readonly by?: Chosen }
  | { readonly kind: 'final'; readonly target: FinalTarget }
  /** `verdict`: what it does if its conditions hold, which nobody knows. */
  | { readonly kind: 'unmodelled'; readonly verdict?: NftVerdict };

/** The element of a verdict map that was found. */
interface Chosen {
  readonly element: NftElement;
  readonly text: string;
}

const NEXT: Outcome = { kind: 'next' };
const UNMODELLED: Outcome = { kind: 'unmodelled' };

const markAfter = (
  mark: number,
  { op, value }: Extract<NftStatement, { kind: 'mark' }>,
): number => {
  switch (op) {
    case 'set':
      return value >>> 0;
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

const find = (
  { on, map }: Extract<NftStatement, { kind: 'vmap' }>,
  context: NftContext,
): NftElement | 'unknown' | undefined => {
  const data = evaluate(on, context);
  if (data === undefined || data === 'unknown') return data;
  const elements = typeof map === 'string' ? (findNftSet(context.table, map)?.elements ?? []) : map;
  return lookUp(elements, data);
};

const destinationOf = (
  { on, map }: Extract<NftStatement, { kind: 'dnat-map' }>,
  context: NftContext,
): FinalTarget | 'unknown' | undefined => {
  const data = evaluate(on, context);
  if (data === undefined || data === 'unknown') return data;
  const found = map.find(({ key }) => key === data[0]);
  if (typeof data[0] !== 'number') return 'unknown';
  return found && { kind: 'DNAT', ip: found.to.ip, port: found.to.port };
};

/** nft_dynset_eval. @returns false when the packet has no such value */
const addToSet = (
  { set, key }: Extract<NftStatement, { kind: 'set-element' }>,
  context: NftContext,
): Answer => {
  const data = evaluate(key, context);
  if (data === undefined) return false;
  if (data === 'unknown') return data;
  const known = data.filter((datum) => typeof datum !== 'object');
  if (known.length < data.length || !context.added) return 'unknown';
  const name = addedName(context.table, set);
  const keys = context.added.get(name) ?? new Set();
  context.added.set(name, keys.add(nftKey(known)));
  return true;
};

const finalOf = (
  statement: Extract<NftStatement, { kind: 'reject' | 'dnat' | 'snat' | 'masquerade' }>,
): FinalTarget => {
  switch (statement.kind) {
    case 'reject':
      return { kind: 'REJECT', with: statement.with ?? 'icmp-port-unreachable' };
    case 'masquerade':
      return { kind: 'MASQUERADE', randomFully: statement.fullyRandom };
    case 'dnat':
    case 'snat': {
      const { ip, port } = statement.to;
      const kind = statement.kind === 'dnat' ? 'DNAT' : 'SNAT';
      return port === undefined ? { kind, ip } : { kind, ip, port };
    }
    default: {
      const never: never = statement;
      return never;
    }
  }
};

/**
 * Statements in order until one does not hold or decides. Where a condition is neither true nor
 * false, the rest is looked at for one that is false; what would then be done is not known.
 */
const runRule = (here: Here, context: Context, report: NftReport): Outcome => {
  const { table, frame, number, rule } = here;
  const { skb } = context;
  const seen: Writable<NftContext> = {
    skb,
    state: context.state,
    addrType: context.addrType,
    added: context.added,
    table,
    at: `${frame.chain.name} ${number}`,
    unsure: false,
    found: (element) => {
      here.member = element;
    },
  };
  if (context.chance) seen.chance = context.chance;
  for (const [place, statement] of rule.statements.entries()) {
    switch (statement.kind) {
      case 'match': {
        const answer = holds(statement.left, statement.right, statement.negate, seen);
        if (answer === false) return NEXT;
        if (answer === 'unknown') seen.unsure = true;
        break;
      }
      case 'counter':
        if (!seen.unsure) report.counted(frame.chain.name, number);
        break;
      case 'log':
        break;
      case 'mark': {
        const mark = markAfter(skb.mark, statement);
        if (seen.unsure && mark !== skb.mark) return UNMODELLED;
        skb.mark = mark;
        if (!seen.unsure) report.marked(at(here, markTarget(statement)), mark);
        break;
      }
      case 'set-element': {
        const answer = seen.unsure ? 'unknown' : addToSet(statement, seen);
        if (answer === 'unknown') return UNMODELLED;
        if (answer === false) return NEXT;
        break;
      }
      case 'vmap': {
        const element = find(statement, seen);
        if (element === undefined) return NEXT;
        if (element === 'unknown' || seen.unsure) return UNMODELLED;
        const { verdict } = element;
        if (!verdict) return UNMODELLED;
        const text = elementText(typesOf(statement.on), element);
        return { kind: 'verdict', verdict, by: { element, text } };
      }
      case 'verdict':
        if (seen.unsure && statement.verdict.kind !== 'continue')
          return { kind: 'unmodelled', verdict: statement.verdict };
        return { kind: 'verdict', verdict: statement.verdict };
      case 'reject':
      case 'masquerade':
      case 'dnat':
      case 'snat':
        return seen.unsure ? UNMODELLED : { kind: 'final', target: finalOf(statement) };
      case 'dnat-map': {
        const target = destinationOf(statement, seen);
        if (target === undefined) return NEXT;
        return seen.unsure || target === 'unknown' ? UNMODELLED : { kind: 'final', target };
      }
      case 'unmodelled':
        if (statement.watches) break;
        // A condition, if more comes after it.
        if (place === rule.statements.length - 1) return UNMODELLED;
        seen.unsure = true;
        break;
      default: {
        const never: never = statement;
        return never;
      }
    }
  }
  return NEXT;
};

const markTarget = ({ op, value }: Extract<NftStatement, { kind: 'mark' }>): Target => ({
  kind: 'MARK',
  op,
  value,
  mask: 0xffffffff,
});

const UNKNOWN_TARGET: Target = { kind: 'NONE' };

const VERDICT_TARGET = {
  accept: { kind: 'ACCEPT' },
  drop: { kind: 'DROP' },
  return: { kind: 'RETURN' },
} as const;

/** How far a walk has come, from where another one may go on. */
export interface Position {
  readonly frame: Frame | undefined;
  readonly stack: readonly Frame[];
}

/** Whether a walk goes on behind a rule that nobody can decide, as if it did not match. */
export type GoesOn = (verdict: NftVerdict, position: Position) => boolean;

/**
 * Walks on in a base chain and what it jumps to. Changes `context.skb.mark` and the sets that rules
 * add to; what a final verdict does is for the caller. `accept` ends this chain alone.
 * @param from is not changed
 */
export const walkFrom = (
  table: NftTable,
  start: NftChain,
  from: Position,
  context: Context,
  report: NftReport,
  goesOn: GoesOn,
): WalkEnd => {
  const stack = from.stack.map((one) => ({ ...one }));
  let frame = from.frame && { ...from.frame };
  while (frame) {
    const rule: NftRule | undefined = frame.chain.rules[frame.next];
    frame.next += 1;
    if (!rule) {
      frame = stack.pop();
      continue;
    }
    const here: Here = { table, frame, number: frame.next, rule, member: undefined };
    const outcome = runRule(here, context, report);
    switch (outcome.kind) {
      case 'next':
        break;
      case 'unmodelled':
        if (outcome.verdict && goesOn(outcome.verdict, { frame, stack })) break;
        return { kind: 'unmodelled', at: at(here, UNKNOWN_TARGET) };
      case 'final':
        return { kind: 'target', target: outcome.target, at: at(here, outcome.target) };
      case 'verdict': {
        const { verdict, by } = outcome;
        switch (verdict.kind) {
          case 'continue':
            break;
          case 'accept':
          case 'drop': {
            const target = VERDICT_TARGET[verdict.kind];
            return { kind: 'target', target, at: at(here, target, by?.element, by?.text) };
          }
          case 'return':
            report.returned(at(here, VERDICT_TARGET.return, by?.element, by?.text));
            frame = stack.pop();
            break;
          case 'jump':
          case 'goto': {
            const chain = findNftChain(table, verdict.chain);
            // nft loads no jump to nowhere.
            if (!chain) return { kind: 'unmodelled', at: at(here, verdict) };
            if (verdict.kind === 'jump') stack.push(frame);
            frame = {
              chain,
              next: 0,
              path: [...frame.path, { chain: frame.chain.name, number: here.number }],
              led: originOf(here, by?.element),
            };
            break;
          }
          default: {
            const never: never = verdict;
            throw new TypeError(`not a verdict: ${never}`);
          }
        }
        break;
      }
      default: {
        const never: never = outcome;
        throw new TypeError(`not an outcome: ${never}`);
      }
    }
  }
  const policy = start.base?.policy === 'drop' ? 'DROP' : 'ACCEPT';
  return { kind: 'policy', policy, chain: start.name };
};
