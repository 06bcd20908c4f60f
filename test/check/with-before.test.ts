import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { withBefore, withoutFaults } from '../../src/check/with-before.ts';
import { type OpenOptions, openBuiltIn } from '../../src/scenario/open.ts';
import type { Before } from '../../src/trace/trace.ts';

const fared = async (
  name: string,
  {
    question = { from: 'pod-a', to: 'pod-b' },
    ...options
  }: OpenOptions & { readonly question?: { readonly from: string; readonly to: string } } = {},
): Promise<Before | undefined> => {
  const result = await openBuiltIn(name, options);
  if (!result.ok) throw new Error('does not open');
  const answer = ask(result.scenario, question);
  const scenario = withoutFaults(result.scenario);
  if (!answer.ok || !scenario) throw new Error('cannot be asked');
  return withBefore(answer.facts, { scenario, without: 'faults' }, question, ask).before;
};

/** Where they part: the kinds and actions of both sides, and the step. */
const parting = ({ parts }: Before) =>
  `${parts?.before?.step.kind} ${parts?.before?.step.action}, now step ${parts?.step}`;

describe('the trace before the faults', () => {
  it.each([
    ['failures/underlay-blocked', 'wire carry, now step 29'],
    ['failures/fdb-missing', 'encapsulate vxlan, now step 20'],
    ['failures/tunnel-down', 'decapsulate vxlan, now step 36'],
    ['failures/blackhole', 'route lookup, now step 10'],
    // The hook says no more than that it dropped: the rule is what parts them.
    ['failures/firewall-drop', 'rule accept, now step 43'],
  ])('of %s parts from it: %s', async (name, expected) => {
    const found = await fared(name);
    expect(found).toMatchObject({ without: 'faults', disposition: 'delivered' });
    expect(found && parting(found)).toBe(expected);
  });

  it('takes the same steps where the fault changes nothing', async () => {
    const found = await fared('basics/two-nodes', {
      break: ['node/node-2: ip route add 172.30.0.0/16 via 192.168.10.1'],
    });
    expect(found).toEqual({ without: 'faults', disposition: 'delivered', symptom: 'connected' });
  });

  it('goes to the backend that is told now, whichever came first then', async () => {
    const found = await fared('services/cluster-ip', {
      question: { from: 'client', to: 'shop/svc/web' },
      break: ['node/node-2: ip link set flannel.1 down'],
    });
    expect(found).toMatchObject({ disposition: 'delivered' });
    expect(found && parting(found)).toBe('decapsulate vxlan, now step 37');
  });

  it('is left out where the question made no sense then', async () => {
    const result = await openBuiltIn('failures/blackhole');
    if (!result.ok) throw new Error('does not open');
    const answer = ask(result.scenario, { from: 'pod-a', to: 'pod-b' });
    if (!answer.ok) throw new Error('cannot be asked');
    const earlier = { scenario: result.scenario, without: 'overrides' } as const;
    const never = () => ({ ok: false, diagnostics: [], misuses: [] }) as const;
    expect(withBefore(answer.facts, earlier, { from: '', to: '' }, never)).toBe(answer.facts);
  });
});
