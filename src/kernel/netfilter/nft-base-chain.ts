/** One packet through one base chain, where a rule that nobody can decide may make no difference. */
import type { NftChain, NftTable, NftVerdict } from './nft-table.ts';
import {
  type Context,
  type Frame,
  type GoesOn,
  type NftReport,
  type Position,
  walkFrom,
} from './nft-walk.ts';
import type { WalkEnd } from './walk.ts';

const SILENT: NftReport = {
  counted: () => undefined,
  marked: () => undefined,
  returned: () => undefined,
};

/** Where a verdict that leads into no other chain leaves the walk: its end, or where it goes on. */
const afterVerdict = (
  { kind }: NftVerdict,
  { stack }: Position,
): 'ACCEPT' | 'DROP' | Position | undefined => {
  switch (kind) {
    case 'accept':
      return 'ACCEPT';
    case 'drop':
      return 'DROP';
    case 'return':
      return { frame: stack.at(-1), stack: stack.slice(0, -1) };
    default:
      return undefined;
  }
};

/**
 * How every walk from here ends, whichever of the rules that nobody can decide match; undefined:
 * they end in several ways, or nobody can tell. Tells nobody, and changes nothing.
 */
const onlyEnd = (
  table: NftTable,
  start: NftChain,
  context: Context,
  from: 'ACCEPT' | 'DROP' | Position | undefined,
): string | undefined => {
  if (typeof from !== 'object') return from;
  const { skb, state, addrType } = context;
  const silent: Context = { skb: { ...skb }, state, addrType, added: undefined };
  const ends = new Set<string | undefined>();
  const end = walkFrom(table, start, from, silent, SILENT, (verdict, position) => {
    ends.add(onlyEnd(table, start, silent, afterVerdict(verdict, position)));
    return ends.size === 1 && !ends.has(undefined);
  });
  const { kind } = end;
  if (kind === 'unmodelled' || silent.skb.mark !== skb.mark) return undefined;
  ends.add(kind === 'policy' ? end.policy : end.target.kind);
  return ends.size === 1 ? [...ends][0] : undefined;
};

/**
 * Walks a base chain and what it jumps to: `walkFrom`, from its first rule.
 *
 * A rule that nobody can decide ends the walk only if it makes a difference.
 */
export const walkNft = (
  table: NftTable,
  start: NftChain,
  context: Context,
  report: NftReport,
): WalkEnd => {
  const first: Frame = { chain: start, next: 0, path: [], led: undefined };
  const goesOn: GoesOn = (verdict, position) => {
    const end = onlyEnd(table, start, context, afterVerdict(verdict, position));
    const isPlain = end === 'ACCEPT' || end === 'DROP';
    return isPlain && end === onlyEnd(table, start, context, position);
  };
  return walkFrom(table, start, { frame: first, stack: [] }, context, report, goesOn);
};
