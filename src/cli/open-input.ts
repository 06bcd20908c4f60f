/** The input that every command shares: which files, and how they are changed. */
import { skippedText } from '../render/diagnostics-text.ts';
import { readBuiltIn } from '../scenario/find-built-in.ts';
import type { OpenedScenario, OpenOptions, OpenResult } from '../scenario/open.ts';
import { openBuiltIn, openScenario } from '../scenario/open.ts';
import type { Io } from './io.ts';
import { progressLine } from './progress-line.ts';
import { report, stderrStyle } from './report.ts';

export interface InputOptions {
  readonly file?: readonly string[];
  /** A built-in one. */
  readonly scenario?: string;
  readonly recursive?: boolean;
  readonly set?: readonly string[];
  readonly break?: readonly string[];
  readonly namespace?: string;
  readonly listen?: 'evidence' | 'declared';
  readonly color?: boolean;
  /** The input is wanted again, with patches. */
  readonly withFix?: boolean;
}

/**
 * Opens what the options name as one cluster, else K8SNET_SCENARIO, else the built-in scenario, and
 * says on standard error what is wrong or odd.
 *
 * @returns undefined when the input is bad.
 */
export async function openInput(
  options: InputOptions,
  io: Io,
): Promise<OpenedScenario | undefined> {
  const line = progressLine(io);
  const result = await open(options, io, line.show);
  line.clear();
  await report(result.diagnostics, options, io);
  if (!result.ok) return undefined;
  const { skipped } = result.scenario;
  if (skipped.size > 0) {
    io.stderr.write(skippedText(skipped, await stderrStyle(options, io)));
  }
  return result.scenario;
}

/**
 * The same input as it is before `--set` and `--break`, without a word: what is wrong with it was
 * said when it was opened with them.
 *
 * @returns undefined where that is not to be had: it is standard input, or an override mends it.
 */
export async function openAgain(
  { set: _, break: __, ...options }: InputOptions,
  io: Io,
): Promise<OpenedScenario | undefined> {
  if (options.file?.includes('-')) return undefined;
  const line = progressLine(io);
  const result = await open(options, io, line.show);
  line.clear();
  return result.ok ? result.scenario : undefined;
}

async function open(
  options: InputOptions,
  io: Io,
  progress: OpenOptions['progress'],
): Promise<OpenResult> {
  const { file = [], scenario } = options;
  const standing = io.env['K8SNET_SCENARIO'];
  const openOptions: OpenOptions = {
    set: options.set,
    break: options.break,
    namespace: options.namespace,
    listen: options.listen,
    recursive: options.recursive,
    threads: io.threads,
    progress,
    keep: options.withFix,
  };
  if (file.length === 0) {
    if (scenario !== undefined) return openBuiltIn(scenario, openOptions);
    return standing ? openScenario([standing], openOptions) : openBuiltIn(undefined, openOptions);
  }
  if (scenario === undefined) return openScenario(file, openOptions);
  const source = await readBuiltIn(scenario);
  return 'diagnostic' in source
    ? { ok: false, diagnostics: [source.diagnostic] }
    : openScenario([...file, source], openOptions);
}
