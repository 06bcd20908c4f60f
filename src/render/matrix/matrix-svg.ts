/**
 * A matrix as a picture: rows send, columns are sent to, and the ports stand in the cells. It brings
 * its own background, in the colours of a light or a dark page.
 */
import type { AllowedPorts } from '../../check/matrix/matrix.ts';
import { harmless } from '../harmless.ts';
import { isEverything, portsText, shortText } from '../ports-text.ts';
import { columns } from '../width.ts';
import { xmlQuoted } from '../xml.ts';
import {
  cellsOf,
  isItself,
  isOutside,
  type MatrixForm,
  NOTHING,
  namesFor,
  type ShownMatrix,
} from './form.ts';

const CELL = { width: 62, height: 28 } as const;
const MARGIN = 16;
/** Of a column of text at 13 pixels, about. */
const CHARACTER = 7.2;
const LONGEST_LABEL = 44;
const LONGEST_CELL = 8;

/** What stands in a cell without ports, as in the grid. */
const SIGNS = { none: '·', self: '-' } as const;
const NOTE_HEIGHT = 20;

/** XML has no character of these at all. */
const NO_CHARACTER = /[\uFFFE\uFFFF]/g;

const escaped = (text: string): string =>
  xmlQuoted(harmless(text).replace(NO_CHARACTER, '\u{FFFD}'));

/** The beginning of a text that takes so many columns. */
const shortened = (text: string, most: number): string => {
  if (columns(text) <= most) return text;
  let short = '';
  let used = 0;
  for (const character of text) {
    used += columns(character);
    if (used > most - 1) break;
    short += character;
  }
  return `${short}…`;
};

const STYLE = `
    text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1f2328; }
    .title { font-weight: bold; }
    .cell text { font-size: 11px; text-anchor: middle; }
    .page { fill: #ffffff; }
    .none rect { fill: #f3f4f6; }
    .some rect { fill: #b6d7f2; }
    .all rect { fill: #2f7dbd; }
    .all text { fill: #ffffff; }
    .self rect { fill: #ffffff; stroke: #d0d7de; }
    .none text, .self text, .note { fill: #59636e; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .page { fill: #0d1117; }
      .none rect { fill: #161b22; }
      .some rect { fill: #1f4b73; }
      .all rect { fill: #3f9bdf; }
      .all text { fill: #0d1117; }
      .self rect { fill: #0d1117; stroke: #30363d; }
      .none text, .self text, .note { fill: #8d96a0; }
    }
`;

interface Drawn {
  readonly role: number;
  readonly label: string;
  readonly full: string;
}

const drawn = (
  matrix: ShownMatrix,
  form: MatrixForm,
  side: 'isSource' | 'isDestination',
): Drawn[] => {
  const names = namesFor(matrix, form);
  return matrix.roles.roles.flatMap((role, at) => {
    if (!role[side]) return [];
    const full = names.of(role.peers);
    return [{ role: at, full, label: shortened(full, LONGEST_LABEL) }];
  });
};

const cellOf = (allowed: readonly AllowedPorts[], isSelf: boolean, { words }: MatrixForm) => {
  if (isSelf) return { kind: 'self', text: SIGNS.self, full: words.legend.self } as const;
  const full = portsText(allowed, words);
  if (allowed.length === 0) return { kind: 'none', text: SIGNS.none, full } as const;
  if (isEverything(allowed)) return { kind: 'all', text: words.all, full } as const;
  const text = shortened(shortText(allowed, { all: '', none: '' }), LONGEST_CELL);
  return { kind: 'some', text, full } as const;
};

/** An SVG 1.1 document, readable by itself and inside a page. */
export const matrixSvg = (matrix: ShownMatrix, form: MatrixForm, title: string): string => {
  const sources = drawn(matrix, form, 'isSource');
  const destinations = drawn(matrix, form, 'isDestination');
  const widest = (items: readonly Drawn[]): number =>
    Math.max(0, ...items.map(({ label }) => columns(label) * CHARACTER));
  const left = MARGIN + widest(sources) + 12;
  // Columns' names lean to the right, at 45 degrees.
  const lean = widest(destinations) * Math.SQRT1_2;
  const top = MARGIN + 28 + lean + 12;
  const width = Math.ceil(left + Math.max(destinations.length * CELL.width + lean, 240) + MARGIN);
  const bottom = top + sources.length * CELL.height;
  const { words } = form;
  const { legend } = words;
  const notes = [
    `${words.all}: ${legend.all}; ${SIGNS.none}: ${legend.none}; ${SIGNS.self}: ${legend.self}`,
    words.picture,
    words.portsAreTcp,
  ];
  const height = Math.ceil(bottom + 16 + notes.length * NOTE_HEIGHT + MARGIN);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `  <title>${escaped(title)}</title>`,
    `  <style>${STYLE}  </style>`,
    `  <rect class="page" width="${width}" height="${height}"/>`,
    `  <text x="${MARGIN}" y="${MARGIN + 14}" class="title">${escaped(title)}</text>`,
  ];
  for (const [at, { label, full }] of destinations.entries()) {
    const x = (left + (at + 0.5) * CELL.width).toFixed(1);
    const y = (top - 8).toFixed(1);
    lines.push(
      `  <text x="${x}" y="${y}" transform="rotate(-45 ${x} ${y})">${escaped(label)}<title>${escaped(full)}</title></text>`,
    );
  }
  for (const [row, from] of sources.entries()) {
    const y = top + row * CELL.height;
    lines.push(
      `  <text x="${(left - 10).toFixed(1)}" y="${(y + 18).toFixed(1)}" text-anchor="end">${escaped(from.label)}<title>${escaped(from.full)}</title></text>`,
    );
    const cells = cellsOf(matrix, from.role);
    for (const [column, to] of destinations.entries()) {
      if (isOutside(matrix, from.role) && isOutside(matrix, to.role)) continue;
      const isSelf = isItself(matrix, from.role, to.role);
      const { kind, text, full } = cellOf(cells.get(to.role) ?? NOTHING, isSelf, form);
      const x = left + column * CELL.width;
      const said = `${from.full} ${form.glyphs.to} ${to.full}: ${full}`;
      lines.push(
        `  <g class="cell ${kind}"><title>${escaped(said)}</title><rect x="${(x + 1).toFixed(1)}" y="${(y + 1).toFixed(1)}" width="${CELL.width - 2}" height="${CELL.height - 2}" rx="4"/><text x="${(x + CELL.width / 2).toFixed(1)}" y="${(y + 18).toFixed(1)}">${escaped(text)}</text></g>`,
      );
    }
  }
  for (const [at, note] of notes.entries())
    lines.push(
      `  <text class="note" x="${MARGIN}" y="${(bottom + 28 + at * NOTE_HEIGHT).toFixed(1)}">${escaped(note)}</text>`,
    );
  return `${lines.join('\n')}\n</svg>\n`;
};
