/** Blocks of addresses outside, as few as tell apart what the peers may do with them. */
import type { AddressBlock, PolicyEngine } from '../../policy/policy-engine.ts';

/** Blocks that lie next to each other and fare alike: told as one. */
export interface BlockGroup {
  readonly id: string;
  /** First and last of the engine's blocks. */
  readonly first: number;
  readonly block: AddressBlock;
}

/** @param classes those that count */
export const groupBlocks = (
  { blocks, fromBlock, toBlock }: Pick<PolicyEngine, 'blocks' | 'fromBlock' | 'toBlock'>,
  classes: readonly number[],
): BlockGroup[] => {
  // Equal sets of one engine are one object.
  const alike = (a: number, b: number): boolean =>
    classes.every(
      (of) => fromBlock(a, of) === fromBlock(b, of) && toBlock(of, a) === toBlock(of, b),
    );
  const groups: BlockGroup[] = [];
  for (const [at, block] of blocks.entries()) {
    const last = groups.at(-1);
    const joins = last && last.block.family === block.family && alike(last.first, at);
    const whole = joins ? { ...block, from: last.block.from } : block;
    const group = {
      id: `ipblock:${whole.from}-${whole.to}`,
      first: joins ? last.first : at,
      block: whole,
    };
    if (joins) groups[groups.length - 1] = group;
    else groups.push(group);
  }
  return groups;
};
