/** Blocks of addresses of two matrices, cut at the edges of both: what can be compared. */
import { compareText } from '../../cluster/order.ts';
import { addressNumber, addressText, type Family, familyOf } from '../../policy/address-set.ts';
import type { Interval } from '../../policy/intervals.ts';
import type { Matrix } from '../matrix/matrix.ts';

const BLOCK = 'ipblock:';

export interface Block extends Interval<bigint> {
  readonly family: Family;
}

/** `ipblock:FIRST-LAST`; undefined: another peer. */
export const blockOf = (id: string): Block | undefined => {
  if (!id.startsWith(BLOCK)) return undefined;
  const [first = '', last = first] = id.slice(BLOCK.length).split('-');
  return { family: familyOf(first), from: addressNumber(first), to: addressNumber(last) };
};

export const blockId = ({ family, from, to }: Block): string =>
  `${BLOCK}${addressText(family, from)}-${addressText(family, to)}`;

const compareBig = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

export const compareBlocks = (a: Block, b: Block): number =>
  a.family - b.family || compareBig(a.from, b.from) || compareBig(a.to, b.to);

/** By name, blocks behind the others in order of address. */
export const compareIds = (a: string, b: string): number => {
  const [x, y] = [blockOf(a), blockOf(b)];
  if (x && y) return compareBlocks(x, y);
  if (x || y) return x ? 1 : -1;
  return compareText(a, b);
};

/** An interval that lies in one block of each side, as far as a side has one there. */
export interface Atom extends Block {
  readonly base?: string | undefined;
  readonly head?: string | undefined;
}

interface Placed {
  readonly id: string;
  readonly block: Block;
}

const blocksOf = ({ peers }: Pick<Matrix, 'peers'>, family: Family): Placed[] =>
  peers
    .flatMap(({ id }) => {
      const block = blockOf(id);
      return block?.family === family ? [{ id, block }] : [];
    })
    .sort((a, b) => compareBlocks(a.block, b.block));

/**
 * Cuts the blocks of one family at the edges of both sides. Blocks of one side do not overlap.
 * @returns in order of address; what neither side has is left out
 */
export const atomsOf = (
  base: Pick<Matrix, 'peers'>,
  head: Pick<Matrix, 'peers'>,
  family: Family,
): Atom[] => {
  const sides = [blocksOf(base, family), blocksOf(head, family)] as const;
  const edges = [...new Set(sides.flat().flatMap(({ block }) => [block.from, block.to + 1n]))].sort(
    compareBig,
  );
  const at = [0, 0];
  /** The block of a side that holds an address; asked with rising ones. */
  const holding = (side: 0 | 1, value: bigint): string | undefined => {
    const blocks = sides[side];
    let next = at[side] ?? 0;
    while ((blocks[next]?.block.to ?? value) < value) next++;
    at[side] = next;
    const found = blocks[next];
    return found && found.block.from <= value ? found.id : undefined;
  };
  return edges.flatMap((from, index) => {
    const end = edges[index + 1];
    if (end === undefined) return [];
    const [was, is] = [holding(0, from), holding(1, from)];
    return was === undefined && is === undefined
      ? []
      : [{ family, from, to: end - 1n, base: was, head: is }];
  });
};
