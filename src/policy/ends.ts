/** The universe of peers: every end of every vertex with a number, and what rules select as bitsets. */
import { addBits, type Bitset, bitsOf, createBitsetPool, emptyBits } from './bitset.ts';
import type { NamedPorts, Vertex } from './vertices.ts';
import type { RulePeers } from './vocabulary.ts';

export interface Ends {
  readonly count: number;
  /** The first end of each vertex; its others follow. */
  readonly firstOf: Int32Array;
  readonly everyone: Bitset;
  /** Those that rules certainly select, and those of which nobody knows. */
  peersOf(peers: RulePeers): { readonly certain: Bitset; readonly unknown: Bitset };
  /** Ends of Pods by what port names mean there; Pods without any of the names are left out. */
  readonly byNames: readonly { readonly named: NamedPorts; readonly bits: Bitset }[];
  /** Equal sets become one object. */
  readonly pool: (bits: Bitset) => Bitset;
}

const push = <K>(lists: Map<K, number[]>, key: K, value: number): void => {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
};

export const endsOf = (vertices: readonly Vertex[]): Ends => {
  const bySelection = new Map<number, number[]>();
  const byNode = new Map<number, number[]>();
  const byBlock = new Map<number, number[]>();
  const byNames = new Map<NamedPorts, number[]>();
  const outside: number[] = [];
  const firstOf = new Int32Array(vertices.length);
  let count = 0;
  for (const [index, { kind, selected, ends, named }] of vertices.entries()) {
    firstOf[index] = count;
    for (const end of ends) {
      const own = count++;
      if (kind !== 'block')
        for (const id of selected) push(kind === 'pod' ? bySelection : byNode, id, own);
      for (const id of end.blocks) push(byBlock, id, own);
      if (named.numbers.size > 0) push(byNames, named, own);
      if (kind !== 'pod') outside.push(own);
    }
  }
  const everyone = bitsOf(
    count,
    Array.from({ length: count }, (_, end) => end),
  );
  const none = emptyBits(count);
  const outsideBits = bitsOf(count, outside);
  return {
    count,
    firstOf,
    everyone,
    peersOf: ({ selections, blocks, nodes, names }) => {
      const certain = emptyBits(count);
      const add = (lists: Map<number, number[]>, ids: readonly number[]): void => {
        for (const id of ids) addBits(certain, bitsOf(count, lists.get(id) ?? []));
      };
      add(bySelection, selections);
      add(byBlock, blocks);
      add(byNode, nodes);
      const unknown = names === 'none' ? none : names === 'pods' ? everyone : outsideBits;
      return { certain, unknown };
    },
    byNames: [...byNames].map(([named, members]) => ({ named, bits: bitsOf(count, members) })),
    pool: createBitsetPool(),
  };
};
