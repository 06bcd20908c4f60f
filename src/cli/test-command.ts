/** `k8snet test`: do the traces of scenarios come out as the scenarios expect? */
import { type Judged, judge } from '../check/judge.ts';
import { atPlace, type Diagnostic } from '../cluster/diagnostic.ts';
import { tellMisuse } from '../explain/misuse.ts';
import { namesOf } from '../explain/telling.ts';
import { type Count, countText, fileReport } from '../render/report-text.ts';
import { traceMinimal } from '../render/trace-minimal.ts';
import { readBuiltIn } from '../scenario/find-built-in.ts';
import { type OpenedScenario, openScenario } from '../scenario/open.ts';
import { listSources } from '../scenario/read/files.ts';
import type { Source, SourceText } from '../scenario/read/source.ts';
import { minimalOf } from '../trace/minimal.ts';
import { glyphsFor, styleFor, wantsColor, widthOf } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import type { InputOptions } from './open-input.ts';
import { report } from './report.ts';
import { tell, words } from './tell.ts';

export type TestOptions = Pick<InputOptions, 'recursive' | 'color' | 'set' | 'break' | 'listen'> & {
  /** Built-in ones. */
  readonly scenario?: readonly string[];
  readonly verbose?: boolean;
};

/** @returns the exit code. */
export async function testCommand(
  paths: readonly string[],
  options: TestOptions,
  io: Io,
): Promise<number> {
  const { sources, diagnostics } = await gather(paths, options);
  await report(diagnostics, options, io);
  const count = { files: 0, silent: 0, bad: 0, hold: 0, differ: 0 };
  for (const source of sources) {
    count.files += 1;
    const tested = await testFile(source, options, io);
    if (tested === undefined) count.bad += 1;
    else if (tested.length === 0) count.silent += 1;
    else tally(tested, count);
  }
  if (sources.length > 0)
    io.stdout.write(`\n${countText(count, await stdoutStyle(options, io), words)}`);
  return exitCode(count, diagnostics, options, io);
}

async function exitCode(
  { silent, bad, hold, differ }: Count,
  diagnostics: readonly Diagnostic[],
  options: TestOptions,
  io: Io,
): Promise<number> {
  if (bad > 0 || diagnostics.some(({ severity }) => severity === 'error')) return EXIT.usage;
  if (differ > 0) return EXIT.failed;
  if (hold > 0) return EXIT.ok;
  // Nothing was tested: a check that cannot fail must not look like one that passed.
  const { nothingStated, nothingGiven, nothingHint: hint } = words.report;
  const message = silent > 0 ? nothingStated : nothingGiven;
  await report([{ severity: 'error', code: 'nothing-to-test', message, hint }], options, io);
  return EXIT.usage;
}

async function gather(
  paths: readonly string[],
  { scenario = [], recursive }: TestOptions,
): Promise<{ sources: (Source | SourceText)[]; diagnostics: Diagnostic[] }> {
  const diagnostics: Diagnostic[] = [];
  const sources: (Source | SourceText)[] = listSources(paths, { recursive }, (found) =>
    diagnostics.push(found),
  );
  for (const name of scenario) {
    const source = await readBuiltIn(name);
    if ('diagnostic' in source) diagnostics.push(source.diagnostic);
    else sources.push(source);
  }
  return { sources, diagnostics };
}

function tally(
  judged: readonly Judged[],
  count: { hold: number; differ: number; bad: number },
): void {
  if (judged.some(({ kind }) => kind === 'unanswerable')) count.bad += 1;
  for (const one of judged) {
    if (one.kind !== 'traced') continue;
    if (one.differences.length === 0) count.hold += 1;
    else count.differ += 1;
  }
}

/** Prints the report of one file; undefined when the file is bad. */
async function testFile(
  source: Source | SourceText,
  options: TestOptions,
  io: Io,
): Promise<readonly Judged[] | undefined> {
  const result = await openScenario([source], {
    set: options.set,
    break: options.break,
    listen: options.listen,
  });
  await report(result.diagnostics, options, io);
  if (!result.ok) return undefined;
  const { scenario } = result;
  const judged = judge(scenario);
  const asked = judged.flatMap((one) =>
    one.kind === 'unanswerable'
      ? [
          ...one.diagnostics,
          ...one.misuses.map((misuse) => ({
            ...tellMisuse(misuse, words),
            ...atPlace(one.expectation.place),
          })),
        ]
      : [],
  );
  await report(asked, options, io);
  const { description } = scenario.cluster;
  const text = fileReport(
    {
      file: source.file,
      ...(description !== undefined && { description }),
      judged,
      traceOf: await tracer(scenario, options, io),
    },
    {
      width: widthOf(io.env, io.stdout),
      style: await stdoutStyle(options, io),
      glyphs: glyphsFor(io.env),
      words,
    },
  );
  io.stdout.write(text);
  return judged;
}

function stdoutStyle({ color }: TestOptions, io: Io) {
  return styleFor(wantsColor(color, io.env, io.stdout));
}

/** How the trace of a difference is shown: its minimal form, or with -v the whole of it. */
async function tracer(
  scenario: OpenedScenario,
  options: TestOptions,
  io: Io,
): Promise<(judged: Judged) => string> {
  if (!options.verbose) {
    const nameOf = namesOf(scenario.world);
    return (judged) =>
      judged.kind === 'traced' ? traceMinimal(minimalOf(judged.facts, nameOf), judged.facts) : '';
  }
  const { traceText } = await import('../render/trace-text.ts');
  const style = await stdoutStyle(options, io);
  const glyphs = glyphsFor(io.env);
  const width = widthOf(io.env, io.stdout) - 6;
  return (judged) =>
    judged.kind === 'traced'
      ? traceText(tell(judged.facts, 'verbose', scenario, glyphs), {
          depth: 'verbose',
          width,
          style,
          glyphs,
          words,
        })
      : '';
}
