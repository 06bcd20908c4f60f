/** The input of commands that send packets: a cluster with its World. */
import { type OpenedScenario, openBuiltIn, openScenario } from '../scenario/open.ts';
import type { Io } from './io.ts';
import { type InputOptions, type Opener, openAs, openQuietly } from './open-input.ts';

const withWorld: Opener<OpenedScenario> = { inputs: openScenario, builtIn: openBuiltIn };

/**
 * Opens what the options name, and says on standard error what is wrong or odd.
 * @returns undefined when the input is bad.
 */
export const openInput = (options: InputOptions, io: Io): Promise<OpenedScenario | undefined> =>
  openAs(withWorld, options, io);

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
  const result = await openQuietly(withWorld, options, io);
  return result.ok ? result.scenario : undefined;
}
