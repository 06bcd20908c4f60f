import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';

const asked = async (broken: readonly string[]): Promise<TraceFacts> => {
  const opened = await openBuiltIn('dns/one-server-broken', { break: broken });
  if (!opened.ok) throw new Error('does not open');
  const answer = ask(opened.scenario, { from: 'client', to: 'web.shop' });
  if (!answer.ok) throw new Error('cannot be asked');
  return answer.facts;
};

describe('several Pods of one name server', () => {
  it('are asked each, and the one that does not answer is told', async () => {
    const facts = await asked([]);
    expect(facts).toMatchObject({ disposition: 'ambiguous', cause: { code: 'DNS_UNREACHABLE' } });
    expect(facts.resolution?.queries).toHaveLength(1);
    expect(facts.resolution?.queries[0]).toMatchObject({
      disposition: 'dropped',
      told: { choice: 'backend', name: 'kube-system/coredns-2', others: 1 },
      alternatives: [{ name: 'kube-system/coredns-1', disposition: 'delivered' }],
    });
  });

  it('that all answer leave the name as it is', async () => {
    const facts = await asked(['node/node-2: iptables -D FORWARD -p udp --dport 53 -j DROP']);
    expect(facts.disposition).toBe('delivered');
    const fates = facts.resolution?.queries.map(({ told, alternatives = [] }) =>
      [...(told ? [told] : []), ...alternatives].map(({ disposition }) => disposition),
    );
    expect(new Set(fates?.flat())).toEqual(new Set(['delivered']));
  });

  it('that all fail are no question of chance', async () => {
    const facts = await asked(['node/node-1: iptables -I FORWARD -p udp --dport 53 -j DROP']);
    expect(facts.disposition).toBe('dropped');
    expect(facts.symptom).toBe('name not found');
  });
});
