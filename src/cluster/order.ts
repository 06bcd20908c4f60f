/** The orders of everything that is handed out: by name, never by file. */

/** By UTF-16 code unit: the same on every machine, whatever its language. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const pieces = (name: string): string[] => name.match(/\d+|\D+/g) ?? [];

/** Numbers inside names count as numbers: node-2 before node-10. */
export const compareNatural = (a: string, b: string): number => {
  const left = pieces(a);
  const right = pieces(b);
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const x = left[at] ?? '';
    const y = right[at] ?? '';
    const numbers = /^\d/.test(x) && /^\d/.test(y);
    const order = numbers ? Number(x) - Number(y) : compareText(x, y);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareText(a, b);
};

/** Lexicographic: the first comparison that is not zero. */
export const compareKeys = (
  a: readonly (string | number)[],
  b: readonly (string | number)[],
): number => {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const x = a[at] ?? '';
    const y = b[at] ?? '';
    if (x < y) return -1;
    if (x > y) return 1;
  }
  return a.length - b.length;
};
