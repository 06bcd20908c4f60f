/** A matrix as a list: what each source may send, or what comes to each destination. */
import type { AllowedPorts } from '../../check/matrix/matrix.ts';
import { columns, pad, wrap } from '../width.ts';
import { type MatrixForm, namesOf, type ShownMatrix } from './form.ts';
import { portsText } from './ports-text.ts';

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

/** Equal ports together; what most have is told last, and nothing is not told where most have it. */
const linesOf = (byPorts: ReadonlyMap<readonly AllowedPorts[], readonly number[]>): Line[] => {
  const all = [...byPorts].sort(([, a], [, b]) => a.length - b.length);
  const [most, others] = [all.at(-1), all.slice(0, -1)];
  if (!most) return [];
  const [allowed, peers] = most;
  const name = ([ports, named]: (typeof all)[number]): Line => ({
    allowed: ports,
    others: named,
    isRest: false,
  });
  const something = all.filter(([ports]) => ports.length > 0).map(name);
  if (allowed.length === 0) return something;
  if (others.length > 0 && peers.length < FEW) return something;
  return [...others.map(name), { allowed, others: undefined, isRest: others.length > 0 }];
};

const entriesOf = ({ roles }: ShownMatrix, side: Side): Entry[] => {
  const { roles: all, cell } = roles;
  const own = all.flatMap((role, at) =>
    (side === 'from' ? role.isSource : role.isDestination) ? [at] : [],
  );
  const other = all.flatMap((role, at) =>
    (side === 'from' ? role.isDestination : role.isSource) ? [at] : [],
  );
  const at = (a: number, b: number) => (side === 'from' ? cell(a, b) : cell(b, a));
  const ids = new Map<readonly AllowedPorts[], number>();
  const idOf = (allowed: readonly AllowedPorts[]): number => {
    const id = ids.get(allowed) ?? ids.size;
    ids.set(allowed, id);
    return id;
  };
  const groups = new Map<string, number[]>();
  for (const role of own) {
    const key = other.map((one) => idOf(at(role, one))).join();
    const group = groups.get(key);
    if (group) group.push(role);
    else groups.set(key, [role]);
  }
  return [...groups.values()].map((members) => {
    const [first = 0] = members;
    const peers = members.flatMap((role) => all[role]?.peers ?? []).sort((a, b) => a - b);
    const byPorts = new Map<readonly AllowedPorts[], number[]>();
    for (const role of other) {
      const there = (all[role]?.peers ?? []).filter(
        (peer) => peers.length > 1 || peer !== peers[0],
      );
      if (there.length === 0) continue;
      const allowed = at(first, role);
      byPorts.set(allowed, [...(byPorts.get(allowed) ?? []), ...there]);
    }
    for (const list of byPorts.values()) list.sort((a, b) => a - b);
    return { peers, lines: linesOf(byPorts) };
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
  const head = side === 'from' ? words.fromHead : words.toHead;
  const toward = side === 'from' ? words.to : words.from;
  const texts = entries.flatMap(({ lines }) =>
    lines.map(({ allowed }) => portsText(allowed, words)),
  );
  const room = Math.min(WIDEST_PORTS, Math.max(0, ...texts.map(columns)));
  const before = INDENT + room + GAP;
  const lines: string[] = [];
  for (const entry of entries) {
    const names = wrap(namesOf(matrix, entry.peers, form), width - head.length - 1);
    lines.push(
      ...names.map(
        (line, at) =>
          `${at === 0 ? style.label(head) : ' '.repeat(head.length)} ${style.place(line)}`,
      ),
    );
    if (entry.lines.length === 0) lines.push(`${' '.repeat(INDENT)}${style.faint(words.nothing)}`);
    for (const { allowed, others, isRest } of entry.lines) {
      const ports = wrap(portsText(allowed, words), room);
      const named = others
        ? namesOf(matrix, others, form)
        : isRest
          ? words.everythingElse
          : words.everything;
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
