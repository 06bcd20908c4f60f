/** What `k8snet test` found, in the published form (`kind: TestReport`). */

export interface TestReport {
  readonly apiVersion: 'k8snet/v1';
  readonly kind: 'TestReport';
  readonly suites: readonly TestSuite[];
  readonly summary: TestSummary;
}

/** A file with what its Scenario expects, or one document of kind Expectations. */
export interface TestSuite {
  /** As the user named it. */
  readonly file: string;
  /** Of Expectations: what they are called. */
  readonly name?: string;
  readonly description?: string;
  readonly cases: readonly TestCase[];
  /** Why it could not be tested at all. */
  readonly problems: readonly TestProblem[];
}

export interface TestCase {
  readonly kind: 'trace' | 'matrix';
  /** As the expectation is called; absent: it has no name. */
  readonly name?: string;
  /** What is asked: `pod-a → pod-b:80`. */
  readonly title: string;
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly outcome: TestOutcome;
  /** How the trace came out. */
  readonly disposition?: string;
  readonly differences: readonly TestDifference[];
  /** Why it could not be asked. */
  readonly problems: readonly TestProblem[];
  /** The trace of what differs. */
  readonly trace?: string;
}

/** `error`: it cannot be asked. `skipped`: enough had failed before (`--bail`). */
export type TestOutcome = 'passed' | 'failed' | 'error' | 'skipped';

export interface TestDifference {
  /** Of the expectation. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  /** Of a matrix: what decides, and where it stands. */
  readonly reasons?: readonly string[];
}

export interface TestProblem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface TestSummary {
  readonly suites: number;
  readonly cases: number;
  readonly passed: number;
  readonly failed: number;
  readonly errors: number;
  readonly skipped: number;
  /** Suites that state nothing. */
  readonly silent: number;
  /** Suites that could not be tested, or with a case that cannot be asked. */
  readonly withErrors: number;
}

const hasProblem = ({ problems, cases }: TestSuite): boolean =>
  problems.length > 0 || cases.some(({ outcome }) => outcome === 'error');

/** Suites and how they came out. */
export const testReport = (suites: readonly TestSuite[]): TestReport => {
  const cases = suites.flatMap((suite) => suite.cases);
  const count = (outcome: TestOutcome): number =>
    cases.filter((one) => one.outcome === outcome).length;
  return {
    apiVersion: 'k8snet/v1',
    kind: 'TestReport',
    suites,
    summary: {
      suites: suites.length,
      cases: cases.length,
      passed: count('passed'),
      failed: count('failed'),
      errors: count('error') + suites.filter(({ problems }) => problems.length > 0).length,
      skipped: count('skipped'),
      silent: suites.filter((one) => one.cases.length + one.problems.length === 0).length,
      withErrors: suites.filter(hasProblem).length,
    },
  };
};
