/** What `k8snet test` found, file by file: what holds, and what differs together with its trace. */
import type { Judged } from '../check/judge.ts';
import type { Catalogue } from '../explain/catalogue.ts';
import type { Glyphs } from '../explain/quote.ts';
import { harmless } from './harmless.ts';
import type { Style } from './style.ts';
import { columns, pad, wrap } from './width.ts';

export interface ReportOptions {
  readonly width: number;
  readonly style: Style;
  readonly glyphs: Glyphs;
  readonly words: Catalogue;
}

/** One tested file. */
export interface TestedFile {
  readonly file: string;
  readonly description?: string;
  readonly judged: readonly Judged[];
  /** The trace of an expectation that does not hold, laid out already. */
  traceOf(judged: Judged): string;
}

const INDENT = 6;
const FIELD = 13;

/** One block a file; ends with a newline. */
export function fileReport(tested: TestedFile, options: ReportOptions): string {
  const { style, width, words } = options;
  const { file, description, judged } = tested;
  const lines = [style.title(harmless(file))];
  if (description !== undefined) {
    lines.push(...wrap(harmless(description), width - 2).map((line) => `  ${style.faint(line)}`));
  }
  if (judged.length === 0) lines.push(`  ${style.unsure(words.report.silent)}`);
  for (const one of judged) lines.push(...judgedLines(one, tested, options));
  return `${lines.join('\n')}\n`;
}

function judgedLines(judged: Judged, tested: TestedFile, options: ReportOptions): string[] {
  const { style, glyphs, width, words } = options;
  const question = questionText(judged, options);
  if (judged.kind === 'unanswerable') {
    return [`  ${style.bad(glyphs.bad)} ${question}   ${style.bad(words.report.unanswerable)}`];
  }
  const { differences, facts, expectation } = judged;
  if (differences.length === 0) {
    return beside(`  ${style.good(glyphs.good)} ${question}`, question, facts.disposition, options);
  }
  const { file, line } = expectation.place;
  const where = harmless([file, line].filter((part) => part !== undefined).join(':'));
  const lines = beside(
    `  ${style.bad(glyphs.bad)} ${style.bad(question)}`,
    question,
    where,
    options,
  );
  for (const { field, expected, found } of differences) {
    const { report } = words;
    const wide = Math.max(columns(report.expected), columns(report.found)) + 1;
    const sides = [
      `${pad(report.expected, wide)}${harmless(expected)}`,
      `${pad(report.found, wide)}${harmless(found)}`,
    ];
    sides.forEach((side, index) => {
      const name = pad(index === 0 ? field : '', FIELD);
      wrap(side, Math.max(20, width - INDENT - FIELD)).forEach((text, at) => {
        const lead = at === 0 ? style.label(name) : ' '.repeat(FIELD);
        lines.push(`${' '.repeat(INDENT)}${lead}${text}`);
      });
    });
  }
  const trace = tested.traceOf(judged).trimEnd().split('\n');
  return [...lines, ...trace.map((text) => `${' '.repeat(INDENT)}${text}`.trimEnd())];
}

/** `pod-a → pod-b:8080 udp, 1400 bytes`: the question as the scenario puts it. */
function questionText({ expectation }: Judged, { glyphs, words }: ReportOptions): string {
  const { from, to, protocol, port, size } = expectation;
  const details = [
    [protocol, port].filter((part) => part !== undefined).join('/'),
    size === undefined ? '' : words.story.bytes(size),
  ].filter((part) => part !== '');
  const about = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return harmless(`${from} ${glyphs.to} ${to}${about}`);
}

/** The right-hand side at the right edge, or below where the line is full. */
function beside(
  painted: string,
  plain: string,
  right: string,
  { width, style }: ReportOptions,
): string[] {
  const gap = width - 4 - columns(plain) - columns(right);
  if (gap >= 2) return [`${painted}${' '.repeat(gap)}${style.faint(right)}`];
  return [painted, `${' '.repeat(INDENT)}${style.faint(right)}`];
}

export interface Count {
  readonly files: number;
  readonly silent: number;
  readonly bad: number;
  readonly hold: number;
  readonly differ: number;
}

/** The last line: how many of what. */
export function countText(
  { files, silent, bad, hold, differ }: Count,
  style: Style,
  { report }: Catalogue,
): string {
  const parts = [
    style.good(report.hold(hold)),
    ...(differ > 0 ? [style.bad(report.differ(differ))] : []),
    ...(silent > 0 ? [style.unsure(report.withoutAny(silent))] : []),
    ...(bad > 0 ? [style.bad(report.withErrors(bad))] : []),
  ];
  return `${report.summary(files, hold + differ)} ${parts.join(', ')}\n`;
}
