/** What `k8snet test` found, in the Test Anything Protocol, version 14. */
import type { TestCase, TestProblem, TestReport, TestSuite } from '../../check/test/report.ts';
import { harmless } from '../harmless.ts';
import { yamlText } from '../yaml.ts';
import { fullTitle, suiteTitle } from './lines.ts';

/** A hash would begin a directive. */
const escaped = (text: string): string =>
  harmless(text).replaceAll('\\', '\\\\').replaceAll('#', '\\#');

const diagnostics = (value: unknown): string[] => [
  '  ---',
  ...yamlText(value)
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`),
  '  ...',
];

const place = ({ file, line, column }: TestProblem | TestCase) => ({
  ...(file !== undefined && { file }),
  ...(line !== undefined && { line }),
  ...(column !== undefined && { column }),
});

const problemsOf = (problems: readonly TestProblem[]) =>
  problems.map((problem) => ({
    code: problem.code,
    message: problem.message,
    ...(problem.hint !== undefined && { hint: problem.hint }),
    at: place(problem),
  }));

const pointOf = (one: TestCase, suite: string): { ok: boolean; text: string; more: string[] } => {
  const text = escaped(`${suite}: ${fullTitle(one)}`);
  switch (one.outcome) {
    case 'passed':
      return { ok: true, text, more: [] };
    case 'skipped':
      return { ok: true, text: `${text} # SKIP enough had failed`, more: [] };
    case 'error':
      return {
        ok: false,
        text,
        more: diagnostics({
          severity: 'error',
          at: place(one),
          problems: problemsOf(one.problems),
        }),
      };
    case 'failed':
      return {
        ok: false,
        text,
        more: diagnostics({
          severity: 'fail',
          at: place(one),
          differences: one.differences,
          ...(one.trace !== undefined && { trace: one.trace.trimEnd().split('\n') }),
        }),
      };
    default:
      return one.outcome satisfies never;
  }
};

const pointsOf = (suite: TestSuite) => {
  const name = suiteTitle(suite);
  const unread =
    suite.problems.length === 0
      ? []
      : [
          {
            ok: false,
            text: escaped(name),
            more: diagnostics({ severity: 'error', problems: problemsOf(suite.problems) }),
          },
        ];
  return [...suite.cases.map((one) => pointOf(one, name)), ...unread];
};

/** One test point an expectation, or for a file that could not be tested. */
export function tapText({ suites }: TestReport): string {
  const points = suites.flatMap(pointsOf);
  return [
    'TAP version 14',
    `1..${points.length}`,
    ...points.flatMap(({ ok, text, more }, at) => [
      `${ok ? 'ok' : 'not ok'} ${at + 1} - ${text}`,
      ...more,
    ]),
    '',
  ].join('\n');
}
