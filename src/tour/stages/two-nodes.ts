/** Stage: Pods of two nodes talk over routes and a tunnel; each node is a router on the way. */
import type { Stage } from '../stage.ts';
import { innerTtls } from '../taps-passed.ts';

export const twoNodes: Stage = {
  id: 'two-nodes',
  question: { scenario: 'basics/two-nodes', from: 'pod-a', to: 'pod-b' },
  options: ['0', '1', '2', '3'],
  grade: ({ facts }) => {
    const ttls = innerTtls(facts);
    const [first, last] = [ttls.at(0), ttls.at(-1)];
    return first === undefined || last === undefined ? undefined : String(first - last);
  },
};
