/** The JSON Schema (draft 2020-12) of what `k8snet test -o json` prints, held to the types. */
import {
  closed,
  count,
  described,
  list,
  object,
  only,
  opt,
  text,
  whole,
} from '../../trace/schema/typed-schema.ts';
import type {
  TestCase,
  TestDifference,
  TestOutcome,
  TestProblem,
  TestReport,
  TestSuite,
  TestSummary,
} from './report.ts';

const problem = object<TestProblem>({
  code: text,
  message: text,
  hint: opt(text),
  file: opt(text),
  line: opt(whole),
  column: opt(whole),
});

const difference = object<TestDifference>({
  field: described(text, 'Of the expectation.'),
  expected: text,
  found: text,
  reasons: opt(described(list(text), 'Of a matrix: what decides, and where it stands.')),
});

const testCase = object<TestCase>({
  kind: closed<TestCase['kind']>()('trace', 'matrix'),
  name: opt(text),
  title: text,
  file: text,
  line: opt(whole),
  column: opt(whole),
  outcome: described(
    closed<TestOutcome>()('passed', 'failed', 'error', 'skipped'),
    'error: it cannot be asked; skipped: enough had failed before.',
  ),
  disposition: opt(described(text, 'How the trace came out.')),
  differences: list(difference),
  problems: described(list(problem), 'Why it could not be asked.'),
  trace: opt(described(text, 'The trace of what differs, as text.')),
});

const suite = object<TestSuite>({
  file: text,
  name: opt(text),
  description: opt(text),
  cases: list(testCase),
  problems: described(list(problem), 'Why it could not be tested at all.'),
});

const summary = object<TestSummary>({
  suites: count,
  cases: count,
  passed: count,
  failed: count,
  errors: count,
  skipped: count,
  silent: described(count, 'Suites that state nothing.'),
  withErrors: described(count, 'Suites that could not be tested, or with a case that cannot.'),
});

const report = object<TestReport>({
  apiVersion: only('k8snet/v1'),
  kind: only('TestReport'),
  suites: list(suite),
  summary,
});

export const testReportSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'k8snet TestReport',
  ...report.json,
});
