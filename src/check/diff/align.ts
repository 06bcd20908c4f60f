/** Two lists side by side: what is the same, and what stands in place of what. */

export interface Aligned<Item> {
  readonly base?: Item;
  readonly head?: Item;
  readonly same: boolean;
}

/** Lengths of the longest common subsequences of the tails that start at each pair of items. */
const tailsOf = (a: readonly string[], b: readonly string[]): Uint32Array[] => {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = rows[i] as Uint32Array;
      const below = rows[i + 1] as Uint32Array;
      row[j] =
        a[i] === b[j]
          ? (below[j + 1] as number) + 1
          : Math.max(below[j] as number, row[j + 1] as number);
    }
  return rows;
};

/** Between two items that are the same: those of one kind stand side by side, in order. */
const besides = <Item>(
  base: readonly Item[],
  head: readonly Item[],
  kindOf: (item: Item) => string,
): Aligned<Item>[] => {
  const found: Aligned<Item>[] = [];
  let next = 0;
  for (const was of base) {
    const at = head.findIndex((is, index) => index >= next && kindOf(is) === kindOf(was));
    if (at < 0) {
      found.push({ base: was, same: false });
      continue;
    }
    found.push(...head.slice(next, at).map((is) => ({ head: is, same: false })));
    found.push({ base: was, head: head[at] as Item, same: false });
    next = at + 1;
  }
  return [...found, ...head.slice(next).map((is) => ({ head: is, same: false }))];
};

/**
 * Aligns by the longest common subsequence.
 * @param keyOf equal keys: the same
 * @param kindOf of two items that differ: whether one may stand in place of the other
 */
export const align = <Item>(
  base: readonly Item[],
  head: readonly Item[],
  keyOf: (item: Item, side: 'base' | 'head') => string,
  kindOf: (item: Item) => string,
): Aligned<Item>[] => {
  const a = base.map((item) => keyOf(item, 'base'));
  const b = head.map((item) => keyOf(item, 'head'));
  const tails = tailsOf(a, b);
  const found: Aligned<Item>[] = [];
  let [left, right]: [Item[], Item[]] = [[], []];
  const settle = (): void => {
    found.push(...besides(left, right, kindOf));
    [left, right] = [[], []];
  };
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      settle();
      found.push({ base: base[i++] as Item, head: head[j++] as Item, same: true });
    } else if (j >= b.length || (tails[i + 1]?.[j] ?? -1) >= (tails[i]?.[j + 1] ?? 0))
      left.push(base[i++] as Item);
    else right.push(head[j++] as Item);
  }
  settle();
  return found;
};
