import { describe, expect, it } from 'vitest';
import { clusterOf, codesOf, pod, podNamed, resolveYaml } from './cluster-of.ts';

const nodes = (...texts: readonly string[]): string =>
  `---\n{apiVersion: k8snet/v1, kind: Scenario, metadata: {name: s}, spec: {nodes: [${texts.join(', ')}]}}\n`;

const required = (terms: string): string =>
  `affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [${terms}]}}}`;

describe('a Pod is placed on a node', () => {
  const two = nodes(
    '{name: a, labels: {zone: east, size: "3"}}',
    '{name: b, labels: {zone: west, size: "12"}}',
  );

  it.each([
    ['nodeName', 'nodeName: b'],
    ['nodeSelector', 'nodeSelector: {zone: west}'],
    ['the label of its name', 'nodeSelector: {kubernetes.io/hostname: b}'],
    ['In', required('{matchExpressions: [{key: zone, operator: In, values: [west, north]}]}')],
    ['NotIn', required('{matchExpressions: [{key: zone, operator: NotIn, values: [east]}]}')],
    ['Gt, as numbers', required('{matchExpressions: [{key: size, operator: Gt, values: ["5"]}]}')],
    [
      'its name as a field',
      required('{matchFields: [{key: metadata.name, operator: In, values: [b]}]}'),
    ],
    [
      'one of two terms',
      required(
        '{matchExpressions: [{key: none, operator: Exists}]}, {matchExpressions: [{key: zone, operator: In, values: [west]}]}',
      ),
    ],
  ])('by %s', async (_, spec) => {
    expect(podNamed(await clusterOf([two, pod('p', spec)]), 'p').node).toBe('b');
  });

  it('by DoesNotExist and Lt', async () => {
    const cluster = await clusterOf([
      nodes('{name: a, labels: {gpu: one, size: "7"}}', '{name: b, labels: {size: "3"}}'),
      pod('p', required('{matchExpressions: [{key: gpu, operator: DoesNotExist}]}')),
      pod('q', required('{matchExpressions: [{key: size, operator: Lt, values: ["5"]}]}')),
    ]);
    expect(cluster.pods.map(({ node }) => node)).toEqual(['b', 'b']);
  });

  it('never by an empty term', async () => {
    const { cluster } = await resolveYaml([two, pod('p', required('{}'))]);
    expect(cluster.pods[0]?.phase).toBe('Pending');
  });

  it('by taints and tolerations', async () => {
    const tainted = nodes(
      '{name: a, taints: [{key: dedicated, value: db, effect: NoSchedule}]}',
      '{name: b, taints: [{key: dedicated, value: web, effect: NoExecute}]}',
      '{name: c, taints: [{key: soft, effect: PreferNoSchedule}]}',
    );
    const on = async (spec: string): Promise<string | undefined> =>
      (await clusterOf([tainted, pod('p', spec)])).pods[0]?.node;
    expect(await on('')).toBe('c');
    expect(
      await on(
        'nodeSelector: {kubernetes.io/hostname: a}, tolerations: [{key: dedicated, value: db}]',
      ),
    ).toBe('a');
    expect(
      await on(
        'nodeSelector: {kubernetes.io/hostname: a}, tolerations: [{key: dedicated, value: web}]',
      ),
    ).toBeUndefined();
    expect(
      await on('nodeSelector: {kubernetes.io/hostname: b}, tolerations: [{operator: Exists}]'),
    ).toBe('b');
    expect(
      await on(
        'nodeSelector: {kubernetes.io/hostname: b}, tolerations: [{key: dedicated, operator: Exists, effect: NoSchedule}]',
      ),
    ).toBeUndefined();
  });

  it('whatever its taints, when nodeName says so', async () => {
    const tainted = nodes('{name: a, taints: [{key: k, effect: NoSchedule}]}', '{name: b}');
    expect((await clusterOf([tainted, pod('p', 'nodeName: a')])).pods[0]).toMatchObject({
      node: 'a',
      phase: 'Running',
      invented: { node: false },
    });
  });

  it('evenly: first by controller, then by load, then the first node', async () => {
    const deployment = (name: string, replicas: number): string =>
      `---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}}, spec: {replicas: ${replicas}, template: {spec: {containers: [{name: x}]}}}}\n`;
    const cluster = await clusterOf([
      nodes('{name: a}', '{name: b}', '{name: c}'),
      deployment('web', 3),
      deployment('app', 2),
      pod('x', 'nodeName: a'),
    ]);
    const on = (prefix: string): (string | undefined)[] =>
      cluster.pods
        .filter(({ name }) => name.startsWith(prefix))
        .map(({ node }) => node)
        .toSorted();
    expect(on('app')).toEqual(['b', 'c']);
    expect(on('web')).toEqual(['a', 'b', 'c']);
  });
});

it('a Pod that fits nowhere is Pending, and says why', async () => {
  const { cluster, diagnostics } = await resolveYaml([
    nodes('{name: a, taints: [{key: k, value: v, effect: NoSchedule}]}', '{name: b}'),
    pod('p', 'nodeSelector: {zone: x}'),
    pod('q', 'nodeSelector: {kubernetes.io/hostname: a}'),
  ]);
  expect(cluster.pods.map(({ pendingReason, ready, ip }) => [pendingReason, ready, ip])).toEqual([
    ['0 of 2 nodes fit: 2 no match for nodeSelector', false, undefined],
    ['0 of 2 nodes fit: 1 untolerated taint k=v, 1 no match for nodeSelector', false, undefined],
  ]);
  expect(codesOf(diagnostics)).toEqual(['warning unschedulable', 'warning unschedulable']);
});
