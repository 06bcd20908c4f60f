/** `k8snet test`: does what scenarios and Expectations expect hold? */
import { type TestReport, type TestSuite, testReport } from '../check/test/report.ts';
import { createDiagnostics, type Diagnostic } from '../cluster/diagnostic.ts';
import { suiteText, summaryText } from '../render/test/report-text.ts';
import { type PlanOptions, planTests, type TestPlan } from '../scenario/expectations/plan.ts';
import { readBuiltIn } from '../scenario/find-built-in.ts';
import { listInputs } from '../scenario/read/list-inputs.ts';
import { glyphsFor, styleFor, wantsColor, widthOf } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import { changesOf } from './open-input.ts';
import { report } from './report.ts';
import { tell, words } from './tell.ts';
import { formatReport } from './test-formats.ts';
import { matcherOf } from './test-only.ts';
import type { TestOptions } from './test-options.ts';
import { type RunOptions, runTarget, type Traced } from './test-run.ts';

/** @returns the exit code. */
export async function testCommand(
  paths: readonly string[],
  options: TestOptions,
  io: Io,
): Promise<number> {
  const misuse = misuseOf(paths, options);
  if (misuse !== undefined) {
    await report([{ severity: 'error', code: 'usage', message: misuse }], options, io);
    return EXIT.usage;
  }
  if (!options.watch) return (await testOnce(paths, options, io)).exit;
  const { watchTests } = await import('./test-watch.ts');
  return watchTests([...paths, ...(options.expect ?? [])], () => testOnce(paths, options, io), io);
}

/** What is written to, or looked at again, has to be a file. */
function misuseOf(paths: readonly string[], options: TestOptions): string | undefined {
  const { update, watch, output, scenario = [], expect = [] } = options;
  if (!update && !watch) return undefined;
  const { builtIn, onlyText } = words.report.update;
  if (output !== 'text') return onlyText;
  const isFile = (path: string): boolean => path !== '-' && !path.startsWith('git:');
  return scenario.length > 0 || ![...paths, ...expect].every(isFile) ? builtIn : undefined;
}

/** @returns the exit code, and the files that were read. */
async function testOnce(
  paths: readonly string[],
  options: TestOptions,
  io: Io,
): Promise<{ readonly exit: number; readonly files: ReadonlySet<string> }> {
  const files = new Set<string>();
  const { plan, diagnostics } = await planned(paths, options, io, (file) => files.add(file));
  await report(diagnostics, options, io);
  const { suites, seen, differing } = await runAll(plan, options, io);
  const result = testReport(suites);
  await printWhole(result, options, io);
  const exit = await exitCode(result, diagnostics, seen, options, io);
  const isUpdate = options.update === true && exit !== EXIT.usage;
  if (!isUpdate) return { exit, files };
  const { updateFiles } = await import('./test-update.ts');
  return { exit: await updateFiles(differing, suites, options, io), files };
}

async function planned(
  paths: readonly string[],
  options: TestOptions,
  io: Io,
  onRead: (file: string) => void,
): Promise<{ readonly plan: TestPlan; readonly diagnostics: readonly Diagnostic[] }> {
  const { report: note, list } = createDiagnostics();
  const { scenario = [], expect = [], recursive } = options;
  const open: PlanOptions = {
    set: changesOf(options),
    break: options.break,
    listen: options.listen,
    recursive,
    threads: io.threads,
    onRead,
  };
  const overlays = await listInputs(expect, open, note);
  const sources: Parameters<typeof planTests>[0][number][] = [
    ...(await listInputs(paths, open, note)),
  ];
  for (const name of scenario) {
    const source = await readBuiltIn(name);
    if ('diagnostic' in source) note(source.diagnostic);
    else sources.push(source);
  }
  const plan = await planTests(sources, overlays, open);
  for (const diagnostic of plan.diagnostics) note(diagnostic);
  return { plan, diagnostics: list() };
}

/** Runs all; the text is written while it is known, the other forms at the end. */
async function runAll(
  { targets }: TestPlan,
  options: TestOptions,
  io: Io,
): Promise<{
  readonly suites: TestSuite[];
  readonly seen: readonly string[];
  readonly differing: readonly Traced[];
}> {
  const style = await stdoutStyle(options, io);
  const look = { width: widthOf(io.env, io.stdout), style, glyphs: glyphsFor(io.env), words };
  const { isMeant, seen } = matcherOf(options.only);
  const differing: Traced[] = [];
  const run: RunOptions = {
    isMeant,
    traceOf: await tracer(options, io),
    onDiffer: (judged) => differing.push(judged),
  };
  const patience = { left: options.bail ?? Number.POSITIVE_INFINITY };
  const suites: TestSuite[] = [];
  for (const target of targets) {
    const { suite, diagnostics } = await runTarget(target, patience, run);
    await report(diagnostics, options, io);
    // Of what was asked for, and is elsewhere, there is nothing to say.
    if (options.only !== undefined && suite.cases.length + suite.problems.length === 0) continue;
    const problems = suite.cases.flatMap((one) => one.problems);
    await report(
      problems.map((problem) => ({ ...problem, severity: 'error' as const })),
      options,
      io,
    );
    suites.push(suite);
    if (options.output === 'text') io.stdout.write(suiteText(suite, look));
  }
  return { suites, seen, differing };
}

async function printWhole(result: TestReport, options: TestOptions, io: Io): Promise<void> {
  const { output, soft = false } = options;
  if (output === 'text') {
    if (result.suites.length > 0)
      io.stdout.write(`\n${summaryText(result, await stdoutStyle(options, io), words)}`);
  } else {
    io.stdout.write(await formatReport(result, output, soft));
  }
}

async function exitCode(
  { summary }: TestReport,
  diagnostics: readonly Diagnostic[],
  seen: readonly string[],
  options: TestOptions,
  io: Io,
): Promise<number> {
  const isBad = diagnostics.some(({ severity }) => severity === 'error');
  if (isBad || summary.withErrors > 0) return EXIT.usage;
  if (summary.failed > 0) return options.soft ? EXIT.ok : EXIT.failed;
  if (summary.passed > 0) return EXIT.ok;
  // Nothing was tested: a check that cannot fail must not look like one that passed.
  const { nothingStated, nothingGiven, nothingHint, noMatch, noMatchHint } = words.report;
  const problem =
    options.only !== undefined && seen.length > 0
      ? {
          code: 'nothing-matched',
          message: noMatch(options.only),
          hint: noMatchHint(seen.slice(0, 5)),
        }
      : {
          code: 'nothing-to-test',
          message: summary.silent > 0 ? nothingStated : nothingGiven,
          hint: nothingHint,
        };
  await report([{ severity: 'error', ...problem }], options, io);
  return EXIT.usage;
}

function stdoutStyle({ color }: TestOptions, io: Io) {
  return styleFor(wantsColor(color, io.env, io.stdout));
}

/** With -v, the whole trace of a difference. */
async function tracer(options: TestOptions, io: Io): Promise<RunOptions['traceOf']> {
  if (!options.verbose) return undefined;
  const { traceText } = await import('../render/trace-text.ts');
  const { PLAIN } = await import('../render/style.ts');
  const style = options.output === 'text' ? await stdoutStyle(options, io) : PLAIN;
  const glyphs = glyphsFor(io.env);
  const width = widthOf(io.env, io.stdout) - 6;
  return ({ facts }, scenario) =>
    Promise.resolve(
      traceText(tell(facts, 'verbose', scenario, glyphs), {
        depth: 'verbose',
        width,
        style,
        glyphs,
        words,
      }),
    );
}
