/** How a trace ended, in a little more detail than its disposition: what the last line says. */
import type { Disposition, TraceFacts } from '../trace/trace.ts';

/**
 * rejected-here: the sender's own kernel refused; nothing came from anywhere. rejected-unheard: an
 * error was sent, and the sender did not hear it. unsent: no packet exists. unresolved: no address
 * to send to.
 */
export type Verdict = Disposition | 'rejected-here' | 'rejected-unheard' | 'unsent' | 'unresolved';

/** @returns the disposition, unless it says less than what is known. */
export function verdictOf({ disposition, symptom, legs }: TraceFacts): Verdict {
  if (symptom === 'name not found' && legs.length === 0)
    return disposition === 'ambiguous' ? disposition : 'unresolved';
  if (legs.length === 0) return disposition === 'dropped' ? 'unsent' : disposition;
  if (disposition !== 'rejected') return disposition;
  if (symptom === 'timeout' || symptom === 'hangs on large data') return 'rejected-unheard';
  const [first] = legs;
  const answered = legs.some(({ direction }) => direction === 'reply');
  return first?.hops.length === 1 && !answered ? 'rejected-here' : disposition;
}
