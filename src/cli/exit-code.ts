/** How a trace's outcome shows in the exit code. */
import type { Disposition } from '../trace/trace.ts';
import { EXIT } from './io.ts';

/** Exit codes of the published contract. */
export function exitCodeOf(disposition: Disposition): number {
  switch (disposition) {
    case 'delivered':
      return EXIT.ok;
    case 'refused':
    case 'rejected':
    case 'dropped':
    case 'looped':
    case 'reply-lost':
      return EXIT.failed;
    case 'ambiguous':
    case 'inconclusive':
      return EXIT.unsure;
    default:
      return disposition satisfies never;
  }
}
