import { describe, expect, it } from 'vitest';
import { clusterOf, codesOf, podNamed, resolveYaml } from './cluster-of.ts';

const workload = (kind: string, group: string, name: string, spec = ''): string =>
  `---
apiVersion: ${group}
kind: ${kind}
metadata: { name: ${name} }
spec:
  ${spec}
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: main }] }
`;

const names = async (yaml: string): Promise<string[]> =>
  (await clusterOf(yaml)).pods.map(({ name }) => name);

describe('Pods of a Deployment', () => {
  it('are named by the template, then by the ordinal, in the alphabet of Kubernetes', async () => {
    const found = await names(workload('Deployment', 'apps/v1', 'web', 'replicas: 3'));
    expect(found).toHaveLength(3);
    const alphabet = '[bcdfghjklmnpqrstvwxz2456789]';
    for (const name of found)
      expect(name).toMatch(new RegExp(`^web-${alphabet}{10}-${alphabet}{5}$`));
    expect(new Set(found.map((name) => name.slice(0, 14))).size).toBe(1);
  });

  it('keep their names when replicas are added, and change all of them with the template', async () => {
    const one = await names(workload('Deployment', 'apps/v1', 'web'));
    const two = await names(workload('Deployment', 'apps/v1', 'web', 'replicas: 2'));
    const other = await names(
      workload('Deployment', 'apps/v1', 'web').replace('name: main', 'name: other'),
    );
    expect(two.slice(0, 1)).toEqual(one);
    expect(other[0]?.slice(0, 14)).not.toBe(one[0]?.slice(0, 14));
  });

  it('do not depend on the order of keys', async () => {
    const a = await names(workload('Deployment', 'apps/v1', 'web'));
    const b = await names(
      workload('Deployment', 'apps/v1', 'web').replace(
        /metadata: \{ labels: .*\n {4}spec: (.*)\n/,
        'spec: $1\n    metadata: { labels: { app: web } }\n',
      ),
    );
    expect(b).toEqual(a);
  });

  it('have the ReplicaSet and the Deployment as owners, and the hash as a label', async () => {
    const cluster = await clusterOf(workload('Deployment', 'apps/v1', 'web'));
    const [first] = cluster.pods;
    const hash = first?.labels['pod-template-hash'];
    expect(first?.owners).toEqual([
      { kind: 'ReplicaSet', namespace: 'default', name: `web-${hash}` },
      { kind: 'Deployment', namespace: 'default', name: 'web' },
    ]);
    expect(first?.labels['app']).toBe('web');
    expect(first?.invented.name).toBe(true);
    expect(cluster.workloads.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'Deployment/web',
      `ReplicaSet/web-${hash}`,
    ]);
    expect(cluster.notes.map(({ code }) => code)).toContain('pod-template-hash');
  });

  it('are none for replicas: 0, and one by default', async () => {
    expect(await names(workload('Deployment', 'apps/v1', 'web', 'replicas: 0'))).toEqual([]);
    expect(await names(workload('Deployment', 'apps/v1', 'web'))).toHaveLength(1);
  });

  it('are bounded: a slip of the keyboard is not obeyed', async () => {
    const { cluster, diagnostics } = await resolveYaml(
      workload('Deployment', 'apps/v1', 'web', 'replicas: 99999999999'),
    );
    expect(cluster.pods).toHaveLength(1);
    expect(codesOf(diagnostics)).toContain('warning out-of-range');
  });
});

describe('Pods of other workloads', () => {
  it('StatefulSet: ordinals, from spec.ordinals.start', async () => {
    const cluster = await clusterOf(
      workload('StatefulSet', 'apps/v1', 'db', 'replicas: 2\n  ordinals: { start: 5 }'),
    );
    expect(cluster.pods.map(({ name, ordinal }) => [name, ordinal])).toEqual([
      ['db-5', 5],
      ['db-6', 6],
    ]);
    expect(cluster.pods[0]?.labels['statefulset.kubernetes.io/pod-name']).toBe('db-5');
    expect(cluster.pods[0]?.invented.name).toBe(false);
  });

  it('StatefulSet: ten Pods stay in the order of their ordinals', async () => {
    const found = await names(workload('StatefulSet', 'apps/v1', 'db', 'replicas: 11'));
    expect(found.at(-1)).toBe('db-10');
  });

  it('DaemonSet: one on each node that it may run on', async () => {
    const cluster = await clusterOf([
      workload('DaemonSet', 'apps/v1', 'agent'),
      `
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Node, metadata: { name: a } }
  - { apiVersion: v1, kind: Node, metadata: { name: b }, spec: { taints: [{ key: x, effect: NoSchedule }] } }
  - { apiVersion: v1, kind: Node, metadata: { name: c }, spec: { unschedulable: true } }
`,
    ]);
    expect(cluster.pods.map(({ node }) => node)).toEqual(['a', 'c']);
    expect(cluster.pods.every(({ phase }) => phase === 'Running')).toBe(true);
  });

  it('Job: as many as run at once; none when it has ended or is suspended', async () => {
    const job = (spec: string): string => workload('Job', 'batch/v1', 'import', spec);
    expect(await names(job('parallelism: 3\n  completions: 2'))).toHaveLength(2);
    expect(await names(job('suspend: true'))).toEqual([]);
    expect(await names(`${job('')}status: { completionTime: "2026-01-01T00:00:00Z" }\n`)).toEqual(
      [],
    );
    expect((await names(job('completionMode: Indexed')))[0]).toMatch(/^import-0-.{5}$/);
  });

  it('CronJob: one Job of it, which it owns', async () => {
    const cluster = await clusterOf(`
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec:
  jobTemplate:
    spec:
      template:
        spec: { containers: [{ name: main }] }
`);
    expect(cluster.pods[0]?.name).toMatch(/^nightly-\d{8}-.{5}$/);
    expect(cluster.pods[0]?.owners.map(({ kind }) => kind)).toEqual(['Job', 'CronJob']);
  });

  it('ReplicationController and ReplicaSet: name and five letters', async () => {
    expect((await names(workload('ReplicationController', 'v1', 'old')))[0]).toMatch(/^old-.{5}$/);
    expect((await names(workload('ReplicaSet', 'apps/v1', 'set')))[0]).toMatch(/^set-.{5}$/);
  });

  it('many replicas all have names of their own', async () => {
    const found = await names(workload('ReplicaSet', 'apps/v1', 'set', 'replicas: 20000'));
    expect(new Set(found).size).toBe(20_000);
  });
});

describe('workloads whose Pods are in the input', () => {
  const live = `---
apiVersion: v1
kind: Pod
metadata:
  name: web-77d5cd745d-t8mx4
  labels: { app: web, pod-template-hash: 77d5cd745d }
  ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: web-77d5cd745d, controller: true }]
spec: { nodeName: n, containers: [{ name: main }] }
`;

  it('get no others', async () => {
    const cluster = await clusterOf([
      live,
      workload('Deployment', 'apps/v1', 'web', 'replicas: 3'),
    ]);
    expect(cluster.pods.map(({ name }) => name)).toEqual(['web-77d5cd745d-t8mx4']);
    expect(cluster.workloads.find(({ kind }) => kind === 'Deployment')?.pods).toEqual([0]);
  });

  it('are known by their Pods alone', async () => {
    const cluster = await clusterOf(live);
    expect(cluster.workloads.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'Deployment/web',
      'ReplicaSet/web-77d5cd745d',
    ]);
  });

  it('a ReplicaSet of the input makes the Pods of its Deployment', async () => {
    const set = workload('ReplicaSet', 'apps/v1', 'web-abc', 'replicas: 2').replace(
      '{ name: web-abc }',
      '{ name: web-abc, ownerReferences: [{ kind: Deployment, name: web, controller: true }] }',
    );
    const cluster = await clusterOf([set, workload('Deployment', 'apps/v1', 'web', 'replicas: 5')]);
    expect(cluster.pods).toHaveLength(2);
    expect(cluster.pods[0]?.owners.map(({ kind }) => kind)).toEqual(['ReplicaSet', 'Deployment']);
  });

  it('a Pod that has the name of one to be made keeps it', async () => {
    const { cluster, diagnostics } = await resolveYaml([
      '{apiVersion: v1, kind: Pod, metadata: {name: db-0}, spec: {containers: [{name: x}]}}',
      workload('StatefulSet', 'apps/v1', 'db', 'replicas: 2'),
    ]);
    expect(cluster.pods.map(({ name }) => name).toSorted()).toEqual(['db-0', 'db-1']);
    expect(podNamed(cluster, 'db-0').owners).toEqual([]);
    expect(codesOf(diagnostics)).toContain('warning name-taken');
  });
});

it('a kind of another API group is not ours', async () => {
  const { cluster, skipped } = await resolveYaml(
    '{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: x}}',
  );
  expect(cluster.services).toEqual([]);
  expect([...skipped]).toEqual([['Service.serving.knative.dev', 1]]);
});

it('a name is invented from generateName, for each of two equal Pods', async () => {
  const same =
    '---\n{apiVersion: v1, kind: Pod, metadata: {generateName: x-}, spec: {containers: [{name: a}]}}\n';
  const found = await names(same + same);
  expect(found[0]).toMatch(/^x-[a-z0-9]{5}$/);
  expect(new Set(found).size).toBe(2);
});
