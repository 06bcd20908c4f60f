/** What a command that only looks is given, and what it comes to. */
import type { Netns } from '../../kernel/world.ts';
import type { Shown } from '../print/show.ts';

/** Where it runs. */
export interface ExecPlace {
  readonly world: Shown;
  readonly netns: Netns;
}

export interface ExecResult {
  /** Exit code of the command. */
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** One command of a node, as far as it is here. */
export interface ExecCommand {
  /** Its forms, for whoever asks for one that is not here. */
  readonly forms: readonly string[];
  /** Undefined: the arguments are of a form that is not here. */
  run(place: ExecPlace, args: readonly string[]): ExecResult | undefined;
}

export const printed = (out: readonly string[]): ExecResult => ({ code: 0, out, err: [] });

export const failed = (code: number, ...err: readonly string[]): ExecResult => ({
  code,
  out: [],
  err,
});
