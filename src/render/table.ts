/** Columns of text without borders, aligned whatever the script (CJK takes two columns a character). */
import Table from 'cli-table3';
import { columns, wrap } from './width.ts';

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

const GAP = 2;
const NARROWEST = 20;

/**
 * Two columns: names, and texts that are broken to fit `width`. The table only aligns: cells are
 * broken before, since cli-table3 cuts CJK text where it should break it.
 *
 * @returns lines with a newline at the end.
 */
export function twoColumns(
  rows: readonly (readonly [name: string, text: string])[],
  width: number,
  paint: (name: string) => string,
): string {
  const left = Math.max(0, ...rows.map(([name]) => columns(name))) + GAP;
  const room = Math.max(NARROWEST, width - left);
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
  });
  for (const [name, text] of rows) table.push([paint(name), wrap(text, room).join('\n')]);
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/**
 * A table with heads, a row below another, every column as wide as `widths` says; cells are broken,
 * never cut. The last column ends the line.
 *
 * @param paint colours one line of a cell, which is measured without colour.
 * @returns lines.
 */
export function grid(
  rows: readonly (readonly string[])[],
  widths: readonly number[],
  paint: (line: string, row: number, column: number) => string,
): string[] {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    colWidths: widths.map((width) => width + GAP),
  });
  rows.forEach((row, at) => {
    table.push(
      row.map((cell, column) =>
        wrap(cell, widths[column] ?? NARROWEST)
          .map((line) => paint(line, at, column))
          .join('\n'),
      ),
    );
  });
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}
