/** Which seeds a random test runs with. */
import process from 'node:process';

const named = process.env['K8SNET_SEED'];

/** Somebody asks for seeds of their own: what the usual ones have met is not to be counted. */
export const ownSeeds = named !== undefined;

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, n) => first + n);

/**
 * The first `count` seeds and those where a difference was found once, or those that `K8SNET_SEED`
 * names: one (`17`), or many (`31-400`).
 */
export const seedsOf = (count: number, found: readonly number[] = []): readonly number[] => {
  if (named === undefined) return [...range(1, count), ...found];
  const [first = 1, last = first] = named.split('-').map(Number);
  return range(first, last);
};
