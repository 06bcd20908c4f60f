/** Stage: a Pod calls a Service; the rules of its own node rewrite where the packet goes, and no more. */
import type { Stage } from '../stage.ts';

export const service: Stage = {
  id: 'service',
  question: { scenario: 'services/mode-iptables', from: 'client', to: 'svc/web' },
  options: ['service', 'node', 'client'],
  grade: ({ facts: { sourceSeen, probe } }) => {
    if (sourceSeen === undefined) return undefined;
    if (sourceSeen.ip === probe.from.ip) return 'client';
    return sourceSeen.ip === probe.to.ip ? 'service' : 'node';
  },
};
