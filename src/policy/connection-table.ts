/**
 * Every set of connections once, with a number: a cluster has few different ones, and all pairs are
 * counted in numbers.
 */
import {
  ALL_CONNECTIONS,
  type ConnectionSet,
  connectionText,
  differenceOf,
  intersectionOf,
  NO_CONNECTIONS,
  unionOf,
} from './connection-set.ts';

/** The numbers of the empty and of the full set. */
export const NONE = 0;
export const ALL = 1;

export interface ConnectionTable {
  idOf(set: ConnectionSet): number;
  /** The same object for the same number. */
  setOf(id: number): ConnectionSet;
  union(a: number, b: number): number;
  intersect(a: number, b: number): number;
  subtract(a: number, b: number): number;
}

/** More sets than one cluster can ever have: policies would have to name a port in each way. */
const LIMIT = 2 ** 26;
const LOW = 2048;

export const createConnectionTable = (): ConnectionTable => {
  const sets: ConnectionSet[] = [];
  const ids = new Map<string, number>();
  const idOf = (set: ConnectionSet): number => {
    const text = connectionText(set);
    let id = ids.get(text);
    if (id === undefined) {
      id = sets.length;
      sets.push(set);
      ids.set(text, id);
    }
    return id;
  };
  const setOf = (id: number): ConnectionSet => sets[id] ?? NO_CONNECTIONS;
  idOf(NO_CONNECTIONS);
  idOf(ALL_CONNECTIONS);

  const remembered = (
    operation: (a: ConnectionSet, b: ConnectionSet) => ConnectionSet,
  ): ((a: number, b: number) => number) => {
    // Nearly all sets of a cluster have low numbers; 0 is what was not asked before.
    const low = new Int32Array(LOW * LOW);
    const known = new Map<number, number>();
    const find = (a: number, b: number): number => idOf(operation(setOf(a), setOf(b)));
    return (a, b) => {
      if (a < LOW && b < LOW) {
        const at = a * LOW + b;
        const id = low[at] as number;
        if (id > 0) return id - 1;
        const found = find(a, b);
        low[at] = found + 1;
        return found;
      }
      const key = a * LIMIT + b;
      let id = known.get(key);
      if (id === undefined) {
        id = find(a, b);
        known.set(key, id);
      }
      return id;
    };
  };
  const unite = remembered(unionOf);
  const meet = remembered(intersectionOf);
  const cut = remembered(differenceOf);
  return {
    idOf,
    setOf,
    union: (a, b) =>
      a === b || b === NONE || a === ALL ? a : a === NONE || b === ALL ? b : unite(a, b),
    intersect: (a, b) =>
      a === b || b === ALL || a === NONE ? a : a === ALL || b === NONE ? b : meet(a, b),
    subtract: (a, b) => (b === NONE || a === NONE ? a : a === b || b === ALL ? NONE : cut(a, b)),
  };
};
