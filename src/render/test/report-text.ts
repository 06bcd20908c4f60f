/** What `k8snet test` found, for people: what holds, and what differs together with its trace. */
import type { TestCase, TestReport, TestSuite } from '../../check/test/report.ts';
import type { Catalogue } from '../../explain/catalogue.ts';
import type { Glyphs } from '../../explain/quote.ts';
import { harmless } from '../harmless.ts';
import type { Style } from '../style.ts';
import { columns, pad, wrap } from '../width.ts';

export interface ReportOptions {
  readonly width: number;
  readonly style: Style;
  readonly glyphs: Glyphs;
  readonly words: Catalogue;
}

const INDENT = 6;
const FIELD = 13;

/** One block a suite; ends with a newline. Nothing where it could not be tested. */
export function suiteText(suite: TestSuite, options: ReportOptions): string {
  const { style, width, words } = options;
  const { file, name, description, cases, problems } = suite;
  if (problems.length > 0) return '';
  const called = name === undefined ? '' : `  ${style.faint(harmless(name))}`;
  const lines = [`${style.title(harmless(file))}${called}`];
  if (description !== undefined) {
    lines.push(...wrap(harmless(description), width - 2).map((line) => `  ${style.faint(line)}`));
  }
  if (cases.length === 0) lines.push(`  ${style.unsure(words.report.silent)}`);
  for (const one of cases) lines.push(...caseLines(one, options));
  return `${lines.join('\n')}\n`;
}

function caseLines(one: TestCase, options: ReportOptions): string[] {
  const { style, glyphs, width, words } = options;
  const { report } = words;
  const question = caseTitle(one, glyphs);
  switch (one.outcome) {
    case 'error':
      return [`  ${style.bad(glyphs.bad)} ${question}   ${style.bad(report.unanswerable)}`];
    case 'skipped':
      return [`  ${style.unsure('-')} ${style.faint(`${question}   ${report.skipped}`)}`];
    case 'passed':
      return beside(
        `  ${style.good(glyphs.good)} ${question}`,
        question,
        one.disposition ?? '',
        options,
      );
    case 'failed':
      break;
    default:
      return one.outcome satisfies never;
  }
  const where = harmless([one.file, one.line].filter((part) => part !== undefined).join(':'));
  const lines = beside(
    `  ${style.bad(glyphs.bad)} ${style.bad(question)}`,
    question,
    where,
    options,
  );
  for (const { field, expected, found, reasons = [] } of one.differences) {
    const wide = Math.max(columns(report.expected), columns(report.found)) + 1;
    const sides = [
      `${pad(report.expected, wide)}${harmless(expected.replaceAll('→', glyphs.to))}`,
      `${pad(report.found, wide)}${harmless(found)}`,
      ...reasons.map((reason) => `${' '.repeat(wide)}${harmless(reason)}`),
    ];
    sides.forEach((side, index) => {
      const label = pad(index === 0 ? field : '', FIELD);
      const lead = /^ */.exec(side)?.[0] ?? '';
      wrap(side.trimStart(), Math.max(20, width - INDENT - FIELD - lead.length)).forEach(
        (text, at) => {
          const before = at === 0 ? style.label(label) : ' '.repeat(FIELD);
          lines.push(`${' '.repeat(INDENT)}${before}${lead}${text}`);
        },
      );
    });
  }
  const trace = one.trace === undefined ? [] : one.trace.trimEnd().split('\n');
  return [...lines, ...trace.map((text) => `${' '.repeat(INDENT)}${text}`.trimEnd())];
}

/** `pod-a → pod-b:8080 (udp)`: the question, below its name where it has one. */
export function caseTitle({ name, title }: TestCase, glyphs: Pick<Glyphs, 'to'>): string {
  return harmless(name ?? title.replaceAll('→', glyphs.to));
}

/** The right-hand side at the right edge, or below where the line is full. */
function beside(
  painted: string,
  plain: string,
  right: string,
  { width, style }: ReportOptions,
): string[] {
  if (right === '') return [painted];
  const gap = width - 4 - columns(plain) - columns(right);
  if (gap >= 2) return [`${painted}${' '.repeat(gap)}${style.faint(right)}`];
  return [painted, `${' '.repeat(INDENT)}${style.faint(right)}`];
}

/** The last line: how many of what. */
export function summaryText(
  { suites, summary }: TestReport,
  style: Style,
  { report }: Catalogue,
): string {
  const { passed, failed, silent, skipped, withErrors } = summary;
  const parts = [
    style.good(report.hold(passed)),
    ...(failed > 0 ? [style.bad(report.differ(failed))] : []),
    ...(skipped > 0 ? [style.unsure(report.leftOut(skipped))] : []),
    ...(silent > 0 ? [style.unsure(report.withoutAny(silent))] : []),
    ...(withErrors > 0 ? [style.bad(report.withErrors(withErrors))] : []),
  ];
  const files = new Set(suites.map(({ file }) => file)).size;
  return `${report.summary(files, passed + failed + skipped)} ${parts.join(', ')}\n`;
}
