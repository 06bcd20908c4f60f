import { describe, expect, it } from 'vitest';
import { ask, type Question } from '../../src/check/ask.ts';
import { askAgain } from '../../src/check/ask-again.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';

const opened = async (name: string) => {
  const result = await openBuiltIn(name);
  if (!result.ok) throw new Error('does not open');
  return result.scenario;
};

const again = async (name: string, question: Question): Promise<TraceFacts> => {
  const answer = askAgain(await opened(name), question);
  if (!answer.ok) throw new Error('cannot be asked');
  return answer.facts;
};

/** `neighbour resolved > known`, `hook accept >`. */
const changed = ({ warm }: TraceFacts): string[] =>
  (warm?.changes ?? []).map(
    ({ was, is }) =>
      `${(was ?? is)?.step.kind} ${was?.step.action ?? ''} > ${is?.step.action ?? ''}`,
  );

describe('the second probe', () => {
  it('of TCP is a new connection: only ARP is spared', async () => {
    const facts = await again('basics/two-nodes', { from: 'pod-a', to: 'pod-b' });
    expect(facts.probe.sourcePort).toBe(40_001);
    expect(new Set(changed(facts))).toEqual(new Set(['neighbour resolved > known']));
    expect(facts.warm?.first).toMatchObject({ arpExchanges: 3, natLookups: 10, newConnections: 6 });
    expect(facts.warm?.second).toMatchObject({
      arpExchanges: 0,
      arpFrames: 0,
      natLookups: 10,
      newConnections: 6,
    });
  });

  it('of an echo belongs to the connection: nat is not consulted', async () => {
    const facts = await again('basics/two-nodes', {
      from: 'pod-a',
      to: 'pod-b',
      protocol: 'icmp',
    });
    expect(facts.probe.sourcePort).toBe(40_000);
    expect(changed(facts)).toContain('conntrack new > established');
    expect(changed(facts)).toContain('hook accept > ');
    expect(facts.warm?.second).toMatchObject({ natLookups: 0, newConnections: 0 });
  });

  it('keeps what a rule bound once: the masquerading rule is not asked again', async () => {
    const facts = await again('outside/pod-to-outside', {
      from: 'pod-a',
      to: 'external',
      protocol: 'icmp',
    });
    const nat = facts.warm?.changes.find(({ was }) => was?.step.kind === 'nat');
    expect(nat?.was?.step.detail).toMatchObject({ chain: 'FLANNEL-POSTRTG' });
    expect(facts.disposition).toBe('delivered');
  });

  it('goes the way of the first, and leaves the cold trace as it is', async () => {
    const question = { from: 'pod-a', to: 'pod-b' };
    const scenario = await opened('basics/one-node');
    const cold = ask(scenario, question);
    const warm = askAgain(scenario, question);
    expect(ask(scenario, question)).toEqual(cold);
    if (!cold.ok || !warm.ok) throw new Error('cannot be asked');
    expect(warm.facts.legs.map(({ hops }) => hops.map(({ netns }) => netns))).toEqual(
      cold.facts.legs.map(({ hops }) => hops.map(({ netns }) => netns)),
    );
  });

  it('has nothing to spare where no packet was sent, and no meaning for a bad question', async () => {
    const facts = await again('failures/not-running', { from: 'pod-a', to: 'finished' });
    expect(facts.warm?.changes).toEqual([]);
    expect(askAgain(await opened('basics/one-node'), { from: 'x', to: 'y' }).ok).toBe(false);
  });
});
