import { describe, expect, it } from 'vitest';
import {
  type OpenedTest,
  planTests,
  type TestTarget,
} from '../../../src/scenario/expectations/plan.ts';

const pods = `
apiVersion: v1
kind: Pod
metadata: { name: a }
spec: { containers: [{ name: app, image: x }] }
---
apiVersion: v1
kind: Pod
metadata: { name: b, annotations: { k8snet/listen: 80/tcp } }
spec: { containers: [{ name: web, image: x }] }
`;
const expectations = (spec: string, metadata = 'name: checks'): string => `
apiVersion: k8snet/v1
kind: Expectations
metadata: { ${metadata} }
spec:
${spec}
`;
const scenario = `
apiVersion: k8snet/v1
kind: Scenario
metadata: { name: one }
spec:
  expect: [{ from: b, to: a, disposition: delivered }]
`;
const holds = '  expect: [{ from: a, to: "b:80", disposition: delivered }]';
const text = (file: string, ...documents: string[]) => ({ file, text: documents.join('---') });

const opened = async (...sources: { file: string; text: string }[]) => {
  const plan = await planTests(sources, [], {});
  const results: (TestTarget & { result: OpenedTest })[] = [];
  for (const target of plan.targets) results.push({ ...target, result: await target.open() });
  return { plan, results };
};
const messages = (diagnostics: readonly { message: string; line?: number }[]) =>
  diagnostics.map(({ message, line }) => `${line}: ${message}`);

describe('planTests', () => {
  it('takes each file by itself where there are no Expectations', async () => {
    const { results } = await opened(text('s.yaml', scenario, pods), text('p.yaml', pods));
    expect(
      results.map(({ file, result }) => [file, result.ok && result.expectations.length]),
    ).toEqual([
      ['s.yaml', 1],
      ['p.yaml', 0],
    ]);
  });

  it('lays Expectations over all other files', async () => {
    const { results } = await opened(
      text('s.yaml', scenario),
      text('p.yaml', pods),
      text('e.yaml', expectations(holds)),
      text('f.yaml', expectations(holds, 'name: more, namespace: default')),
    );
    expect(
      results.map(({ file, name, result }) => [
        file,
        name,
        result.ok && result.expectations.map(({ place, namespace }) => [place.file, namespace]),
      ]),
    ).toEqual([
      // What the Scenario expects itself is judged once.
      [
        'e.yaml',
        'checks',
        [
          ['e.yaml', undefined],
          ['s.yaml', undefined],
        ],
      ],
      ['f.yaml', 'more', [['f.yaml', 'default']]],
    ]);
  });

  it('takes manifests beside Expectations in one file, and overrides', async () => {
    const { results } = await opened(
      text('all.yaml', pods, expectations(`${holds}\n  set: [network.plugin=bridge]`)),
    );
    const [one] = results;
    expect(one?.result.ok && one.result.cluster.network.plugin).toBe('bridge');
  });

  it('sends no packet where only the matrix is asked', async () => {
    const { results } = await opened(
      text('p.yaml', pods),
      text('e.yaml', expectations('  matrix: [{ to: "b:80", only: a }]')),
    );
    const [one] = results;
    expect(one?.result).toMatchObject({ ok: true, expectations: [] });
    expect(one?.result).not.toHaveProperty('scenario');
    expect(one?.result.ok && one.result.matrix).toMatchObject([
      {
        side: 'to',
        subjects: [{ text: 'b:80', place: { line: 6, column: 18 } }],
        only: [{ text: 'a' }],
      },
    ]);
  });

  it('says that Expectations are laid over nothing', async () => {
    const { results } = await opened(text('e.yaml', expectations(holds)));
    const [one] = results;
    expect(messages(one?.result.diagnostics ?? [])).toEqual([
      '1: these Expectations are laid over nothing',
    ]);
  });

  it('reports everything that is wrong in them at once', async () => {
    const { results } = await opened(
      text('p.yaml', pods),
      text(
        'e.yaml',
        expectations(`  expects: []
  policy: on
  expect: [{ from: a, to: b, disposition: deliverd }]
  matrix: [{ to: b, form: a }, { only: a }]`),
      ),
    );
    const [one] = results;
    expect(messages(one?.result.diagnostics ?? []).sort()).toEqual([
      '6: spec has no field "expects"',
      '7: spec.policy is "on"; expected "enforced"',
      '8: spec.expect[0].disposition is "deliverd"; expected one of delivered, refused, rejected, dropped, looped, reply-lost, ambiguous, inconclusive',
      '9: spec.matrix[0] has no field "form"',
    ]);
  });

  it.each([
    ['{ only: a }', 'spec.matrix[0] has neither to nor from'],
    ['{ from: a, to: b, allow: c }', 'spec.matrix[0] has both to and from'],
    ['{ to: b }', 'spec.matrix[0] expects nothing'],
  ])('refuses a matrix entry that is half said: %s', async (entry, message) => {
    const { results } = await opened(
      text('p.yaml', pods),
      text('e.yaml', expectations(`  matrix: [${entry}]`)),
    );
    const [one] = results;
    expect(messages(one?.result.diagnostics ?? [])).toEqual([`6: ${message}`]);
  });

  it('judges nothing over a cluster that is half read', async () => {
    const { plan } = await opened(
      text('broken.yaml', 'kind: ['),
      text('e.yaml', expectations(holds)),
    );
    expect(plan.targets).toEqual([]);
    expect(plan.diagnostics).toMatchObject([{ severity: 'error', file: 'broken.yaml' }]);
  });

  it('wants Expectations where they were promised', async () => {
    const plan = await planTests([text('p.yaml', pods)], [text('x.yaml', pods)], {});
    expect(plan.diagnostics).toMatchObject([{ code: 'no-expectations', file: 'x.yaml' }]);
  });

  it('blames what Expectations set where it stands', async () => {
    const { results } = await opened(
      text('p.yaml', pods),
      text('e.yaml', expectations(`  set: [spec.a=b, nonsense, network.plugin=x]\n${holds}`)),
    );
    expect(results[0]?.result.diagnostics).toMatchObject([
      { file: 'e.yaml', line: 6, column: 9, hint: 'Leave out "spec.": a=b' },
      {
        ...{ file: 'e.yaml', line: 6, column: 19, message: 'expected FIELD=VALUE' },
        hint: 'For example: network.plugin=bridge or nodes[0].podCIDR=10.1.0.0/24',
      },
      { file: 'e.yaml', line: 6, column: 29, code: 'bad-value' },
    ]);
  });
});
