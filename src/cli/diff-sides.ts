/** Both sides of a diff, opened; what is wrong or odd with them is said once. */
import type { SideName } from '../check/diff/change.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { placedBefore } from '../cluster/top-controller.ts';
import { skippedText } from '../render/diagnostics-text.ts';
import { type LateScenario, openBuiltInLate, openLate } from '../scenario/open-late.ts';
import type { DiffCommandOptions } from './diff-options.ts';
import type { Io } from './io.ts';
import { type Opener, openQuietly } from './open-input.ts';
import { report, stderrStyle } from './report.ts';

export interface DiffSides {
  readonly base: LateScenario;
  readonly head: LateScenario;
  /** As the command line has them. */
  readonly inputs: Readonly<Record<SideName, readonly string[]>>;
}

const withoutWorld: Opener<LateScenario> = { inputs: openLate, builtIn: openBuiltInLate };

const STDIN = '-';

/** @returns undefined when an input of either side is bad. */
export async function openSides(
  base: string,
  head: string,
  options: DiffCommandOptions,
  io: Io,
): Promise<DiffSides | undefined> {
  const { file = [] } = options;
  const inputs = {
    base: [base, ...(options.base ?? []), ...file],
    head: [head, ...(options.head ?? []), ...file],
  };
  if (inputs.base.includes(STDIN) && inputs.head.includes(STDIN)) {
    await report([stdinTwice()], options, io);
    return undefined;
  }
  const was = await openQuietly(withoutWorld, { ...options, file: inputs.base }, io);
  const is = await openQuietly(
    withoutWorld,
    {
      ...options,
      file: inputs.head,
      ...(was.ok && { placedBefore: placedBefore(was.scenario.cluster) }),
    },
    io,
  );
  await report(once(was.diagnostics, is.diagnostics), options, io);
  if (!was.ok || !is.ok) return undefined;
  const style = await stderrStyle(options, io);
  const skipped = [was, is].map(({ scenario }) => skippedText(scenario.skipped, style));
  for (const text of new Set(skipped)) io.stderr.write(text);
  return { base: was.scenario, head: is.scenario, inputs };
}

function stdinTwice(): Diagnostic {
  return {
    severity: 'error',
    code: 'bad-usage',
    message: 'standard input can be read for one side only',
    hint: 'Give the other side as a file or a directory.',
  };
}

/** What BASE has to say, and what HEAD has to say beyond that, whatever their files are called. */
export function once(base: readonly Diagnostic[], head: readonly Diagnostic[]): Diagnostic[] {
  const keyOf = ({ severity, code, message, path }: Diagnostic): string =>
    JSON.stringify([severity, code, message, path]);
  const known = new Map<string, number>();
  for (const one of head) known.set(keyOf(one), (known.get(keyOf(one)) ?? 0) + 1);
  const ofBase = base.filter((one) => {
    const left = known.get(keyOf(one)) ?? 0;
    known.set(keyOf(one), left - 1);
    return left <= 0;
  });
  return [...ofBase, ...head];
}
