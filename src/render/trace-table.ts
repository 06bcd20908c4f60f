/** A told trace as a table, a row a step: for eyes that look for one thing in many lines. */
import type { ToldStep } from '../explain/step.ts';
import type { Story, ToldHop, ToldLeg, ToldResolution } from '../explain/story.ts';
import { harmlessData } from './harmless.ts';
import { grid } from './table.ts';
import {
  headerLines,
  outcomeLines,
  painter,
  resolutionLines,
  type TraceTextOptions,
} from './trace-text.ts';
import { columns } from './width.ts';

const GAP = 2;
/** Columns are as wide as what is in them, up to these; the sentence gets the rest. */
const WIDEST = { where: 16, about: 13, remark: 16 };
const NARROWEST_TEXT = 20;

interface Row {
  readonly step: ToldStep;
  readonly cells: readonly string[];
}

/** Lays a story out; ends with a newline. Every line fits the width, and no text is cut. */
export function traceTable(story: Story, options: TraceTextOptions): string {
  const safe = harmlessData(story);
  const { style, words } = options;
  const { where, about, what, remark } = words.story.columns;
  const head = ['', where, about, what, remark];
  const told = (safe.resolution?.queries ?? []).filter(({ failed }) => failed);
  const legs = [...told.flatMap((query) => query.legs), ...safe.legs].map((leg) => ({
    leg,
    rows: rowsOf(leg),
  }));
  const widths = widthsOf(
    [head, ...legs.flatMap(({ rows }) => rows.map(({ cells }) => cells))],
    options.width,
  );
  const shown = (cells: readonly string[]): readonly string[] =>
    widths.length === head.length ? cells : folded(cells);
  const lines = [...headerLines(safe.header, options), ''];
  if (safe.resolution) lines.push(...resolutionLines(withoutWays(safe.resolution), options), '');
  for (const { leg, rows } of legs) {
    lines.push(style.title(leg.title));
    lines.push(
      ...grid(
        [head.slice(0, widths.length), ...rows.map(({ cells }) => shown(cells))],
        widths,
        (text, row, column) => painted(text, rows[row - 1]?.step, column, options),
      ),
      '',
    );
  }
  lines.push(...outcomeLines(safe, options));
  return `${lines.join('\n')}\n`;
}

/** The way of a query that failed comes as rows. */
function withoutWays(resolution: ToldResolution): ToldResolution {
  return { ...resolution, queries: resolution.queries.map((query) => ({ ...query, legs: [] })) };
}

function rowsOf({ hops }: ToldLeg): Row[] {
  return hops.flatMap((hop) =>
    hop.steps.map((step) => ({
      step,
      cells: [String(step.n), placeOf(hop), step.label, whole(step), step.aside ?? ''],
    })),
  );
}

/** The sentence with what belongs to it. */
function whole({ text, more = [] }: ToldStep): string {
  return [text, ...more].join('; ');
}

/** A node by its name, a Pod by its own. */
function placeOf({ node, netns }: ToldHop): string {
  return netns === 'host' ? node : netns;
}

/** Where there is no room for five columns, remarks follow the sentences that they belong to. */
function folded(cells: readonly string[]): string[] {
  const [number = '', where = '', about = '', what = '', remark = ''] = cells;
  return [number, where, about, remark === '' ? what : `${what} (${remark})`];
}

function widthsOf(rows: readonly (readonly string[])[], width: number): number[] {
  const natural = (column: number): number =>
    Math.max(...rows.map((cells) => columns(cells[column] ?? '')));
  const number = natural(0);
  const where = Math.min(WIDEST.where, natural(1));
  const about = Math.min(WIDEST.about, natural(2));
  const remark = Math.min(WIDEST.remark, natural(4));
  const rest = width - number - where - about - remark - 4 * GAP;
  if (rest >= NARROWEST_TEXT) return [number, where, about, Math.min(rest, natural(3)), remark];
  const room = width - number - 3 * GAP;
  const side = Math.floor(room / 4);
  const [left, middle] = [Math.min(where, side), Math.min(about, side)];
  return [number, left, middle, room - left - middle];
}

function painted(
  text: string,
  step: ToldStep | undefined,
  column: number,
  { style }: TraceTextOptions,
): string {
  if (step === undefined) return style.faint(text);
  switch (column) {
    case 1:
      return style.place(text);
    case 2:
      return style.label(text);
    case 3:
      return painter(step, style)(text);
    default:
      return style.faint(text);
  }
}
