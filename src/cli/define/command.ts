/** What every definition of a command gets, and how its help ends. */
import type { Io } from '../io.ts';
import type { Command } from './commander.ts';

/**
 * Adds one command to the program: its arguments, options and help. Its work is loaded when it is
 * called.
 *
 * @param end takes the exit code.
 */
export type Define = (program: Command, io: Io, end: (code: number) => void) => void;

/**
 * What follows the options: examples, and a paragraph below them. Examples are tested: each runs in
 * an empty directory and ends with the code of its remark, or 0.
 */
export const examples = (lines: readonly string[], ...below: readonly string[]): string =>
  [`\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`, ...below].join('\n\n');
