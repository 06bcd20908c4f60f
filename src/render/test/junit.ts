/** What `k8snet test` found, as the XML that CI systems read since JUnit. */
import type { TestCase, TestReport, TestSuite } from '../../check/test/report.ts';
import { harmless } from '../harmless.ts';
import { xmlQuoted, xmlText } from '../xml.ts';
import { differenceLines, fullTitle, problemLines, suiteTitle } from './lines.ts';

/** What no XML 1.0 document may hold, not even escaped (production Char), is dropped. */
const ILLEGAL = /[^\P{Cc}\t\n\r\u007f-\u009f]|[\ufffe\uffff\p{Cs}]/gu;

const legal = (text: string): string => text.replace(ILLEGAL, '');

const attribute = (name: string, value: string | number | undefined): string =>
  value === undefined
    ? ''
    : ` ${name}="${xmlQuoted(legal(String(value)))
        .replaceAll('\t', '&#9;')
        .replaceAll('\n', '&#10;')
        .replaceAll('\r', '&#13;')}"`;

const attributes = (values: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(values)
    .map(([name, value]) => attribute(name, value))
    .join('');

const body = (lines: readonly string[]): string =>
  xmlText(
    legal(
      lines
        .flatMap((line) => line.split('\n'))
        .map(harmless)
        .join('\n'),
    ),
  );

const element = (
  name: string,
  values: Readonly<Record<string, string | number | undefined>>,
  lines: readonly string[],
): string => `      <${name}${attributes(values)}>${body(lines)}</${name}>`;

const outcomeElement = (one: TestCase): string[] => {
  switch (one.outcome) {
    case 'passed':
      return [];
    case 'skipped':
      return ['      <skipped/>'];
    case 'error': {
      const [first] = one.problems;
      const values = { message: first?.message, type: first?.code };
      return [element('error', values, problemLines(one.problems))];
    }
    case 'failed': {
      const lines = differenceLines(one);
      const trace = one.trace === undefined ? [] : ['', one.trace.trimEnd()];
      const [first = ''] = lines;
      return [
        element('failure', { message: first, type: one.differences[0]?.field }, [
          ...lines,
          ...trace,
        ]),
      ];
    }
    default:
      return one.outcome satisfies never;
  }
};

const caseElement = (one: TestCase, suite: string): string => {
  const { file, line } = one;
  const head = `    <testcase${attributes({ name: fullTitle(one), classname: suite, file, line })}`;
  const inner = outcomeElement(one);
  return inner.length === 0 ? `${head}/>` : [`${head}>`, ...inner, '    </testcase>'].join('\n');
};

const suiteElement = (suite: TestSuite): string => {
  const name = suiteTitle(suite);
  const { cases, problems, file } = suite;
  const count = (outcome: TestCase['outcome']): number =>
    cases.filter((one) => one.outcome === outcome).length;
  const unread: TestCase[] =
    problems.length === 0
      ? []
      : [
          {
            kind: 'trace',
            title: file,
            file,
            outcome: 'error',
            differences: [],
            problems,
            ...(problems[0]?.line !== undefined && { line: problems[0].line }),
          },
        ];
  const all = [...cases, ...unread];
  const values = {
    name,
    file,
    tests: all.length,
    failures: count('failed'),
    errors: count('error') + unread.length,
    skipped: count('skipped'),
  };
  return [
    `  <testsuite${attributes(values)}>`,
    ...all.map((one) => caseElement(one, name)),
    '  </testsuite>',
  ].join('\n');
};

/** The whole document; without times, which would be others each time. */
export function junitText({ suites, summary }: TestReport): string {
  const { cases, failed: failures, errors, skipped } = summary;
  const unread = suites.filter(({ problems }) => problems.length > 0).length;
  const values = { name: 'k8snet', tests: cases + unread, failures, errors, skipped };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(values)}>`,
    ...suites.map(suiteElement),
    '</testsuites>',
    '',
  ].join('\n');
}
