/** Events of the kernel as numbered steps, grouped into visits to namespaces. */
import type { Hop, Step } from './trace.ts';
import type { TraceEvent } from './trace-event.ts';

type Draft = { -readonly [Key in keyof Step]: Step[Key] };

// Spreads of optional parts would take most of the time that a whole trace takes.
const stepOf = ({ kind, device, action, detail, origin, packet }: TraceEvent, n: number): Step => {
  const step: Draft =
    device === undefined ? { n, kind, action, detail } : { n, kind, device, action, detail };
  if (origin) step.origin = origin;
  if (packet) step.packet = packet;
  return step;
};

/**
 * One hop for each visit to one namespace, in order.
 * @param first number of the first step; the others follow without gaps
 */
export const hopsOf = (events: readonly TraceEvent[], first: number): Hop[] => {
  const hops: { node: string; netns: string; steps: Step[] }[] = [];
  let current: NonNullable<(typeof hops)[number]> | undefined;
  let id: string | undefined;
  let n = first;
  for (const event of events) {
    if (!current || event.netns !== id) {
      id = event.netns;
      const slash = id.indexOf('/');
      current = { node: id.slice(0, slash), netns: id.slice(slash + 1), steps: [] };
      hops.push(current);
    }
    current.steps.push(stepOf(event, n++));
  }
  return hops;
};
