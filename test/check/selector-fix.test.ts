import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { mend } from '../../src/check/mend.ts';
import { openScenario } from '../../src/scenario/open.ts';

const pod = (name: string, app: string, port: number): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${app} } }
spec: { containers: [{ name: app, image: x, ports: [{ containerPort: ${port} }] }] }
`;

/** What the fix makes of the selector of a Service that selects nothing. */
const selectorFor = async (
  selected: string,
  pods: string,
  port = 8080,
): Promise<{ readonly outcome: string | undefined; readonly selector: unknown }> => {
  const text = `apiVersion: v1
kind: Service
metadata: { name: cart }
spec: { selector: { app: ${selected} }, ports: [{ port: 80, targetPort: ${port} }] }
${pods}${pod('client', 'client', 1)}`;
  const opened = await openScenario([{ file: 'shop.yaml', text }], { keep: true });
  if (!opened.ok) throw new Error('does not open');
  const question = { from: 'client', to: 'svc/cart' };
  const answer = ask(opened.scenario, question);
  if (!answer.ok) throw new Error('cannot be asked');
  expect(answer.facts.cause?.code).toBe('SVC_NO_ENDPOINTS');
  const { withFix } = await mend({ scenario: opened.scenario, facts: answer.facts }, question, ask);
  const [round] = withFix.rounds;
  const patch = round?.fix.kind === 'patch' ? round.fix.patch : undefined;
  return { outcome: round?.outcome, selector: patch && JSON.parse(JSON.stringify(patch)) };
};

const asks = (app: string) => expect.objectContaining({ spec: { selector: { app } } });

describe('the fix of a selector that finds nothing', () => {
  it('takes the Pods that are called as the Service is', async () => {
    const found = await selectorFor('nobody', pod('a', 'ads', 8080) + pod('b', 'cart', 8080));
    expect(found).toEqual({ outcome: 'mended', selector: asks('cart') });
  });

  it('takes what is nearly what the selector says', async () => {
    const found = await selectorFor('basket1', pod('a', 'ads', 8080) + pod('b', 'basket', 8080));
    expect(found).toEqual({ outcome: 'mended', selector: asks('basket') });
  });

  it('takes the only Pods that have the port', async () => {
    const found = await selectorFor('nobody', pod('a', 'ads', 9090) + pod('b', 'basket', 8080));
    expect(found).toEqual({ outcome: 'mended', selector: asks('basket') });
  });

  it('does not guess', async () => {
    const found = await selectorFor('nobody', pod('a', 'ads', 8080) + pod('b', 'basket', 8080));
    expect(found).toEqual({ outcome: 'advice', selector: undefined });
  });
});
