/** A step as the event it was made of, so that its kind tells what its detail holds. */
import type { KernelEvent } from '../kernel/event.ts';
import type { Step } from '../trace/trace.ts';

/** One event of the kernel model, without its namespace, which the hop names. */
type WithoutNetns<Event> = Event extends KernelEvent ? Omit<Event, 'netns'> : never;

export type StepEvent = WithoutNetns<KernelEvent>;

/** The same object, seen as what it is: numbering does not change an event. */
export function eventOf(step: Step): StepEvent {
  return step as StepEvent;
}
