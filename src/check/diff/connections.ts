/** Two matrices held against each other: what opened, closed, changed, came and went. */
import {
  type ConnectionSet,
  differenceOf,
  isEmpty,
  isEqual,
  NO_CONNECTIONS,
} from '../../policy/connection-set.ts';
import { allowedPortsOf } from '../matrix/allowed.ts';
import type { Matrix, MatrixConnection } from '../matrix/matrix.ts';
import { connectionSetOf } from './allowed-ports.ts';
import { type Atom, atomsOf, type Block, blockId, blockOf, compareIds } from './block.ts';
import type { BareChange, ConnectionChangeKind } from './change.ts';

type Compared = Pick<Matrix, 'peers' | 'connections'>;

export interface ComparedConnections {
  /** In order of (src, dst). */
  readonly changes: readonly BareChange[];
  /** Pairs between which the same is allowed on both sides, and not nothing. */
  readonly unchanged: number;
  /** Only one side has blocks of the family (IPv6): they are not compared. */
  readonly oneSided: readonly { readonly family: 4 | 6; readonly side: 'base' | 'head' }[];
}

/** What each side allows between the same two peers. */
interface Pair {
  readonly src: string;
  readonly dst: string;
  base: ConnectionSet;
  head: ConnectionSet;
}

/** One connection of a side with a block: by the other end and the direction. */
interface Outside {
  readonly peer: string;
  readonly direction: 'from' | 'to';
  readonly base: Map<string, ConnectionSet>;
  readonly head: Map<string, ConnectionSet>;
}

type Side = 'base' | 'head';

/** Connections of both sides by who they are between; ids are those of HEAD. */
const gather = (
  sides: Readonly<Record<Side, Compared>>,
  nameOf: (side: Side, id: string) => string,
): { pairs: Pair[]; outside: Outside[] } => {
  const pairs = new Map<string, Pair>();
  const outside = new Map<string, Outside>();
  const addOutside = (side: Side, block: string, peer: string, one: MatrixConnection): void => {
    const direction = one.src === block ? 'from' : 'to';
    const key = `${direction} ${peer}`;
    const known = outside.get(key) ?? { peer, direction, base: new Map(), head: new Map() };
    outside.set(key, known);
    known[side].set(block, connectionSetOf(one.allowed));
  };
  for (const side of ['base', 'head'] as const)
    for (const one of sides[side].connections) {
      const [src, dst] = [nameOf(side, one.src), nameOf(side, one.dst)];
      if (blockOf(one.src)) addOutside(side, one.src, dst, one);
      else if (blockOf(one.dst)) addOutside(side, one.dst, src, one);
      else {
        const key = `${src} ${dst}`;
        const pair = pairs.get(key) ?? { src, dst, base: NO_CONNECTIONS, head: NO_CONNECTIONS };
        pairs.set(key, pair);
        pair[side] = connectionSetOf(one.allowed);
      }
    }
  return { pairs: [...pairs.values()], outside: [...outside.values()] };
};

/** Neighbouring atoms of which both sides say the same are one block again. */
const pairsOutside = (
  { peer, direction, base, head }: Outside,
  atoms: readonly Atom[],
  atomsIn: Readonly<Record<Side, ReadonlyMap<string, readonly number[]>>>,
): Pair[] => {
  const concerned = new Set<number>();
  for (const id of base.keys()) for (const at of atomsIn.base.get(id) ?? []) concerned.add(at);
  for (const id of head.keys()) for (const at of atomsIn.head.get(id) ?? []) concerned.add(at);
  const joined: { block: Block; base: ConnectionSet; head: ConnectionSet }[] = [];
  for (const at of [...concerned].sort((a, b) => a - b)) {
    const atom = atoms[at];
    if (!atom) continue;
    const was = base.get(atom.base ?? '') ?? NO_CONNECTIONS;
    const is = head.get(atom.head ?? '') ?? NO_CONNECTIONS;
    const last = joined.at(-1);
    if (
      last &&
      last.block.family === atom.family &&
      last.block.to + 1n === atom.from &&
      isEqual(last.base, was) &&
      isEqual(last.head, is)
    )
      last.block = { ...last.block, to: atom.to };
    else {
      const { family, from, to } = atom;
      joined.push({ block: { family, from, to }, base: was, head: is });
    }
  }
  return joined.map(({ block, ...sets }) =>
    direction === 'from'
      ? { src: blockId(block), dst: peer, ...sets }
      : { src: peer, dst: blockId(block), ...sets },
  );
};

const byBlock = (atoms: readonly Atom[], side: Side): Map<string, number[]> => {
  const found = new Map<string, number[]>();
  for (const [at, atom] of atoms.entries()) {
    const id = atom[side];
    if (id === undefined) continue;
    const known = found.get(id);
    if (known) known.push(at);
    else found.set(id, [at]);
  }
  return found;
};

const kindOf = (
  { src, dst, base, head }: Pair,
  isOn: (side: Side, id: string) => boolean,
): ConnectionChangeKind => {
  if (!isOn('base', src) || !isOn('base', dst)) return 'added';
  if (!isOn('head', src) || !isOn('head', dst)) return 'removed';
  if (isEmpty(base)) return 'opened';
  return isEmpty(head) ? 'closed' : 'changed';
};

/** Of an Ingress whose controller nobody sees: it is there, whether anything needs it or not. */
const isAlwaysThere = (id: string): boolean => id.startsWith('{') || blockOf(id) !== undefined;

/**
 * Compares what two matrices allow, by sets of ports and by addresses, never by text.
 * @param renamed ids of BASE that are another id on HEAD
 */
export const compareConnections = (
  base: Compared,
  head: Compared,
  renamed: ReadonlyMap<string, string> = new Map(),
): ComparedConnections => {
  const sides = { base, head };
  const nameOf = (side: Side, id: string): string =>
    side === 'base' ? (renamed.get(id) ?? id) : id;
  const ids = {
    base: new Set(base.peers.map(({ id }) => nameOf('base', id))),
    head: new Set(head.peers.map(({ id }) => id)),
  };
  const isOn = (side: Side, id: string): boolean => isAlwaysThere(id) || ids[side].has(id);
  const { pairs, outside } = gather(sides, nameOf);

  const oneSided: { family: 4 | 6; side: Side }[] = [];
  const atoms = ([4, 6] as const).flatMap((family) => {
    const found = atomsOf(base, head, family);
    const inBase = found.some((atom) => atom.base !== undefined);
    const inHead = found.some((atom) => atom.head !== undefined);
    if (inBase === inHead) return found;
    oneSided.push({ family, side: inBase ? 'base' : 'head' });
    return [];
  });
  // An address that one side knows as somebody's own is in no block there.
  const comparable = atoms.filter((atom) => atom.base !== undefined && atom.head !== undefined);
  const atomsIn = { base: byBlock(comparable, 'base'), head: byBlock(comparable, 'head') };
  const all = [...pairs, ...outside.flatMap((one) => pairsOutside(one, comparable, atomsIn))];

  const changes = all
    .filter((pair) => !isEqual(pair.base, pair.head))
    .map(
      (pair): BareChange => ({
        change: kindOf(pair, isOn),
        src: pair.src,
        dst: pair.dst,
        base: allowedPortsOf(pair.base),
        head: allowedPortsOf(pair.head),
        opened: allowedPortsOf(differenceOf(pair.head, pair.base)),
        closed: allowedPortsOf(differenceOf(pair.base, pair.head)),
      }),
    )
    .sort((a, b) => compareIds(a.src, b.src) || compareIds(a.dst, b.dst));
  return { changes, unchanged: all.length - changes.length, oneSided };
};
