import { describe, expect, it } from 'vitest';
import { matrixOf } from '../../../src/check/matrix/all-pairs.ts';
import { clusterOf } from '../../cluster/cluster-of.ts';
import { cellsOf, deployment, namespace, pod, policy } from './clusters.ts';

const ANYWHERE = 'ipblock:0.0.0.0-255.255.255.255';
const web = '{podSelector: {matchLabels: {app: web}}}';

describe('the peers of a matrix', () => {
  it('are workloads by the controller that the input shows', async () => {
    const owned = (kind: string, name: string) =>
      `ownerReferences: [{apiVersion: v1, kind: ${kind}, name: ${name}, controller: true, uid: u}]`;
    const cluster = await clusterOf(
      deployment('web', 'app: web', 2) +
        pod('api-5d8f-x', 'pod-template-hash: 5d8f', owned('ReplicaSet', 'api-5d8f')) +
        pod('db-0', '', owned('StatefulSet', 'db')) +
        pod('bare') +
        '---\n{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly}, spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: {containers: [{name: a}]}}}}}}',
    );
    const { peers } = matrixOf(cluster);
    expect(peers.map(({ id }) => id)).toEqual([
      'default/api-5d8f[ReplicaSet]',
      'default/bare[Pod]',
      'default/db[StatefulSet]',
      'default/nightly[CronJob]',
      'default/web[Deployment]',
      ANYWHERE,
    ]);
    const last = peers.find(({ name }) => name === 'web');
    expect(last).toMatchObject({ namespace: 'default', kind: 'Deployment' });
    expect(last?.pods).toHaveLength(2);
    expect(last?.isolated).toEqual({ ingress: false, egress: false });
  });

  it('of a ReplicaSet in the input are not told by its Deployment', async () => {
    const set = `---\n{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, ownerReferences: [{kind: Deployment, name: web, controller: true}]}, spec: {replicas: 1, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a}]}}}}`;
    const cluster = await clusterOf(deployment('web', 'app: web') + set);
    expect(matrixOf(cluster).peers[0]?.id).toBe('default/web-1[ReplicaSet]');
  });

  it('are Pods, or namespaces, where that is asked for', async () => {
    const cluster = await clusterOf(
      deployment('web', 'app: web', 2) + deployment('db', 'app: db', 1, 'data'),
    );
    const pods = matrixOf(cluster, { groupBy: 'pod' }).peers;
    expect(pods.map(({ kind }) => kind)).toEqual(['Pod', 'Pod', 'Pod', undefined]);
    const spaces = matrixOf(cluster, { groupBy: 'namespace' });
    expect(spaces.peers.map(({ id, pods: of }) => [id, of?.length])).toEqual([
      ['namespace:data', 1],
      ['namespace:default', 2],
      [ANYWHERE, undefined],
    ]);
    // Between two Pods of it; data has only one.
    expect(spaces.connections.filter(({ src, dst }) => src === dst)).toMatchObject([
      { src: 'namespace:default' },
    ]);
  });

  it('tell blocks only where policies tell them apart', async () => {
    const cluster = await clusterOf(
      pod('web', 'app: web') +
        policy('in', 'podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]') +
        policy(
          'nobody',
          'podSelector: {matchLabels: {no: body}}, ingress: [{from: [{ipBlock: {cidr: 172.16.0.0/12}}]}]',
        ),
    );
    expect(matrixOf(cluster).peers.map(({ id }) => id)).toEqual([
      'default/web[Pod]',
      'ipblock:0.0.0.0-9.255.255.255',
      'ipblock:10.0.0.0-10.255.255.255',
      'ipblock:11.0.0.0-255.255.255.255',
    ]);
  });

  it('have blocks of IPv6 where a policy names some', async () => {
    const cluster = await clusterOf(
      pod(
        'web',
        'app: web',
        '',
        'nodeName: n',
        "phase: Running, podIP: 10.244.1.2, podIPs: [{ip: 10.244.1.2}, {ip: 'fd99::2'}]",
      ) + policy('in', "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 'fd00::/8'}}]}]"),
    );
    expect(cellsOf(cluster).filter((cell) => cell.endsWith('> default/web[Pod]: all'))).toEqual([
      'ipblock:fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff > default/web[Pod]: all',
    ]);
  });
});

describe('the connections of a matrix', () => {
  it('are all where there is no policy', async () => {
    const cluster = await clusterOf(pod('a') + pod('b'));
    expect(cellsOf(cluster)).toEqual([
      'default/a[Pod] > default/b[Pod]: all',
      `default/a[Pod] > ${ANYWHERE}: all`,
      'default/b[Pod] > default/a[Pod]: all',
      `default/b[Pod] > ${ANYWHERE}: all`,
      `${ANYWHERE} > default/a[Pod]: all`,
      `${ANYWHERE} > default/b[Pod]: all`,
    ]);
  });

  it('are what both sides let through', async () => {
    const cluster = await clusterOf(
      deployment('web', 'app: web', 2) +
        deployment('db', 'app: db') +
        policy(
          'db',
          `podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], ingress: [{from: [${web}], ports: [{port: 80, endPort: 90}, {port: http}, {port: 53, protocol: UDP}]}]`,
        ) +
        policy(
          'web',
          'podSelector: {matchLabels: {app: web}}, egress: [{ports: [{port: 85}, {port: 8080}]}]',
        ),
    );
    expect(cellsOf(cluster)).toEqual([
      'default/web[Deployment] > default/db[Deployment]: TCP 85,8080',
      `default/web[Deployment] > ${ANYWHERE}: TCP 85,8080`,
    ]);
  });

  it('of a workload are those of any of its Pods, with a warning where they differ', async () => {
    const owner =
      'ownerReferences: [{apiVersion: v1, kind: StatefulSet, name: db, controller: true, uid: u}]';
    const cluster = await clusterOf(
      pod('client') +
        pod('db-0', 'role: leader', owner) +
        pod('db-1', 'role: follower', owner) +
        policy('leader', 'podSelector: {matchLabels: {role: leader}}, policyTypes: [Ingress]'),
    );
    const { connections, warnings, peers } = matrixOf(cluster);
    expect(connections).toContainEqual({
      src: 'default/client[Pod]',
      dst: 'default/db[StatefulSet]',
      allowed: expect.anything(),
    });
    expect(peers[1]?.isolated).toEqual({ ingress: false, egress: false });
    expect(warnings.map(({ code }) => code)).toEqual(['mixed-workload']);
    expect(matrixOf(cluster, { groupBy: 'pod' }).warnings).toEqual([]);
  });

  it('leave out Pods that have ended, unless they are asked for', async () => {
    const cluster = await clusterOf(pod('a') + pod('done', '', '', '', 'phase: Succeeded'));
    const { peers, warnings } = matrixOf(cluster);
    expect(peers.map(({ id }) => id)).toEqual(['default/a[Pod]', ANYWHERE]);
    expect(warnings).toMatchObject([
      { code: 'finished-pods', message: expect.stringContaining('default/done') },
    ]);
    expect(warnings[0]).toMatchObject({ file: '0.yaml' });
    const kept = matrixOf(cluster, { finished: 'pods' });
    expect(kept.peers.map(({ id }) => id)).toContain('default/done[Pod]');
    expect(kept.warnings).toEqual([]);
  });

  it('take a Pod on a network of a node as node traffic, or as a Pod', async () => {
    const cluster = await clusterOf(
      pod('agent', 'app: agent', '', 'hostNetwork: true') +
        pod('web', 'app: web') +
        policy('deny', 'podSelector: {}, policyTypes: [Ingress]') +
        policy(
          'agents',
          'podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: agent}}}]}]',
        ),
    );
    const toWeb = (options = {}) =>
      cellsOf(cluster, options).filter((cell) => cell.includes('> default/web'));
    expect(toWeb()).toEqual([]);
    expect(toWeb({ hostNetwork: 'pods' })).toEqual(['default/agent[Pod] > default/web[Pod]: all']);
  });
});

describe('an Ingress', () => {
  const service =
    '---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}, {name: admin, port: 81, targetPort: 9000}]}}\n';
  const ingress = (port: string, name = 'web') =>
    `---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: front}, spec: {defaultBackend: {service: {name: ${name}, port: {${port}}}}}}\n`;
  const controller = (cells: string[]) => cells.filter((cell) => cell.startsWith('{ingress'));

  it('reaches its backend on the target port', async () => {
    const base = deployment('web', 'app: web') + service;
    const cells = cellsOf(await clusterOf(base + ingress('number: 80')));
    expect(controller(cells)).toEqual(['{ingress-controller} > default/web[Deployment]: TCP 8080']);
    const named = cellsOf(await clusterOf(base + ingress('name: admin')));
    expect(controller(named)).toEqual(['{ingress-controller} > default/web[Deployment]: TCP 9000']);
  });

  it('stands behind the workloads and before the blocks', async () => {
    const cluster = await clusterOf(
      deployment('web', 'app: web') + service + ingress('number: 80'),
    );
    const matrix = matrixOf(cluster);
    expect(matrix.peers.map(({ id }) => id)).toEqual([
      'default/web[Deployment]',
      '{ingress-controller}',
      ANYWHERE,
    ]);
    const order = new Map(matrix.peers.map(({ id }, at) => [id, at]));
    const sources = matrix.connections.map(({ src }) => order.get(src) ?? -1);
    expect(sources).toEqual([...sources].sort((a, b) => a - b));
  });

  it('is kept out by policies that let no unknown Pod in, which is said', async () => {
    const cluster = await clusterOf(
      deployment('web', 'app: web') +
        service +
        ingress('number: 80') +
        policy('own', 'podSelector: {}, ingress: [{from: [{podSelector: {}}]}]'),
    );
    const { peers, warnings } = matrixOf(cluster);
    expect(peers.map(({ id }) => id)).not.toContain('{ingress-controller}');
    expect(warnings.map(({ code }) => code)).toEqual(['ingress-blocked']);
  });

  it('is let in by a rule for every Pod of every namespace', async () => {
    const cluster = await clusterOf(
      deployment('web', 'app: web') +
        service +
        ingress('number: 80') +
        policy('in', 'podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]'),
    );
    expect(controller(cellsOf(cluster))).toHaveLength(1);
  });

  it.each([
    ['number: 80', 'gone', 'which is not in the input'],
    ['number: 99', 'web', 'which it does not have'],
  ])('to what is not there is told: %s of %s', async (port, name, problem) => {
    const cluster = await clusterOf(deployment('web', 'app: web') + service + ingress(port, name));
    const { warnings } = matrixOf(cluster);
    expect(warnings).toMatchObject([
      {
        code: 'ingress-backend',
        message: expect.stringContaining(problem),
        line: expect.any(Number),
      },
    ]);
  });
});

describe('the warnings of a matrix', () => {
  it('tell port names that no Pod has, at their place', async () => {
    const cluster = await clusterOf(
      deployment('web', 'app: web') +
        deployment('db', 'app: db') +
        policy(
          'in',
          'podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: metrics}, {port: http}]}], egress: [{ports: [{port: http, protocol: UDP}]}]',
        ),
    );
    expect(matrixOf(cluster).warnings).toMatchObject([
      { code: 'named-port-unmatched', message: expect.stringContaining('ingress rule 1'), line: 6 },
      { code: 'named-port-unmatched', message: expect.stringContaining('egress rule 1') },
    ]);
  });

  it('tell of priorities that two policies share', async () => {
    const admin = (name: string) =>
      `---\n{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: ${name}}, spec: {priority: 5, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}}\n`;
    const cluster = await clusterOf(pod('a') + admin('one') + admin('two'));
    expect(matrixOf(cluster).warnings).toMatchObject([
      { code: 'equal-priorities', message: expect.stringContaining('two') },
    ]);
  });

  it('tell that the plugin of the input enforces nothing', async () => {
    const scenario = (plugin: string) =>
      `---\n{apiVersion: k8snet/v1, kind: Scenario, metadata: {name: s}, spec: {network: {plugin: ${plugin}}}}\n`;
    const text = pod('a') + policy('deny', 'podSelector: {}');
    const codes = async (yaml: string) =>
      matrixOf(await clusterOf(yaml)).warnings.map(({ code }) => code);
    expect(await codes(text + scenario('flannel'))).toEqual(['policies-not-enforced']);
    // Of manifests alone nobody knows where they will run.
    expect(await codes(text)).toEqual([]);
    expect(await codes(pod('a') + scenario('flannel'))).toEqual([]);
  });
});

it('needs a namespace to have no object', async () => {
  const cluster = await clusterOf(namespace('empty') + pod('a'));
  expect(matrixOf(cluster, { groupBy: 'namespace' }).peers.map(({ id }) => id)).toEqual([
    'namespace:default',
    ANYWHERE,
  ]);
});
