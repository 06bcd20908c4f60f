/** What Pods of one controller have in common is held once: they differ in a few texts only. */

/** Whether two plain values are equal. Cheaper than making a key of either. */
const isEqual = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  let count = 0;
  for (const key in left) {
    if (!Object.hasOwn(right, key) || !isEqual(left[key], right[key])) return false;
    count++;
  }
  for (const _ in right) count--;
  return count === 0;
};

/** The known value where it equals the new one. Only for plain data that nobody changes. */
export const either = <Value>(known: Value | undefined, value: Value): Value =>
  known !== undefined && isEqual(known, value) ? known : value;

/** One of each of many texts, of which most come again and again. */
export const createTexts = (): ((text: string) => string) => {
  const texts = new Map<string, string>();
  return (text) => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
};
