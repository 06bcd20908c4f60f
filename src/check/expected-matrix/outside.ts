/** Addresses outside the cluster, as parts of the engine's blocks. */
import { addressNumber, addressSets, addressText, type Family } from '../../policy/address-set.ts';
import type { Interval, Intervals } from '../../policy/intervals.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';

/** Indexes of the engine's blocks, and what of each is meant. */
export type Outside = ReadonlyMap<number, Intervals<bigint>>;

type Blocks = Pick<PolicyEngine, 'blocks'>;

const wholeOf = ({ from, to }: { from: string; to: string }): Interval<bigint> => ({
  from: addressNumber(from),
  to: addressNumber(to),
});

export const NOWHERE: Outside = new Map();

export const everywhere = ({ blocks }: Blocks): Outside =>
  new Map(blocks.map((block, at) => [at, [wholeOf(block)]]));

/** What of a range each block has. */
export const within = ({ blocks }: Blocks, family: Family, range: Interval<bigint>): Outside =>
  new Map(
    blocks.flatMap((block, at) => {
      const part = block.family === family ? addressSets.intersect([wholeOf(block)], [range]) : [];
      return part.length > 0 ? [[at, part] as const] : [];
    }),
  );

/** What is in the first and in none of the others. */
export const without = (all: Outside, ...taken: readonly Outside[]): Outside =>
  new Map(
    [...all].flatMap(([at, ranges]) => {
      const rest = taken.reduce(
        (left, one) => addressSets.subtract(left, one.get(at) ?? []),
        ranges,
      );
      return rest.length > 0 ? [[at, rest] as const] : [];
    }),
  );

/** As people name them: `external` for all addresses, else ranges as long as they go. */
export const outsideText = (
  parts: readonly (readonly [number, Intervals<bigint>])[],
  engine: Blocks,
): string => {
  const { blocks } = engine;
  const texts = ([4, 6] as const).flatMap((family) => {
    const rangesOf = (list: readonly (readonly [number, Intervals<bigint>])[]) =>
      addressSets.of(list.flatMap(([at, ranges]) => (blocks[at]?.family === family ? ranges : [])));
    const meant = rangesOf(parts);
    const isAll = addressSets.equal(meant, rangesOf([...everywhere(engine)]));
    return meant.map(({ from, to }) => ({
      isAll,
      text:
        from === to
          ? addressText(family, from)
          : `${addressText(family, from)}-${addressText(family, to)}`,
    }));
  });
  const families = new Set(blocks.map(({ family }) => family)).size;
  const meantFamilies = new Set(parts.map(([at]) => blocks[at]?.family)).size;
  if (meantFamilies === families && texts.every(({ isAll }) => isAll)) return 'external';
  return texts.map(({ text }) => text).join(', ');
};
