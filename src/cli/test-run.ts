/** Tests what was planned: each expectation is asked, and what came out becomes a case of a suite. */
import { type Judged, judge } from '../check/judge.ts';
import type { TestCase, TestSuite } from '../check/test/report.ts';
import { atPlace, type Diagnostic } from '../cluster/diagnostic.ts';
import { tellMisuse } from '../explain/misuse.ts';
import { namesOf } from '../explain/telling.ts';
import { traceMinimal } from '../render/trace-minimal.ts';
import type { Expectation } from '../scenario/expectation.ts';
import type { OpenedTest, TestTarget } from '../scenario/expectations/plan.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { minimalOf } from '../trace/minimal.ts';
import { words } from './tell.ts';
import { type Patience, problemOf } from './test-problem.ts';

/** What was asked and answered. */
export type Traced = Extract<Judged, { kind: 'traced' }>;

export interface RunOptions {
  /** The whole trace of a difference, instead of its minimal form. */
  readonly traceOf?: ((judged: Traced, scenario: OpenedScenario) => Promise<string>) | undefined;
  /** Told every trace that is otherwise than expected. */
  readonly onDiffer?: ((judged: Traced) => void) | undefined;
  /** Whether an expectation is meant, by its name and its ends; default: all. */
  readonly isMeant?: ((texts: readonly string[]) => boolean) | undefined;
}

/** `a → b:80 (udp/53, 1400 bytes)`: the question as the file puts it. */
const titleOf = ({ from, to, protocol, port, size }: Expectation): string => {
  const details = [
    [protocol, port].filter((part) => part !== undefined).join('/'),
    size === undefined ? '' : words.story.bytes(size),
  ].filter((part) => part !== '');
  return `${from} → ${to}${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
};

const headOf = (expectation: Expectation) => {
  const { name } = expectation;
  const { file, line, column } = atPlace(expectation.place);
  return {
    kind: 'trace' as const,
    ...(name !== undefined && { name }),
    title: titleOf(expectation),
    file: file ?? '',
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
};

const caseOf = async (
  judged: Judged,
  scenario: OpenedScenario,
  { traceOf }: RunOptions,
): Promise<TestCase> => {
  const head = headOf(judged.expectation);
  if (judged.kind === 'unanswerable') {
    const place = atPlace(judged.expectation.place);
    const diagnostics = [
      ...judged.diagnostics,
      ...judged.misuses.map((misuse) => ({ ...tellMisuse(misuse, words), ...place })),
    ];
    return { ...head, outcome: 'error', differences: [], problems: diagnostics.map(problemOf) };
  }
  const { facts, differences } = judged;
  const { disposition } = facts;
  if (differences.length === 0)
    return { ...head, outcome: 'passed', disposition, differences, problems: [] };
  const trace = traceOf
    ? await traceOf(judged, scenario)
    : traceMinimal(minimalOf(facts, namesOf(scenario.world)), facts);
  return { ...head, outcome: 'failed', disposition, differences, problems: [], trace };
};

const skipped = (expectation: Expectation): TestCase => ({
  ...headOf(expectation),
  outcome: 'skipped',
  differences: [],
  problems: [],
});

/** What `--only` looks at. */
export const textsOf = ({ name, from, to }: Expectation): readonly string[] => [
  ...(name === undefined ? [] : [name]),
  from,
  to,
];

const casesOf = async (
  opened: Extract<OpenedTest, { ok: true }>,
  patience: Patience,
  options: RunOptions,
): Promise<TestCase[]> => {
  const { scenario, expectations } = opened;
  const { isMeant = () => true } = options;
  const cases: TestCase[] = [];
  for (const expectation of expectations) {
    if (!isMeant(textsOf(expectation))) continue;
    const [judged] = scenario && patience.left > 0 ? judge(scenario, [expectation]) : ([] as const);
    if (!scenario || !judged) {
      cases.push(skipped(expectation));
      continue;
    }
    const found = await caseOf(judged, scenario, options);
    cases.push(found);
    if (judged.kind === 'traced' && found.outcome === 'failed') options.onDiffer?.(judged);
    if (found.outcome !== 'passed') patience.left -= 1;
  }
  return cases;
};

/** Opens one target and asks all that it expects. */
export async function runTarget(
  { file, name, open }: TestTarget,
  patience: Patience,
  options: RunOptions,
): Promise<{ readonly suite: TestSuite; readonly diagnostics: readonly Diagnostic[] }> {
  const opened = await open();
  const { diagnostics } = opened;
  const head = { file, ...(name !== undefined && { name }) };
  if (!opened.ok) {
    patience.left -= 1;
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    return { suite: { ...head, cases: [], problems: errors.map(problemOf) }, diagnostics };
  }
  const { description } = opened;
  const cases = await casesOf(opened, patience, options);
  if (opened.matrix.length > 0) {
    const { matrixCases } = await import('./test-matrix.ts');
    cases.push(...matrixCases(opened.cluster, opened.matrix, patience, options.isMeant));
  }
  const suite = {
    ...head,
    ...(description !== undefined && { description }),
    cases,
    problems: [],
  };
  return { suite, diagnostics };
}
