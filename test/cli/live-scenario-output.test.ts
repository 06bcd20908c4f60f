/** Dumps of clusters with Services: each question about one is kept in a small scenario, in neutral names too. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { judge } from '../../src/check/judge.ts';
import { scenarioOutput } from '../../src/cli/scenario-output.ts';
import { type OpenedScenario, openScenario } from '../../src/scenario/open.ts';

const opened = async (text: string, set: string[] = []): Promise<OpenedScenario> => {
  const result = await openScenario([{ file: 'dump.yaml', text }], { set });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.scenario;
};

const policy = fc.constantFrom('Cluster', 'Local');

const clusters = fc.record({
  mode: fc.constantFrom('iptables', 'nftables', 'ipvs', 'none'),
  plugin: fc.constantFrom('bridge', 'flannel'),
  /** Node of each backend, and whether it is ready. */
  backends: fc.array(fc.record({ node: fc.integer({ min: 0, max: 2 }), ready: fc.boolean() }), {
    maxLength: 4,
  }),
  external: policy,
  internal: policy,
  isHeadless: fc.boolean(),
});

type LiveCluster = typeof clusters extends fc.Arbitrary<infer Value> ? Value : never;

const dumpOf = ({ backends, external, internal, isHeadless }: LiveCluster): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      ...[0, 1, 2].map((at) => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: `acme-${at}` },
        spec: { podCIDR: `10.77.${at}.0/24` },
        status: { addresses: [{ type: 'InternalIP', address: `172.19.3.${at + 20}` }] },
      })),
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'quartz', namespace: 'jade' },
        spec: { nodeName: 'acme-0', containers: [{ name: 'opal' }] },
        status: { phase: 'Running', podIP: '10.77.0.9' },
      },
      ...backends.map(({ node, ready }, at) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `ruby-${at}`, namespace: 'jade', labels: { app: 'ruby' } },
        spec: {
          nodeName: `acme-${node}`,
          containers: [{ name: 'opal', ports: [{ name: 'topaz', containerPort: 8443 }] }],
        },
        status: {
          phase: 'Running',
          podIP: `10.77.${node}.${20 + at}`,
          conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
        },
      })),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'ruby', namespace: 'jade' },
        spec: {
          selector: { app: 'ruby' },
          ports: [{ name: 'topaz', port: 443, targetPort: 'topaz', nodePort: 31_443 }],
          ...(isHeadless
            ? { clusterIP: 'None' }
            : {
                type: 'NodePort',
                clusterIP: '10.96.3.7',
                externalTrafficPolicy: external,
                internalTrafficPolicy: internal,
              }),
        },
      },
    ],
  });

const questions = ({ isHeadless }: LiveCluster) => [
  { from: 'jade/quartz', to: 'jade/svc/ruby', port: 443 },
  { from: 'jade/quartz', to: 'ruby', port: 8443 },
  ...(isHeadless
    ? []
    : [
        { from: 'node/acme-2', to: '10.96.3.7', port: 443 },
        { from: 'external', to: 'node/acme-1', port: 31_443 },
      ]),
];

const SECRETS = /acme|quartz|ruby|jade|opal|topaz|10\.77\.|172\.19\./;

it('questions about Services of a live cluster', async () => {
  await fc.assert(
    fc.asyncProperty(clusters, async (cluster) => {
      const { mode, plugin } = cluster;
      const set = [`kubeProxy.mode=${mode}`, `network.plugin=${plugin}`];
      const scenario = await opened(dumpOf(cluster), set);
      for (const question of questions(cluster)) {
        const answer = ask(scenario, question);
        if (!answer.ok) continue;
        const { disposition, symptom, cause } = answer.facts;
        for (const redacted of [false, true]) {
          const output = await scenarioOutput(answer.facts, scenario, question, { redacted });
          if (!output.ok) throw new Error(`${output.diagnostic.message} ${question.to}`);
          expect(redacted && SECRETS.exec(output.text)?.[0]).toBeFalsy();
          const [judged] = judge(await opened(output.text));
          if (judged?.kind !== 'traced') throw new Error('is not answered');
          expect([judged.differences, judged.facts.disposition]).toEqual([[], disposition]);
          expect([judged.facts.symptom, judged.facts.cause?.code]).toEqual([symptom, cause?.code]);
        }
      }
    }),
    { numRuns: 25 },
  );
}, 60_000);
