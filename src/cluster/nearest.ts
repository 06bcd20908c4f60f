/** "Did you mean …?" */
import { compareText } from './order.ts';

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
const editDistance = (a: string, b: string, limit: number): number => {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let best = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      current.push(cost);
      best = Math.min(best, cost);
    }
    if (best > limit) return limit + 1;
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? limit + 1;
};

/** Two letters are in many words by chance. */
const contains = (whole: string, part: string): boolean => part.length >= 3 && whole.includes(part);

/**
 * The names that a person may have meant, best first, at most `most`: those a third of whose
 * letters or fewer are wrong, and those that contain what was typed.
 */
export const nearest = (typed: string, names: Iterable<string>, most = 3): string[] => {
  const wanted = typed.toLowerCase();
  const limit = Math.max(1, Math.floor(typed.length / 3));
  const found = new Map<string, number>();
  for (const name of names) {
    const candidate = name.toLowerCase();
    const distance = editDistance(wanted, candidate, limit);
    if (distance <= limit) found.set(name, distance);
    else if (contains(candidate, wanted) || contains(wanted, candidate)) found.set(name, limit + 1);
  }
  return [...found]
    .sort(([a, x], [b, y]) => x - y || compareText(a, b))
    .slice(0, most)
    .map(([name]) => name);
};

/** `["a", "b"]` → `Did you mean a or b?`; undefined for no names. */
export const didYouMean = (names: readonly string[]): string | undefined =>
  names.length === 0
    ? undefined
    : `Did you mean ${names.slice(0, -1).join(', ')}${names.length > 1 ? ' or ' : ''}${names.at(-1)}?`;
