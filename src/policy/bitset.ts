/** Sets of small numbers, 32 a word. All sets of one universe have the same length. */

export type Bitset = Uint32Array;

/** @param size one more than the largest number */
export const emptyBits = (size: number): Bitset => new Uint32Array((size + 31) >>> 5);

export const bitsOf = (size: number, members: Iterable<number>): Bitset => {
  const bits = emptyBits(size);
  for (const member of members) addBit(bits, member);
  return bits;
};

export const addBit = (bits: Bitset, member: number): void => {
  bits[member >>> 5] = (bits[member >>> 5] as number) | (1 << (member & 31));
};

export const hasBit = (bits: Bitset, member: number): boolean =>
  (((bits[member >>> 5] as number) >>> (member & 31)) & 1) === 1;

export const isEmptyBits = (bits: Bitset): boolean => bits.every((word) => word === 0);

export const andBits = (a: Bitset, b: Bitset): Bitset => {
  const bits = new Uint32Array(a.length);
  for (let at = 0; at < bits.length; at++) bits[at] = (a[at] as number) & (b[at] as number);
  return bits;
};

/** What is in `a` and not in `b`. */
export const andNotBits = (a: Bitset, b: Bitset): Bitset => {
  const bits = new Uint32Array(a.length);
  for (let at = 0; at < bits.length; at++) bits[at] = (a[at] as number) & ~(b[at] as number);
  return bits;
};

/** Adds `b` to `a`, in place. */
export const addBits = (a: Bitset, b: Bitset): void => {
  for (let at = 0; at < a.length; at++) a[at] = (a[at] as number) | (b[at] as number);
};

export const countBits = (bits: Bitset): number => {
  let count = 0;
  for (let word of bits) for (; word !== 0; word &= word - 1) count++;
  return count;
};

/** In ascending order. */
export const forEachBit = (bits: Bitset, visit: (member: number) => void): void => {
  for (let at = 0; at < bits.length; at++)
    for (let word = bits[at] as number; word !== 0; word &= word - 1)
      visit(at * 32 + 31 - Math.clz32(word & -word));
};

/** Equal sets become one object. */
export const createBitsetPool = (): ((bits: Bitset) => Bitset) => {
  const known = new Map<number, Bitset[]>();
  return (bits) => {
    let hash = 0x811c9dc5;
    for (const word of bits) hash = Math.imul(hash ^ word, 0x01000193);
    const same = known.get(hash);
    const found = same?.find((other) => other.every((word, at) => word === bits[at]));
    if (found) return found;
    if (same) same.push(bits);
    else known.set(hash, [bits]);
    return bits;
  };
};
