/** Finds which of many selectors match a set of labels, without asking each of them. */
import { type Labels, matches, type Requirement, type Selector } from '../cluster/selector.ts';

/** Requirements and values in one order, so that equal selectors are one text. */
export const selectorKey = (selector: Selector): string =>
  JSON.stringify(
    selector.map(({ key, operator, values }) => [key, operator, ...[...values].sort()]).sort(),
  );

const bucketKeys = ({ key, values }: Requirement): string[] =>
  values.map((value) => `${key}\0${value}`);

/**
 * The indexes of the selectors that match, ascending. Labels that no selector can tell apart get
 * one and the same array.
 */
export const createSelectorIndex = (
  selectors: readonly Selector[],
): ((labels: Labels) => readonly number[]) => {
  const asked = [...new Set(selectors.flatMap((selector) => selector.map(({ key }) => key)))];
  const counts = new Map<string, number>();
  const listed = ({ operator }: Requirement): boolean => operator === 'In';
  for (const requirement of selectors.flat().filter(listed))
    for (const key of bucketKeys(requirement)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const weight = (requirement: Requirement): number =>
    bucketKeys(requirement).reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);

  // Each selector waits in the emptiest place in which its labels can be found.
  const buckets = new Map<string, number[]>();
  const always: number[] = [];
  for (const [index, selector] of selectors.entries()) {
    const best = selector
      .filter(listed)
      .reduce<Requirement | undefined>(
        (least, requirement) =>
          least === undefined || weight(requirement) < weight(least) ? requirement : least,
        undefined,
      );
    if (best === undefined) always.push(index);
    for (const key of best ? new Set(bucketKeys(best)) : []) {
      const bucket = buckets.get(key);
      if (bucket) bucket.push(index);
      else buckets.set(key, [index]);
    }
  }

  const byLabels = new Map<Labels, readonly number[]>();
  const byValues = new Map<string, readonly number[]>();
  const byResult = new Map<string, readonly number[]>();
  const find = (labels: Labels): readonly number[] => {
    const found = [...always];
    for (const key of asked)
      if (Object.hasOwn(labels, key)) found.push(...(buckets.get(`${key}\0${labels[key]}`) ?? []));
    const result = found
      .filter((index) => matches(selectors[index] as Selector, labels))
      .sort((a, b) => a - b);
    const key = result.join();
    const known = byResult.get(key) ?? result;
    byResult.set(key, known);
    return known;
  };
  return (labels) => {
    let result = byLabels.get(labels);
    if (result === undefined) {
      const values = asked.map((key) => (Object.hasOwn(labels, key) ? labels[key] : null));
      const key = JSON.stringify(values);
      result = byValues.get(key) ?? find(labels);
      byValues.set(key, result);
      byLabels.set(labels, result);
    }
    return result;
  };
};
