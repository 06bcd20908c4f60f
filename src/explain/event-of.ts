/** A step as the event it was made of, so that its kind tells what its detail holds. */
import type { Step } from '../trace/trace.ts';
import type { TraceEvent } from '../trace/trace-event.ts';

/** One event, without its namespace, which the hop names. */
type WithoutNetns<Event> = Event extends TraceEvent ? Omit<Event, 'netns'> : never;

export type StepEvent = WithoutNetns<TraceEvent>;

/** The same object, seen as what it is: numbering does not change an event. */
export function eventOf(step: Step): StepEvent {
  return step as StepEvent;
}
