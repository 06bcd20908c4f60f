/** Two paths side by side, or one below the other where the line is short. */
import type { PathDiff, PathRow } from '../../check/diff/path-diff.ts';
import type { DiffWords } from '../../explain/diff-words.ts';
import { harmless } from '../harmless.ts';
import type { Style } from '../style.ts';
import { pad, wrap } from '../width.ts';

const INDENT: Readonly<Record<PathRow['kind'], number>> = {
  name: 0,
  way: 0,
  leg: 0,
  hop: 2,
  step: 4,
};

/** So many lines around a difference are shown; more than that are counted. */
const CONTEXT = 2;

/** Rows that are not shown; on one side only, where it is named. */
export interface FoldedRows {
  readonly folded: number;
  readonly side?: 'base' | 'head';
}

export type ShownRow = PathRow | FoldedRows;

const sideOf = ({ base, head }: PathRow): FoldedRows['side'] =>
  base === undefined ? 'head' : head === undefined ? 'base' : undefined;

/** Rows that differ with some around them. Of a packet of one side only that there is one. */
export const folded = (all: readonly PathRow[]): ShownRow[] => {
  const shown: ShownRow[] = [];
  let rows: PathRow[] = [];
  for (let at = 0; at < all.length; at++) {
    const row = all[at] as PathRow;
    const side = row.kind === 'leg' ? sideOf(row) : undefined;
    if (side === undefined) {
      rows.push(row);
      continue;
    }
    shown.push(...foldedPart(rows), row);
    rows = [];
    const end = all.findIndex((other, index) => index > at && other.kind === 'leg');
    const count = (end < 0 ? all.length : end) - at - 1;
    if (count > 0) shown.push({ folded: count, side });
    at += count;
  }
  return [...shown, ...foldedPart(rows)];
};

const foldedPart = (rows: readonly PathRow[]): ShownRow[] => {
  const isNear = (at: number): boolean =>
    rows.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ same }) => !same);
  // A step means little without its place and its packet.
  const isHead = (at: number): boolean => {
    const { kind } = rows[at] as PathRow;
    if (kind !== 'leg' && kind !== 'hop') return false;
    for (let next = at + 1; next < rows.length; next++) {
      const row = rows[next] as PathRow;
      if (INDENT[row.kind] <= INDENT[kind]) return false;
      if (!row.same) return true;
    }
    return false;
  };
  const shown: ShownRow[] = [];
  let count = 0;
  const settle = (): void => {
    if (count > 0) shown.push({ folded: count });
    count = 0;
  };
  for (const [at, row] of rows.entries()) {
    if (!isNear(at) && !isHead(at)) {
      count++;
      continue;
    }
    settle();
    shown.push(row);
  }
  settle();
  return shown;
};

const lineOf = ({ kind }: PathRow, text: string): string =>
  `${' '.repeat(INDENT[kind])}${harmless(text)}`;

/** One line of a unified diff: the sign, and the text. */
export interface UnifiedLine {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

const foldedText = ({ folded: count, side }: FoldedRows, words: DiffWords): string =>
  side === undefined ? `… ${words.paths.lines(count)}` : `  … ${words.paths.more(count)}`;

const foldedLine = (row: FoldedRows, words: DiffWords): UnifiedLine => ({
  sign: row.side === undefined ? ' ' : row.side === 'base' ? '-' : '+',
  text: foldedText(row, words),
});

/** Lines that are gone before those that come in their place. */
export const unified = (rows: readonly ShownRow[], words: DiffWords): UnifiedLine[] => {
  const lines: UnifiedLine[] = [];
  let added: UnifiedLine[] = [];
  const settle = (): void => {
    lines.push(...added);
    added = [];
  };
  for (const row of rows) {
    if ('folded' in row) {
      settle();
      lines.push(foldedLine(row, words));
    } else if (row.same) {
      settle();
      lines.push({ sign: ' ', text: lineOf(row, row.head ?? '') });
    } else {
      // What comes in place of the lines of one packet stands before the next one.
      if (row.kind === 'leg') settle();
      if (row.base !== undefined) lines.push({ sign: '-', text: lineOf(row, row.base) });
      if (row.head !== undefined) added.push({ sign: '+', text: lineOf(row, row.head) });
    }
  }
  settle();
  return lines;
};

/** A text at its indentation, broken; lines that go on stand two columns further in. */
const cell = (row: PathRow, text: string | undefined, width: number): string[] => {
  if (text === undefined) return [];
  const indent = INDENT[row.kind];
  const lines = wrap(harmless(text), Math.max(10, width - indent - 2));
  return lines.map((line, at) => `${' '.repeat(indent + (at === 0 ? 0 : 2))}${line}`);
};

const MARK = { changed: '|', removed: '<', added: '>', same: ' ' } as const;
const BETWEEN = 3;

/** Two columns, marked as `diff -y` does. */
const twoColumns = (
  rows: readonly ShownRow[],
  width: number,
  style: Style,
  words: DiffWords,
): string[] => {
  const room = Math.floor((width - BETWEEN) / 2);
  const line = (left: string, mark: string, right: string, paint: Style['faint'][]): string =>
    `${(paint[0] ?? style.faint)(pad(left, room))} ${mark} ${(paint[1] ?? style.faint)(right)}`.trimEnd();
  const same = (text: string): string => text;
  return [
    line(words.base, ' ', words.head, [style.label, style.label]),
    ...rows.flatMap((row) => {
      if ('folded' in row) {
        const text = foldedText(row, words);
        return row.side === 'head'
          ? [line('', MARK.added, text, [same, style.good])]
          : [
              row.side === 'base'
                ? line(text, MARK.removed, '', [style.bad, same])
                : style.faint(text),
            ];
      }
      const mark = row.same
        ? MARK.same
        : row.base === undefined
          ? MARK.added
          : row.head === undefined
            ? MARK.removed
            : MARK.changed;
      const left = cell(row, row.base, room);
      const right = cell(row, row.head, room);
      const paint = row.same ? [same, same] : [style.bad, style.good];
      return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
        line(left[at] ?? '', at === 0 ? mark : ' ', right[at] ?? '', paint),
      );
    }),
  ];
};

/** From here on two columns have room. */
const WIDE = 116;

/** @param width of the text, without what stands before it */
export const pathRows = (
  { rows }: PathDiff,
  width: number,
  style: Style,
  words: DiffWords,
): string[] => {
  const shown = folded(rows);
  const isOneSided =
    rows.every(({ head }) => head === undefined) || rows.every(({ base }) => base === undefined);
  if (width >= WIDE && !isOneSided) return twoColumns(shown, width, style, words);
  return unified(shown, words).flatMap(({ sign, text }) => {
    const paint = sign === '-' ? style.bad : sign === '+' ? style.good : (line: string) => line;
    const indent = text.length - text.trimStart().length;
    return wrap(text.trimStart(), Math.max(10, width - indent - 4)).map((line, at) =>
      paint(`${sign} ${' '.repeat(indent + (at === 0 ? 0 : 2))}${line}`).trimEnd(),
    );
  });
};
