/** Peers that have the same row and the same column of the matrix: told once. */
import { NOTHING } from './allowed.ts';
import type { AllowedPorts, MatrixView } from './matrix.ts';

export interface Role {
  /** Numbers of peers, ascending. */
  readonly peers: readonly number[];
  readonly isSource: boolean;
  readonly isDestination: boolean;
}

export interface Roles {
  /** In order of their first peers. */
  readonly roles: readonly Role[];
  /** What a Pod of one role may send to another one of the other; one array for equal ports. */
  cell(from: number, to: number): readonly AllowedPorts[];
}

/** Numbers in order of their first use, for equal lists of numbers. */
const numbering = (): ((list: Int32Array) => {
  readonly number: number;
  readonly isNew: boolean;
}) => {
  const known = new Map<number, { readonly list: Int32Array; readonly number: number }[]>();
  let next = 0;
  return (list) => {
    // FNV-1a over the numbers.
    let hash = 0x811c9dc5;
    for (const item of list) hash = Math.imul(hash ^ item, 0x01000193);
    const bucket = known.get(hash) ?? [];
    known.set(hash, bucket);
    const same = bucket.find(
      (other) =>
        other.list.length === list.length && other.list.every((item, at) => item === list[at]),
    );
    if (same) return { number: same.number, isNew: false };
    bucket.push({ list, number: next });
    return { number: next++, isNew: true };
  };
};

/** More cells of different rows than this (some 400 MB) are not for the eye. */
const MOST_CELLS = 100_000_000;

/** @returns undefined where too many rows differ */
export const rolesOf = (view: MatrixView): Roles | undefined => {
  const { peers, sources, destinations } = view;
  const columnOf = new Int32Array(peers.length).fill(-1);
  for (const [column, peer] of destinations.entries()) columnOf[peer] = column;
  const isSource = new Set(sources);

  const values: (readonly AllowedPorts[])[] = [NOTHING];
  const ids = new Map<readonly AllowedPorts[], number>([[NOTHING, 0]]);
  const idOf = (allowed: readonly AllowedPorts[]): number => {
    let id = ids.get(allowed);
    if (id === undefined) {
      id = values.length;
      values.push(allowed);
      ids.set(allowed, id);
    }
    return id;
  };

  const rows: Int32Array[] = [new Int32Array(destinations.length)];
  const rowNumber = numbering();
  rowNumber(rows[0] as Int32Array);
  const rowOf = new Int32Array(peers.length);
  for (const { src, to, self } of view.rows()) {
    const row = new Int32Array(destinations.length);
    for (const { dst, allowed } of to) {
      const column = columnOf[dst] as number;
      if (column >= 0) row[column] = idOf(allowed);
    }
    // Its own kind sees it as it sees its own kind.
    const own = columnOf[src] as number;
    if (own >= 0) row[own] = idOf(self);
    const { number, isNew } = rowNumber(row);
    rowOf[src] = number;
    if (!isNew) continue;
    rows.push(row);
    if (rows.length * destinations.length > MOST_CELLS) return undefined;
  }

  const columnNumber = numbering();
  const kindOfColumn = destinations.map((_, column) => {
    const kind = Int32Array.from(rows, (row) => row[column] as number);
    return columnNumber(kind).number;
  });
  const byKey = new Map<string, { peers: number[]; row: number; column: number }>();
  for (const peer of peers.keys()) {
    const column = columnOf[peer] as number;
    const row = isSource.has(peer) ? (rowOf[peer] as number) : -1;
    if (row < 0 && column < 0) continue;
    const key = `${row} ${column < 0 ? -1 : kindOfColumn[column]}`;
    const role = byKey.get(key);
    if (role) role.peers.push(peer);
    else byKey.set(key, { peers: [peer], row, column });
  }
  const found = [...byKey.values()];
  return {
    roles: found.map(({ peers: members, row, column }) => ({
      peers: members,
      isSource: row >= 0,
      isDestination: column >= 0,
    })),
    cell: (from, to) => {
      const row = rows[found[from]?.row ?? -1];
      const column = found[to]?.column ?? -1;
      return values[row?.[column] ?? 0] ?? NOTHING;
    },
  };
};
