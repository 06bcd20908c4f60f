import { describe, expect, it } from 'vitest';
import { en } from '../../src/explain/messages/en.ts';
import { tellWays } from '../../src/explain/ways.ts';
import type { Alternative, TraceFacts } from '../../src/trace/trace.ts';

const way = (name: string, node: string, ends: Partial<Alternative> = {}): Alternative => ({
  choice: 'backend',
  name,
  address: `${name}:8080`,
  node,
  disposition: 'delivered',
  symptom: 'connected',
  ...ends,
});

const factsOf = (told: Alternative, alternatives: readonly Alternative[]): TraceFacts => ({
  scenario: 'shop',
  probe: {
    from: { text: 'external', kind: 'external' },
    to: { text: 'svc/web', kind: 'service' },
    protocol: 'tcp',
  },
  disposition: 'delivered',
  symptom: 'connected',
  legs: [],
  assumptions: [],
  told: { ...told, others: alternatives.length },
  alternatives,
});

describe('ways over several nodes to several backends', () => {
  it('are a line for each backend while its nodes make no difference', () => {
    const ways = tellWays(
      factsOf(way('10.0.0.1', 'a'), [
        way('10.0.0.1', 'b'),
        way('10.0.0.2', 'a'),
        way('10.0.0.2', 'b'),
      ]),
      en,
    );
    expect(ways?.listed.map(({ names, told }) => [names.join(' '), told])).toEqual([
      ['10.0.0.1 10.0.0.1:8080 through a or b', true],
      ['10.0.0.2 10.0.0.2:8080 through a or b', false],
    ]);
  });

  it('are told apart where a node makes a difference', () => {
    const broken = { disposition: 'dropped', symptom: 'timeout', cause: 'LINK_DOWN' } as const;
    const ways = tellWays(
      factsOf(way('10.0.0.1', 'a', broken), [way('10.0.0.1', 'b'), way('10.0.0.1', 'c')]),
      en,
    );
    expect(ways?.listed.map(({ names, status }) => [names.at(-1), status])).toEqual([
      ['through a', 'bad'],
      ['through b or c', 'good'],
    ]);
  });
});
