/** A matrix as a grid: rows send, columns are sent to; peers that fare alike are one row. */

import { isEverything, portsText, shortText } from '../ports-text.ts';
import { columns, pad, wrap } from '../width.ts';
import {
  cellsOf,
  isItself,
  isOutside,
  type MatrixForm,
  NOTHING,
  namesFor,
  type ShownMatrix,
} from './form.ts';

const GAP = 2;
const NARROWEST_LABEL = 24;
const WIDEST_LABEL = 44;
/** Longer ports get a letter. */
const LONGEST_CELL = 11;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** More rows than this are no longer taken in at a glance. */
const MOST_ROLES = 30;

interface Grid {
  /** `shop/web[Deployment]`, by role. */
  readonly labels: readonly string[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly cells: readonly (readonly string[])[];
  readonly legend: readonly (readonly [mark: string, text: string])[];
}

const marksOf = ({ glyphs }: MatrixForm) => ({
  all: 'all',
  none: glyphs.to === '->' ? '.' : '·',
  self: '-',
});

const gridOf = (matrix: ShownMatrix, form: MatrixForm, asLetters: boolean): Grid | undefined => {
  const { roles } = matrix;
  const marks = marksOf(form);
  const rows = roles.roles.flatMap(({ isSource }, at) => (isSource ? [at] : []));
  const across = roles.roles.flatMap(({ isDestination }, at) => (isDestination ? [at] : []));
  const letters = new Map<string, string>();
  let hasSelf = false;
  let hasNone = false;
  let fits = true;
  const cells = rows.map((from) => {
    const row = cellsOf(matrix, from);
    return across.map((to) => {
      if (isOutside(matrix, from) && isOutside(matrix, to)) return '';
      if (isItself(matrix, from, to)) {
        hasSelf = true;
        return marks.self;
      }
      const allowed = row.get(to) ?? NOTHING;
      if (allowed.length === 0) hasNone = true;
      if (allowed.length === 0 || isEverything(allowed))
        return asLetters && allowed.length > 0 ? '*' : shortText(allowed, marks);
      const short = shortText(allowed, marks);
      if (!asLetters && short.length <= LONGEST_CELL) return short;
      const text = portsText(allowed, form.words);
      const letter = letters.get(text) ?? LETTERS[letters.size];
      if (letter === undefined) fits = false;
      letters.set(text, letter ?? '?');
      return letter ?? '?';
    });
  });
  if (!fits) return undefined;
  const { words } = form;
  const names = namesFor(matrix, form);
  const hasAll = cells.some((row) => row.includes(asLetters ? '*' : marks.all));
  return {
    labels: roles.roles.map(({ peers }) => names.of(peers)),
    rows,
    columns: across,
    cells,
    legend: [
      ...[...letters].map(([text, letter]) => [letter, text] as const),
      ...(hasAll ? [[asLetters ? '*' : marks.all, words.legend.all] as const] : []),
      ...(hasNone ? [[marks.none, words.legend.none] as const] : []),
      ...(hasSelf ? [[marks.self, words.legend.self] as const] : []),
    ],
  };
};

/** A name that is too long for a line is broken before its kind, if that helps. */
const broken = (name: string, width: number): string[] => {
  if (columns(name) <= width) return [name];
  return wrap(name, width).length < 2 || name.includes(' ')
    ? wrap(name, width)
    : wrap(name.replace(/\[(?=[^[]*$)/, ' ['), width);
};

/** A role's number, and its names below each other behind it. */
const numbered = (role: number, name: string, digits: number, width: number): string[] =>
  broken(name, width - digits - 1).map(
    (line, at) => `${(at === 0 ? String(role + 1) : '').padStart(digits)} ${line}`,
  );

const layOut = (grid: Grid, form: MatrixForm): string[] | undefined => {
  const { style, width, words } = form;
  const heads = grid.columns.map((role) => String(role + 1));
  const widths = heads.map((head, at) =>
    Math.max(columns(head), ...grid.cells.map((row) => columns(row[at] ?? ''))),
  );
  const taken = widths.reduce((sum, one) => sum + one + GAP, 0);
  const digits = String(grid.labels.length).length;
  const nameOf = (role: number): string => grid.labels[role] ?? '';
  const longest = Math.max(0, ...grid.rows.map((role) => digits + 1 + columns(nameOf(role))));
  const label = Math.min(longest, WIDEST_LABEL, width - taken);
  if (label < Math.min(longest, NARROWEST_LABEL)) return undefined;
  const gap = ' '.repeat(GAP);
  const paint = (cell: string): string =>
    cell === '-' || cell === '.' || cell === '·' ? style.faint(cell) : style.good(cell);
  const line = (name: string, cells: readonly string[], paintCell: typeof paint): string => {
    const last = cells.findLastIndex((cell) => cell !== '');
    const shown = cells.slice(0, last + 1).map((cell, at) => {
      const blanks = at === last ? 0 : (widths[at] ?? 0) - columns(cell);
      return gap + paintCell(cell) + ' '.repeat(Math.max(0, blanks));
    });
    return `${style.place(pad(name, label))}${shown.join('')}`;
  };
  const lines = [line('', heads, style.label)];
  for (const [at, role] of grid.rows.entries()) {
    const [first = '', ...rest] = numbered(role, nameOf(role), digits, label);
    lines.push(line(first, grid.cells[at] ?? [], paint));
    lines.push(...rest.map((more) => style.place(more)));
  }
  const others = grid.columns.filter((role) => !grid.rows.includes(role));
  if (others.length > 0) {
    lines.push('', style.label(words.columns));
    for (const role of others)
      lines.push(...numbered(role, nameOf(role), digits, width).map((text) => style.place(text)));
  }
  const mark = Math.max(0, ...grid.legend.map(([text]) => columns(text)));
  lines.push('');
  for (const [text, meaning] of grid.legend) {
    const [first = '', ...rest] = wrap(meaning, width - mark - GAP);
    lines.push(`${pad(text, mark)}${gap}${style.faint(first)}`);
    lines.push(...rest.map((more) => `${' '.repeat(mark + GAP)}${style.faint(more)}`));
  }
  lines.push(...wrap(words.rowsToColumns, width).map((text) => style.faint(text)));
  const namesPorts = grid.cells.some((row) => row.some((cell) => /^\d/.test(cell)));
  if (namesPorts) lines.push(style.faint(words.portsAreTcp));
  return lines;
};

/** @returns undefined where it does not fit: there is a list for that */
export const matrixGrid = (matrix: ShownMatrix, form: MatrixForm): string[] | undefined => {
  if (matrix.roles.roles.length > MOST_ROLES) return undefined;
  for (const asLetters of [false, true]) {
    const grid = gridOf(matrix, form, asLetters);
    const lines = grid && layOut(grid, form);
    if (lines) return lines;
  }
  return undefined;
};
