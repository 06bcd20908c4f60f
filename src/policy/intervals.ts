/** Sets of numbers as sorted intervals that do not touch: ports and addresses alike. */

export interface Interval<T> {
  readonly from: T;
  /** Inclusive. */
  readonly to: T;
}

export type Intervals<T> = readonly Interval<T>[];

export interface IntervalSets<T> {
  /** Any intervals, in any order, overlapping or not; an interval that ends before it begins is empty. */
  of(parts: Intervals<T>): Intervals<T>;
  union(a: Intervals<T>, b: Intervals<T>): Intervals<T>;
  intersect(a: Intervals<T>, b: Intervals<T>): Intervals<T>;
  /** What is in `a` and not in `b`. */
  subtract(a: Intervals<T>, b: Intervals<T>): Intervals<T>;
  contains(set: Intervals<T>, value: T): boolean;
  equal(a: Intervals<T>, b: Intervals<T>): boolean;
}

/**
 * The operations over one kind of number.
 * @param step the number beside one: `step(value, 1)` behind it, `step(value, -1)` before it
 */
export const intervalSets = <T extends number | bigint>(
  step: (value: T, by: 1 | -1) => T,
): IntervalSets<T> => {
  const of = (parts: Intervals<T>): Intervals<T> => {
    const sorted = parts
      .filter(({ from, to }) => from <= to)
      .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
    const set: Interval<T>[] = [];
    for (const part of sorted) {
      const last = set.at(-1);
      if (last === undefined || part.from > step(last.to, 1)) set.push(part);
      else if (part.to > last.to) set[set.length - 1] = { from: last.from, to: part.to };
    }
    return set;
  };

  const intersect = (a: Intervals<T>, b: Intervals<T>): Intervals<T> => {
    const set: Interval<T>[] = [];
    for (let i = 0, j = 0; i < a.length && j < b.length; ) {
      const [x, y] = [a[i] as Interval<T>, b[j] as Interval<T>];
      const from = x.from > y.from ? x.from : y.from;
      const to = x.to < y.to ? x.to : y.to;
      if (from <= to) set.push({ from, to });
      if (x.to < y.to) i++;
      else j++;
    }
    return set;
  };

  const subtract = (a: Intervals<T>, b: Intervals<T>): Intervals<T> => {
    const set: Interval<T>[] = [];
    let j = 0;
    for (const { from, to } of a) {
      let start = from;
      while (j < b.length && (b[j] as Interval<T>).to < start) j++;
      // An interval of b may reach into the next one of a: it is looked at again there.
      for (let k = j; k < b.length && (b[k] as Interval<T>).from <= to; k++) {
        const cut = b[k] as Interval<T>;
        if (cut.from > start) set.push({ from: start, to: step(cut.from, -1) });
        start = step(cut.to, 1);
        if (start > to) break;
      }
      if (start <= to) set.push({ from: start, to });
    }
    return set;
  };

  return {
    of,
    union: (a, b) => (a.length === 0 ? b : b.length === 0 ? a : of([...a, ...b])),
    intersect,
    subtract,
    contains: (set, value) => set.some(({ from, to }) => from <= value && value <= to),
    equal: (a, b) =>
      a.length === b.length &&
      a.every(({ from, to }, at) => from === b[at]?.from && to === b[at]?.to),
  };
};
