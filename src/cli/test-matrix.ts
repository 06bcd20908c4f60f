/** Cases of who may talk to whom; loaded where Expectations have some. */
import {
  type MatrixFinding,
  type MatrixJudge,
  matrixJudge,
} from '../check/expected-matrix/judge-matrix.ts';
import type { TestCase, TestDifference } from '../check/test/report.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { atPlace } from '../cluster/diagnostic.ts';
import { expectedMatrixWords as words } from '../explain/messages/en/expected-matrix.ts';
import { connectionText } from '../policy/connection-set.ts';
import type { MatrixExpectation } from '../scenario/expectations/matrix-expectation.ts';
import { type Patience, problemOf } from './test-problem.ts';

/** More pairs than these tell nothing more: one policy is behind most of them. */
const MOST_SHOWN = 5;

/** Reasons of what is found: who lets it through, or who does not. */
const reasonsOf = ({ verdicts, found }: MatrixFinding): string[] => {
  const telling = found === 'denied' ? 'deny' : found === 'undecided' ? 'unknown' : 'allow';
  return verdicts.filter(({ decision }) => decision === telling).map(words.reason);
};

const differenceOf = (finding: MatrixFinding): TestDifference => {
  const { verb, ports, ...pair } = finding;
  const told = { ...pair, ...(ports && { ports: connectionText(ports) }) };
  return {
    field: verb,
    expected: words.expected(told),
    found: words.found(told),
    reasons: reasonsOf(finding),
  };
};

const differencesOf = (findings: readonly MatrixFinding[]): TestDifference[] => {
  const shown = findings.slice(0, MOST_SHOWN).map(differenceOf);
  const rest = findings.length - shown.length;
  const [first] = findings.slice(MOST_SHOWN);
  return first ? [...shown, { field: first.verb, ...words.more(rest) }] : shown;
};

const caseOf = (
  expectation: MatrixExpectation,
  judge: MatrixJudge['judge'] | undefined,
): TestCase => {
  const { name, place } = expectation;
  const { file = '', ...at } = atPlace(place);
  const head = {
    kind: 'matrix' as const,
    ...(name !== undefined && { name }),
    title: words.title(expectation),
    file,
    ...at,
  };
  if (!judge) return { ...head, outcome: 'skipped', differences: [], problems: [] };
  const judged = judge(expectation);
  if (judged.kind === 'unanswerable') {
    const problems = judged.diagnostics.map(problemOf);
    return { ...head, outcome: 'error', differences: [], problems };
  }
  const differences = differencesOf(judged.findings);
  const outcome = differences.length === 0 ? 'passed' : 'failed';
  return { ...head, outcome, differences, problems: [] };
};

/** What `--only` looks at. */
const textsOf = ({ name, subjects, only = [], allow = [], deny = [] }: MatrixExpectation) => [
  ...(name === undefined ? [] : [name]),
  ...[...subjects, ...only, ...allow, ...deny].map(({ text }) => text),
];

/** Judges the matrix expectations of one target, in order. */
export function matrixCases(
  cluster: Cluster,
  expectations: readonly MatrixExpectation[],
  patience: Patience,
  isMeant: (texts: readonly string[]) => boolean = () => true,
): TestCase[] {
  const meant = expectations.filter((one) => isMeant(textsOf(one)));
  if (meant.length === 0) return [];
  const { judge } = matrixJudge(cluster);
  return meant.map((expectation) => {
    const found = caseOf(expectation, patience.left > 0 ? judge : undefined);
    if (found.outcome === 'failed' || found.outcome === 'error') patience.left -= 1;
    return found;
  });
}
