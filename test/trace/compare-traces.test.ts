import { describe, expect, it } from 'vitest';
import { ask, type Question } from '../../src/check/ask.ts';
import { type OpenOptions, openBuiltIn } from '../../src/scenario/open.ts';
import { changesBetween, costOf, whereTheyPart } from '../../src/trace/compare-traces.ts';
import type { Leg, TraceFacts } from '../../src/trace/trace.ts';

const traced = async (
  name: string,
  options: OpenOptions = {},
  question: Partial<Question> = {},
): Promise<TraceFacts> => {
  const opened = await openBuiltIn(name, options);
  if (!opened.ok) throw new Error('does not open');
  const answer = ask(opened.scenario, { from: 'pod-a', to: 'pod-b', ...question });
  if (!answer.ok) throw new Error('cannot be asked');
  return answer.facts;
};

const withoutLast = (legs: readonly Leg[]): Leg[] => legs.slice(0, -1);

describe('two traces', () => {
  it('of one cluster are the same, whatever port the socket picked', async () => {
    const a = await traced('basics/two-nodes');
    const b = await traced('basics/two-nodes', {}, { sourcePort: 50_000 });
    expect(whereTheyPart(a, b)).toBeUndefined();
    expect(changesBetween(a, b)).toEqual([]);
    expect(costOf(a)).toEqual(costOf(b));
  });

  it('part at the route that gives no source, not at the socket that asks for it', async () => {
    const before = await traced('basics/two-nodes');
    const now = await traced('basics/two-nodes', {
      break: ['pod/pod-a: ip route add prohibit 10.244.2.2/32'],
    });
    expect(whereTheyPart(before, now)?.now?.step).toMatchObject({ n: 2, kind: 'route' });
  });

  it('part where one ends', async () => {
    const whole = await traced('basics/two-nodes');
    const half = { legs: withoutLast(whole.legs) };
    const first = whole.legs[1]?.hops[0]?.steps[0];
    expect(whereTheyPart(half, whole)).toMatchObject({ now: { packet: 'synack', step: first } });
    expect(whereTheyPart(whole, half)).toMatchObject({ before: { packet: 'synack', step: first } });
    expect(changesBetween(half, whole).every(({ was, is }) => !was && is)).toBe(true);
    expect(changesBetween({ legs: [] }, { legs: [] })).toEqual([]);
  });

  it('have a counterpart for each step but those that came or went', async () => {
    const before = await traced('basics/two-nodes');
    const now = await traced('basics/two-nodes', {
      break: ['node/node-2: iptables -I FORWARD -j ACCEPT'],
    });
    const changes = changesBetween(before, now);
    expect(new Set(changes.map(({ was, is }) => `${was?.step.kind} > ${is?.step.kind}`))).toEqual(
      new Set(['rule > rule']),
    );
    expect(whereTheyPart(before, now)?.now?.step.detail).toMatchObject({ chain: 'FORWARD' });
  });

  it('are not told apart by the position of a rule that decides as it did', async () => {
    const before = await traced('basics/two-nodes');
    const now = await traced('basics/two-nodes', {
      break: ['node/node-2: iptables -I FLANNEL-FWD -p udp -j DROP'],
    });
    expect(whereTheyPart(before, now)).toBeUndefined();
  });

  it('differ in the leg that comes back as something else', async () => {
    const before = await traced('basics/two-nodes');
    const now = await traced('failures/firewall-reject');
    const packets = changesBetween(before, now).map(({ was, is }) => (is ?? was)?.packet);
    expect(new Set(packets)).toEqual(new Set(['syn', 'synack', 'icmp-error']));
  });
});
