/** Several probes of one question, below the first one told in full: a row each. */
import type { ToldProbe, ToldRepeat } from '../explain/repeat.ts';
import type { RepeatedProbe } from '../trace/repeat.ts';
import type { Affinity } from '../trace/trace.ts';
import { harmless, harmlessData } from './harmless.ts';
import { grid } from './table.ts';
import type { TraceTextOptions } from './trace-text.ts';
import { columns, wrap } from './width.ts';

const GAP = 2;
const NARROWEST = 8;
/** A backend with its address; what is longer is broken. */
const WIDEST_TARGET = 32;
const FIELDS = ['n', 'port', 'target', 'seen', 'fate', 'steps'] as const;

/** A table of the probes and a sentence; ends with a newline. */
export function repeatText(repeat: ToldRepeat, options: TraceTextOptions): string {
  const { title, about, probes, affinity } = harmlessData(repeat);
  const { style, width, words } = options;
  const heads = words.story.repeat.columns;
  // A column that says nothing of any probe is left out.
  const shown = FIELDS.filter((field) => probes.some((probe) => probe[field] !== ''));
  const rows = [heads, ...probes].map((row) => shown.map((field) => row[field]));
  const painted = (text: string, row: number, column: number): string => {
    const probe = probes[row - 1];
    if (!probe) return style.faint(text);
    return shown[column] === 'fate' && probe.status !== 'good' ? style[probe.status](text) : text;
  };
  return `${[
    style.title(title),
    ...wrap(about, width).map(style.faint),
    ...grid(rows, widthsOf(rows, shown, width), painted),
    '',
    ...wrap(affinity, width),
  ].join('\n')}\n`;
}

/** Where there is no room, the target's column gives first, then the widest. */
function widthsOf(
  rows: readonly (readonly string[])[],
  shown: readonly (keyof ToldProbe)[],
  width: number,
): number[] {
  const widths = shown.map((field, at) => {
    const natural = Math.max(...rows.map((row) => columns(row[at] ?? '')));
    return field === 'target' ? Math.min(WIDEST_TARGET, natural) : natural;
  });
  const room = width - GAP * (widths.length - 1);
  const target = shown.indexOf('target');
  for (let over = widths.reduce((sum, one) => sum + one, -room); over > 0; over--) {
    const widest = Math.max(...widths);
    const giving = (widths[target] ?? 0) > NARROWEST ? target : widths.indexOf(widest);
    if ((widths[giving] ?? 0) <= NARROWEST) break;
    widths[giving] = (widths[giving] ?? 0) - 1;
  }
  return widths;
}

/** As data: how each probe but the first ends and where, and what affinity did. */
export function repeatMinimal(
  probes: readonly RepeatedProbe[],
  affinity: Affinity | undefined,
): string {
  const lines = probes.slice(1).map(({ n, disposition, cause, target }) => {
    const said = [disposition, ...(cause ? [cause] : []), ...placesOf(target)];
    return `probe ${n}: ${said.join(', ')}`;
  });
  return `${[...lines, `affinity: ${affinity ?? 'unknown'}`].map(harmless).join('\n')}\n`;
}

const placesOf = (target: RepeatedProbe['target']): string[] =>
  target ? [target.name, ...(target.node && target.node !== target.name ? [target.node] : [])] : [];
