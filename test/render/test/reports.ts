/** Reports for the tests of their forms. */
import { type TestCase, type TestSuite, testReport } from '../../../src/check/test/report.ts';

export const passed: TestCase = {
  kind: 'trace',
  name: 'the cart answers',
  title: 'deploy/web → svc/cart:80',
  file: 'checks.yaml',
  line: 8,
  column: 7,
  outcome: 'passed',
  disposition: 'delivered',
  differences: [],
  problems: [],
};

export const failed: TestCase = {
  kind: 'trace',
  title: 'a → b:80',
  file: 'checks.yaml',
  line: 9,
  column: 7,
  outcome: 'failed',
  disposition: 'dropped',
  differences: [
    { field: 'disposition', expected: 'delivered', found: 'dropped' },
    { field: 'only', expected: 'nobody else', found: 'c → b', reasons: ['policy x (p.yaml:3)'] },
  ],
  problems: [],
  trace: 'a > b tcp/80: dropped, timeout\n  node-1: drop\n',
};

export const unasked: TestCase = {
  kind: 'matrix',
  title: 'to b: only x # y',
  file: 'checks.yaml',
  line: 10,
  column: 7,
  outcome: 'error',
  differences: [],
  problems: [
    {
      code: 'unknown-endpoint',
      message: 'there is no Pod "x"',
      hint: 'y?',
      file: 'checks.yaml',
      line: 10,
    },
  ],
};

export const skipped: TestCase = { ...passed, name: 'later', outcome: 'skipped' };

export const suites: readonly TestSuite[] = [
  {
    file: 'checks.yaml',
    name: 'shop',
    description: 'What the shop needs.',
    cases: [passed, failed, unasked, skipped],
    problems: [],
  },
  {
    file: 'broken.yaml',
    cases: [],
    problems: [{ code: 'syntax', message: 'no <YAML>', file: 'broken.yaml', line: 3, column: 1 }],
  },
  { file: 'silent.yaml', cases: [], problems: [] },
];

export const report = testReport(suites);
