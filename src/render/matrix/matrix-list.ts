/** A matrix as a list: what each source may send, or what comes to each destination. */
import type { AllowedPorts } from '../../check/matrix/matrix.ts';
import { portsText } from '../ports-text.ts';
import { columns, pad, wrap } from '../width.ts';
import { type MatrixForm, NOTHING, namesFor, type ShownMatrix } from './form.ts';

interface Line {
  readonly allowed: readonly AllowedPorts[];
  /** Numbers of peers; undefined: all that are not named before. */
  readonly others: readonly number[] | undefined;
  /** Whether others were named before. */
  readonly isRest: boolean;
}

interface Entry {
  /** Numbers of the peers that have these lines in common. */
  readonly peers: readonly number[];
  readonly lines: readonly Line[];
}

type Side = 'from' | 'to';

/** Fewer are named one by one. */
const FEW = 3;

/**
 * Equal ports together; what most have is told last, and nothing is not told where most have it.
 *
 * @param silent how many have nothing, and who they are
 */
const linesOf = (
  byPorts: ReadonlyMap<readonly AllowedPorts[], readonly number[]>,
  silent: number,
  who: () => readonly number[],
): Line[] => {
  const all = [...byPorts].sort(([, a], [, b]) => a.length - b.length);
  const name = ([allowed, others]: readonly [
    readonly AllowedPorts[],
    readonly number[],
  ]): Line => ({
    allowed,
    others,
    isRest: false,
  });
  const most = all.at(-1);
  if (!most) return [];
  const [allowed, peers] = most;
  const hasOthers = all.length > 1 || silent > 0;
  if (silent >= peers.length || (hasOthers && peers.length < FEW)) return all.map(name);
  return [
    ...all.slice(0, -1).map(name),
    ...(silent > 0 ? [name([NOTHING, who()])] : []),
    { allowed, others: undefined, isRest: hasOthers },
  ];
};

const entriesOf = ({ roles }: ShownMatrix, side: Side): Entry[] => {
  const { roles: all } = roles;
  const [ownSide, otherSide] =
    side === 'from'
      ? (['isSource', 'isDestination'] as const)
      : (['isDestination', 'isSource'] as const);
  const cellsOf = (role: number) => (side === 'from' ? roles.row(role) : roles.column(role));
  const ids = new Map<readonly AllowedPorts[], number>();
  const idOf = (allowed: readonly AllowedPorts[]): number => {
    const id = ids.get(allowed) ?? ids.size;
    ids.set(allowed, id);
    return id;
  };
  const groups = new Map<string, number[]>();
  for (const [role, { [ownSide]: isOwn }] of all.entries()) {
    if (!isOwn) continue;
    const key = cellsOf(role)
      .map((cell) => `${cell.role}:${idOf(cell.allowed)}`)
      .join();
    const group = groups.get(key);
    if (group) group.push(role);
    else groups.set(key, [role]);
  }
  const others = all.flatMap((role) => (role[otherSide] ? role.peers : [])).sort((a, b) => a - b);
  return [...groups.values()].map((members) => {
    const peers = members.flatMap((role) => all[role]?.peers ?? []).sort((a, b) => a - b);
    // A peer alone is no peer of itself.
    const isOther = (peer: number): boolean => peers.length > 1 || peer !== peers[0];
    const byPorts = new Map<readonly AllowedPorts[], number[]>();
    const told = new Set<number>();
    for (const { role, allowed } of cellsOf(members[0] ?? -1)) {
      const there = (all[role]?.peers ?? []).filter(isOther);
      for (const peer of there) told.add(peer);
      const list = byPorts.get(allowed);
      if (list) list.push(...there);
      else if (there.length > 0) byPorts.set(allowed, [...there]);
    }
    for (const list of byPorts.values()) list.sort((a, b) => a - b);
    const count = others.length - (others.some((peer) => !isOther(peer)) ? 1 : 0);
    return {
      peers,
      lines: linesOf(byPorts, count - told.size, () =>
        others.filter((peer) => isOther(peer) && !told.has(peer)),
      ),
    };
  });
};

const sizeOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, { lines }) => sum + 1 + lines.length, 0);

const INDENT = 2;
const GAP = 2;
const WIDEST_PORTS = 26;

/** The side that needs fewer lines. */
export const matrixList = (matrix: ShownMatrix, form: MatrixForm): string[] => {
  const { style, width, words } = form;
  const sides = (['from', 'to'] as const).map((side) => ({
    side,
    entries: entriesOf(matrix, side),
  }));
  const [bySource, byDestination] = sides as [(typeof sides)[number], (typeof sides)[number]];
  const { side, entries } =
    sizeOf(byDestination.entries) < sizeOf(bySource.entries) ? byDestination : bySource;
  const names = namesFor(matrix, form);
  const head = side === 'from' ? words.fromHead : words.toHead;
  const toward = side === 'from' ? words.to : words.from;
  const texts = entries.flatMap(({ lines }) =>
    lines.map(({ allowed }) => portsText(allowed, words)),
  );
  const room = Math.min(WIDEST_PORTS, Math.max(0, ...texts.map(columns)));
  const before = INDENT + room + GAP;
  const lines: string[] = [];
  for (const entry of entries) {
    const titles = wrap(names.of(entry.peers), width - head.length - 1);
    lines.push(
      ...titles.map(
        (line, at) =>
          `${at === 0 ? style.label(head) : ' '.repeat(head.length)} ${style.place(line)}`,
      ),
    );
    if (entry.lines.length === 0) lines.push(`${' '.repeat(INDENT)}${style.faint(words.nothing)}`);
    for (const { allowed, others, isRest } of entry.lines) {
      const ports = wrap(portsText(allowed, words), room);
      const named = others ? names.of(others) : isRest ? words.everythingElse : words.everything;
      const who = wrap(`${toward} ${named}`, Math.max(20, width - before));
      for (let at = 0; at < Math.max(ports.length, who.length); at++) {
        const text = pad(ports[at] ?? '', room);
        const paint = allowed.length === 0 ? style.faint : style.good;
        lines.push(
          `${' '.repeat(INDENT)}${paint(text)}${' '.repeat(GAP)}${who[at] ?? ''}`.trimEnd(),
        );
      }
    }
  }
  return lines;
};
