import { describe, expect, it } from 'vitest';
import { outcomesOf, portsTaken } from '../../src/lab/outcomes.ts';
import { openScenario } from '../../src/scenario/open.ts';

const SERVICE = '10.96.0.50';

const DOCUMENTS = [
  ...['client', 'web-1', 'web-2', 'web-3'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name.slice(0, 3) } },
    spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'app' }] },
  })),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: {
      clusterIP: SERVICE,
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 8080 }],
    },
  },
];

describe('the outcomes of a probe', () => {
  it('are one for each way that chance may take', async () => {
    const text = DOCUMENTS.map((document) => JSON.stringify(document)).join('\n---\n');
    const opened = await openScenario([{ file: 'web.yaml', text }]);
    if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
    const outcomes = [
      ...outcomesOf(opened.scenario.world, {
        from: { netns: 'node-1/default/client' },
        protocol: 'tcp',
        dst: SERVICE,
        dport: 80,
        sport: 40_000,
      }),
    ];
    const backends = outcomes.map(
      ({ world }) =>
        world.dynamic.get('node-1/host')?.conntrack.find(({ original }) => original.dst === SERVICE)
          ?.reply.src,
    );
    expect(outcomes.map(({ picks }) => picks.join())).toEqual(['0', '1,0', '1,1']);
    expect(new Set(backends).size).toBe(3);
    expect(portsTaken(outcomes)).toEqual([8080]);
    expect(outcomes[0]?.counters.get('node-1/host')?.get('nat PREROUTING 1')).toBe(1);
  });
});
