/** One stage of the tour: what it shows, what it asks, and how the engine grades the answer. */
import type { TourMessages } from './messages/tour-messages.ts';
import type { TracedAnswer, TraceQuestion } from './port.ts';

export type StageId = keyof TourMessages['stages'];

export interface Stage {
  readonly id: StageId;
  readonly question: TraceQuestion;
  /** The right option, computed from what the engine found; undefined: the engine disproves all. */
  readonly grade: (answer: TracedAnswer) => string | undefined;
  /** Values of the options, in the order shown; their texts are in the messages. */
  readonly options: readonly string[];
}
