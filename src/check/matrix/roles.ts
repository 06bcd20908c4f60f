/** Peers that have the same row and the same column of the matrix: told once. */
import { NOTHING } from './allowed.ts';
import type { AllowedPorts, MatrixRow, MatrixView } from './matrix.ts';

export interface Role {
  /** Numbers of peers, ascending. */
  readonly peers: readonly number[];
  readonly isSource: boolean;
  readonly isDestination: boolean;
}

export interface RoleCell {
  /** Number of the other role. */
  readonly role: number;
  /** Of roles that may say anything to each other; one array for equal ports. */
  readonly allowed: readonly AllowedPorts[];
}

export interface Roles {
  /** In order of their first peers. */
  readonly roles: readonly Role[];
  /** What a Pod of a role may send to another one of each role, ascending. */
  row(from: number): readonly RoleCell[];
  /** What comes to a Pod of a role. */
  column(to: number): readonly RoleCell[];
}

/** What is not nothing of one row: a number of a destination, then that of the ports, and so on. */
type Cells = Int32Array;

const isSame = (a: Cells, b: Cells): boolean => {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
};

const hashOf = (cells: Cells): number => {
  // FNV-1a over the numbers.
  let hash = 0x811c9dc5;
  for (let at = 0; at < cells.length; at++)
    hash = Math.imul(hash ^ (cells[at] as number), 16777619);
  return hash;
};

/** Different rows, each once. */
interface Rows {
  readonly all: readonly Cells[];
  /** Index into `all`, by number of the peer; -1: no source. */
  readonly of: Int32Array;
  readonly ports: readonly (readonly AllowedPorts[])[];
}

/** More cells of different rows (some 300 MB) are not for the eye. */
const MOST_CELLS = 40_000_000;

const cellsOf = (
  { src, to, self }: MatrixRow,
  isDestination: Uint8Array,
  idOf: (allowed: readonly AllowedPorts[]) => number,
): Cells => {
  const cells: number[] = [];
  // Its own kind sees it as it sees its own kind.
  let own = isDestination[src] === 1 && self.length > 0;
  const addOwn = (): void => {
    if (own) cells.push(src, idOf(self));
    own = false;
  };
  for (const { dst, allowed } of to) {
    if (isDestination[dst] === 0 || dst === src) continue;
    if (dst > src) addOwn();
    cells.push(dst, idOf(allowed));
  }
  addOwn();
  return new Int32Array(cells);
};

const rowsOf = (view: MatrixView): Rows | undefined => {
  const { peers, sources, destinations } = view;
  const isDestination = new Uint8Array(peers.length);
  for (const peer of destinations) isDestination[peer] = 1;
  const ports: (readonly AllowedPorts[])[] = [];
  const ids = new Map<readonly AllowedPorts[], number>();
  const idOf = (allowed: readonly AllowedPorts[]): number => {
    let id = ids.get(allowed);
    if (id === undefined) {
      id = ports.length;
      ports.push(allowed);
      ids.set(allowed, id);
    }
    return id;
  };
  // A source of which no row is made sends nothing.
  const all: Cells[] = [new Int32Array(0)];
  const byHash = new Map<number, number[]>([[hashOf(all[0] as Cells), [0]]]);
  const of = new Int32Array(peers.length).fill(-1);
  for (const src of sources) of[src] = 0;
  let count = 0;
  for (const row of view.rows()) {
    const cells = cellsOf(row, isDestination, idOf);
    const hash = hashOf(cells);
    const bucket = byHash.get(hash) ?? [];
    byHash.set(hash, bucket);
    let number = bucket.find((at) => isSame(all[at] as Cells, cells));
    if (number === undefined) {
      number = all.length;
      all.push(cells);
      bucket.push(number);
      count += cells.length;
      if (count > MOST_CELLS) return undefined;
    }
    of[row.src] = number;
  }
  return { all, of, ports };
};

/** Destinations that no row tells apart get one number. */
const columnsOf = ({ peers, destinations }: MatrixView, { all }: Rows): Int32Array => {
  const kind = new Int32Array(peers.length).fill(-1);
  for (const peer of destinations) kind[peer] = 0;
  const sizes = [destinations.length];
  for (const cells of all) {
    // Those of one kind with one set of ports stay together; the others of the kind are left.
    const inside = new Map<string, number[]>();
    for (let at = 0; at < cells.length; at += 2) {
      const peer = cells[at] as number;
      const key = `${kind[peer]} ${cells[at + 1]}`;
      const members = inside.get(key);
      if (members) members.push(peer);
      else inside.set(key, [peer]);
    }
    for (const members of inside.values()) {
      const old = kind[members[0] as number] as number;
      if (members.length === sizes[old]) continue;
      for (const peer of members) kind[peer] = sizes.length;
      sizes[old] = (sizes[old] as number) - members.length;
      sizes.push(members.length);
    }
  }
  return kind;
};

/** @returns undefined where too many rows differ */
export const rolesOf = (view: MatrixView): Roles | undefined => {
  const rows = rowsOf(view);
  if (!rows) return undefined;
  const columns = columnsOf(view, rows);
  const drafts = new Map<string, { peers: number[]; row: number; column: number }>();
  const roleOf = new Int32Array(view.peers.length).fill(-1);
  const numbers = new Map<string, number>();
  for (const peer of view.peers.keys()) {
    const row = rows.of[peer] as number;
    const column = columns[peer] as number;
    if (row < 0 && column < 0) continue;
    const key = `${row} ${column}`;
    const draft = drafts.get(key);
    if (draft) draft.peers.push(peer);
    else {
      numbers.set(key, drafts.size);
      drafts.set(key, { peers: [peer], row, column });
    }
    roleOf[peer] = numbers.get(key) ?? -1;
  }
  const found = [...drafts.values()];
  const rowOf = (from: number): RoleCell[] => {
    const cells = rows.all[found[from]?.row ?? -1];
    const told = new Map<number, readonly AllowedPorts[]>();
    for (let at = 0; cells && at < cells.length; at += 2)
      told.set(
        roleOf[cells[at] as number] as number,
        rows.ports[cells[at + 1] as number] ?? NOTHING,
      );
    return [...told].map(([role, allowed]) => ({ role, allowed })).sort((a, b) => a.role - b.role);
  };
  const known = new Map<number, readonly RoleCell[]>();
  const row = (from: number): readonly RoleCell[] => {
    // Roles of one row share it.
    const key = found[from]?.row ?? -1;
    const cells = known.get(key) ?? rowOf(from);
    known.set(key, cells);
    return cells;
  };
  let byColumn: RoleCell[][] | undefined;
  const columnsByRole = (): RoleCell[][] => {
    const lists: RoleCell[][] = found.map(() => []);
    for (const from of found.keys())
      for (const { role, allowed } of row(from)) lists[role]?.push({ role: from, allowed });
    return lists;
  };
  return {
    roles: found.map(({ peers, row: of, column }) => ({
      peers,
      isSource: of >= 0,
      isDestination: column >= 0,
    })),
    row,
    column: (to) => {
      byColumn ??= columnsByRole();
      return byColumn[to] ?? [];
    },
  };
};
