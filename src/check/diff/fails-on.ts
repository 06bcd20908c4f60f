/** Which differences a pipeline takes for a failure. */
import type { Diff } from './diff.ts';

export type FailOn = 'opened' | 'closed' | 'changed' | 'added' | 'removed' | 'paths' | 'any';

const holds = ({ connections, summary, paths }: Diff, what: FailOn): boolean => {
  switch (what) {
    // Between peers of both sides: of a connection that has changed, too.
    case 'opened':
    case 'closed':
      return connections.some(
        (one) => one.change !== 'added' && one.change !== 'removed' && one[what].length > 0,
      );
    case 'changed':
    case 'added':
    case 'removed':
      return summary[what] > 0;
    case 'paths':
      return paths.some(({ changes }) => changes.length > 0);
    case 'any':
      return connections.length > 0 || paths.some(({ changes }) => changes.length > 0);
    default:
      return what satisfies never;
  }
};

export const failsOn = (diff: Diff, what: readonly FailOn[]): boolean =>
  what.some((one) => holds(diff, one));
