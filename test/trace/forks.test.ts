import { describe, expect, it } from 'vitest';
import { type Answer, ask, type Question } from '../../src/check/ask.ts';
import { type OpenedScenario, openScenario } from '../../src/scenario/open.ts';
import { MOST_WAYS } from '../../src/trace/forks.ts';
import { shapeViolations } from '../../src/trace/shape.ts';

const VIP = '198.18.0.1';

/** Backends behind one address, as rules of a node pick them; each on its own port. */
const open = async (
  backends: readonly string[],
  rules = backends.length,
): Promise<OpenedScenario> => {
  const pods = backends.map(
    (listen, at) => `---
apiVersion: v1
kind: Pod
metadata: { name: web-${at}, namespace: shop, annotations: { k8snet/listen: ${listen} } }
spec: { nodeName: node-2, containers: [{ name: app, image: x }] }
status: { podIP: 10.244.2.${10 + at}, phase: Running }
`,
  );
  const faults = Array.from({ length: rules }, (_, at) => {
    const left = rules - at;
    const chance =
      left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
    const backend = at % Math.max(1, backends.length);
    return `    - { on: node/node-1, run: iptables -t nat -A PREROUTING -d ${VIP} -p tcp --dport 80 ${chance}-j DNAT --to-destination 10.244.2.${10 + backend}:8080 }`;
  });
  const text = `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: picks }
spec:
  network: { plugin: bridge, backend: static-routes }
  nodes:
    - { name: node-1, sysctl: { net.bridge.bridge-nf-call-iptables: 0 } }
    - { name: node-2 }
  faults:
${faults.join('\n')}
---
apiVersion: v1
kind: Pod
metadata: { name: client }
spec: { nodeName: node-1, containers: [{ name: app, image: x }] }
${pods.join('')}`;
  const result = await openScenario([{ file: 'picks.yaml', text }]);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result.scenario;
};

const question: Question = { from: 'client', to: VIP, port: 80 };

const facts = (answer: Answer) => {
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  expect(shapeViolations(answer.facts)).toEqual([]);
  return answer.facts;
};

const GOOD = '8080/tcp';
const BAD = '9090/tcp';

describe('ways that chance leaves open', () => {
  it('are all walked, the first is told, and the disposition is theirs where they agree', async () => {
    const trace = facts(ask(await open([GOOD, GOOD, GOOD]), question));
    expect(trace).toMatchObject({
      disposition: 'delivered',
      told: { choice: 'backend', name: 'shop/web-0', address: '10.244.2.10:8080', others: 2 },
      alternatives: [
        {
          choice: 'backend',
          name: 'shop/web-1',
          address: '10.244.2.11:8080',
          disposition: 'delivered',
        },
        {
          choice: 'backend',
          name: 'shop/web-2',
          address: '10.244.2.12:8080',
          disposition: 'delivered',
        },
      ],
      dnat: { ip: '10.244.2.10', port: 8080 },
    });
    expect(trace.cause).toBeUndefined();
  });

  it('are ambiguous where their fates differ, and the one that fails is told', async () => {
    const trace = facts(ask(await open([GOOD, BAD, GOOD]), question));
    expect(trace).toMatchObject({
      disposition: 'ambiguous',
      symptom: 'connection refused',
      cause: { code: 'NO_LISTENER' },
      told: { name: 'shop/web-1', others: 2 },
      alternatives: [
        { name: 'shop/web-0', disposition: 'delivered', symptom: 'connected' },
        { name: 'shop/web-2', disposition: 'delivered', symptom: 'connected' },
      ],
    });
  });

  it('fail alike where all do', async () => {
    const trace = facts(ask(await open([BAD, BAD]), question));
    expect(trace).toMatchObject({
      disposition: 'refused',
      alternatives: [{ name: 'shop/web-1', disposition: 'refused', cause: 'NO_LISTENER' }],
    });
  });

  it('are one where one is asked for, by any of its names', async () => {
    const scenario = await open([GOOD, BAD, GOOD]);
    for (const backend of ['shop/web-2', 'web-2', '10.244.2.12', '10.244.2.12:8080']) {
      const trace = facts(ask(scenario, { ...question, backend }));
      expect(trace).toMatchObject({
        disposition: 'delivered',
        told: { name: 'shop/web-2', others: 0 },
      });
      expect(trace.alternatives).toBeUndefined();
    }
    expect(ask(scenario, { ...question, backend: 'web-3' })).toMatchObject({
      ok: false,
      misuses: [
        {
          code: 'unknown-backend',
          backends: [
            'shop/web-0 (10.244.2.10:8080)',
            'shop/web-1 (10.244.2.11:8080)',
            'shop/web-2 (10.244.2.12:8080)',
          ],
        },
      ],
    });
  });

  it('are not looked at where the first is enough', async () => {
    const trace = facts(ask(await open([GOOD, BAD]), { ...question, backend: 'first' }));
    expect(trace).toMatchObject({ disposition: 'delivered', told: { name: 'shop/web-0' } });
    expect(trace.told).not.toHaveProperty('others');
    expect(trace.alternatives).toBeUndefined();
  });

  it('show what only -v shows in the one that is told', async () => {
    const scenario = await open([GOOD, BAD]);
    const whole = facts(ask(scenario, { ...question, detailed: true }));
    const alone = facts(ask(scenario, { ...question, detailed: true, backend: 'web-1' }));
    expect(whole.legs).toEqual(alone.legs);
  });

  it('are counted where there are too many, and nobody knows then', async () => {
    const trace = facts(ask(await open([GOOD], MOST_WAYS + 5), question));
    expect(trace.disposition).toBe('inconclusive');
    expect(trace.notWalked).toBe(1);
  }, 30_000);

  it('are no question of a target that has none', async () => {
    const scenario = await open([GOOD]);
    const plain = ask(scenario, { from: 'client', to: 'shop/web-0:8080', backend: 'web-0' });
    expect(plain).toMatchObject({ ok: false, misuses: [{ code: 'backend-without-service' }] });
    const trace = facts(ask(scenario, { from: 'client', to: 'shop/web-0:8080' }));
    expect(trace.told).toBeUndefined();
    expect(trace.sourceSeen).toMatchObject({ ip: trace.probe.from.ip, port: 40_000 });
  });
});
