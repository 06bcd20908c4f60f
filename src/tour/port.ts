/** What the tour needs from outside: a screen, a person (or nobody), and the engine. */
import type { Story } from '../explain/story.ts';
import type { World } from '../kernel/world.ts';
import type { TraceFacts } from '../trace/trace.ts';

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly name: string;
}

/** Filled by the command line: prompts on a terminal, answers of its own where nobody watches. */
export interface TourPort {
  /** Prints text; lines end with a newline. */
  show(text: string): void;
  /**
   * Asks a person to choose. Unattended, the port answers with `unattended`.
   *
   * @returns the value of the chosen one.
   */
  choose<Value extends string>(
    message: string,
    choices: readonly Choice<Value>[],
    unattended: Value,
  ): Promise<Value>;
  /** Runs the engine on a built-in scenario. */
  trace(question: TraceQuestion): Promise<TracedAnswer>;
}

export interface TraceQuestion {
  /** Name of a built-in scenario, e.g. `basics/two-nodes`. */
  readonly scenario: string;
  readonly from: string;
  readonly to: string;
}

export interface TracedAnswer {
  readonly facts: TraceFacts;
  /** The trace told at its default depth, with `-v`'s facts on each step. */
  readonly story: Story;
  readonly world: World;
}
