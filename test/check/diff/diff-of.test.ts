import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { failsOn } from '../../../src/check/diff/fails-on.ts';
import { diffSchema } from '../../../src/check/diff/schema.ts';
import { deployment, diffTexts, namespace, networkPolicy } from './clusters.ts';

const APPS = deployment('web') + deployment('api') + deployment('db', { port: 5432 });
const isValid = new Ajv2020({ strict: false }).compile(diffSchema());

const only = (from: string): string =>
  `{ podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: ${from} } } }] }] }`;

describe('a diff of two clusters', () => {
  it('of a cluster with itself is empty', async () => {
    const text = APPS + networkPolicy('db', only('api'));
    const diff = await diffTexts(text, text);
    expect(isValid(diff), JSON.stringify(isValid.errors)).toBe(true);
    expect(diff.connections).toEqual([]);
    expect(diff.peers).toEqual({ added: [], removed: [], renamed: [], isolation: [] });
    expect(diff.summary).toMatchObject({ opened: 0, closed: 0, changed: 0 });
    expect(failsOn(diff, ['any'])).toBe(false);
  });

  it('is the mirror image the other way round', async () => {
    const [a, b] = [
      APPS + networkPolicy('db', only('api')) + deployment('old'),
      APPS + networkPolicy('db', only('web')) + deployment('new'),
    ];
    const [there, back] = [await diffTexts(a, b), await diffTexts(b, a)];
    const { opened, closed, added, removed } = there.summary;
    expect(back.summary).toMatchObject({
      opened: closed,
      closed: opened,
      added: removed,
      removed: added,
      unchanged: there.summary.unchanged,
    });
    expect(opened).toBe(1);
    expect(closed).toBe(1);
    expect(there.peers.added).toEqual(['shop/new[Deployment]']);
    expect(back.peers.removed).toEqual(['shop/new[Deployment]']);
    const ports = (diff: typeof there, key: 'opened' | 'closed') =>
      diff.connections
        .filter((one) => one[key].length > 0)
        .map(({ src, dst }) => `${src} ${dst}`)
        .sort();
    expect(ports(there, 'opened')).toEqual(ports(back, 'closed'));
  });

  it('says which rule admits and which policies isolate, and what was edited', async () => {
    const diff = await diffTexts(
      APPS + networkPolicy('db', only('api')),
      APPS +
        networkPolicy('db', only('nobody')) +
        networkPolicy('all', '{ podSelector: {}, policyTypes: [Ingress] }'),
    );
    expect(isValid(diff), JSON.stringify(isValid.errors)).toBe(true);
    const closed = diff.connections.find(
      ({ src, dst }) => src === 'shop/api[Deployment]' && dst === 'shop/db[Deployment]',
    );
    expect(closed).toMatchObject({
      change: 'closed',
      why: [
        {
          kind: 'policies',
          side: 'base',
          direction: 'ingress',
          decision: 'allow',
          by: 'rule',
          policies: [{ name: 'db', rule: 0, edit: 'edited', file: 'x.yaml' }],
        },
        {
          kind: 'policies',
          side: 'head',
          direction: 'ingress',
          decision: 'deny',
          by: 'default-deny',
          policies: [
            { name: 'all', edit: 'added' },
            { name: 'db', edit: 'edited' },
          ],
        },
      ],
    });
    const free = diff.connections.find(({ dst }) => dst === 'shop/web[Deployment]');
    expect(free?.why[0]).toMatchObject({ side: 'base', by: 'not-isolated', policies: [] });
    expect(diff.peers.isolation).toEqual([
      { id: 'shop/api[Deployment]', direction: 'ingress', isolated: true },
      { id: 'shop/web[Deployment]', direction: 'ingress', isolated: true },
    ]);
  });

  it('says that labels of a namespace have changed', async () => {
    const policy = networkPolicy(
      'db',
      '{ podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: a } } }] }] }',
    );
    const diff = await diffTexts(
      APPS + policy + namespace('shop', { team: 'a', other: 'x' }),
      APPS + policy + namespace('shop', { team: 'b', other: 'y' }),
    );
    expect(diff.summary.closed).toBe(2);
    expect(diff.connections[0]?.why).toContainEqual({
      kind: 'namespace-labels',
      of: 'shop',
      labels: [{ key: 'team', base: 'a', head: 'b' }],
    });
  });

  it('says that the labels of a Pod, and the number of a named port, have changed', async () => {
    const policy = networkPolicy(
      'api',
      '{ podSelector: { matchLabels: { app: api } }, ingress: [{ from: [{ podSelector: { matchLabels: { role: front } } }], ports: [{ port: http }] }] }',
    );
    const web = (role: string) => deployment('web', { labels: { role } });
    const labels = await diffTexts(
      web('front') + deployment('api') + policy,
      web('back') + deployment('api') + policy,
    );
    expect(labels.connections[0]?.why).toContainEqual({
      kind: 'pod-labels',
      of: 'shop/web[Deployment]',
      labels: [{ key: 'role', base: 'front', head: 'back' }],
    });
    const ports = await diffTexts(
      web('front') + deployment('api', { port: 80 }) + policy,
      web('front') + deployment('api', { port: 8080 }) + policy,
    );
    expect(ports.connections).toMatchObject([
      {
        change: 'changed',
        opened: [{ protocol: 'TCP', ports: '8080' }],
        closed: [{ protocol: 'TCP', ports: '80' }],
      },
    ]);
    expect(ports.connections[0]?.why).toContainEqual({
      kind: 'named-port',
      of: 'shop/api[Deployment]',
      name: 'http',
      base: 80,
      head: 8080,
    });
    expect(failsOn(ports, ['opened'])).toBe(true);
    expect(failsOn(ports, ['closed'])).toBe(true);
    expect(failsOn(ports, ['added', 'removed', 'paths'])).toBe(false);
  });

  it('knows a ReplicaSet of the next rollout, and Pods of it', async () => {
    const pod = (hash: string, suffix: string) => `---
apiVersion: v1
kind: Pod
metadata:
  name: web-${hash}-${suffix}
  namespace: shop
  labels: { app: web, pod-template-hash: ${hash} }
  ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: web-${hash}, controller: true, uid: u }]
spec: { containers: [{ name: app, image: x }] }
status: { podIP: 10.244.1.${suffix.length}, phase: Running }
`;
    const policy = (from: string) =>
      networkPolicy('web', only(from).replace('app: db', 'app: web'));
    const base = APPS.replaceAll('web', 'other') + pod('5d8f', 'aa') + policy('api');
    const head = APPS.replaceAll('web', 'other') + pod('7c9b', 'b') + policy('db');
    const diff = await diffTexts(base, head);
    expect(diff.peers).toMatchObject({
      added: [],
      removed: [],
      renamed: [{ base: 'shop/web-5d8f[ReplicaSet]', head: 'shop/web-7c9b[ReplicaSet]' }],
    });
    expect(diff.summary).toMatchObject({ opened: 1, closed: 1, added: 0, removed: 0 });
    expect(diff.connections.every(({ why }) => why.length > 0)).toBe(true);
    const byId = await diffTexts(base, head, { match: 'id' });
    expect(byId.peers.added).toEqual(['shop/web-7c9b[ReplicaSet]']);
    expect(byId.summary.opened).toBe(0);
    const pods = await diffTexts(base, head, { groupBy: 'pod' });
    expect(pods.peers.renamed).toContainEqual({
      base: 'shop/web-5d8f-aa[Pod]',
      head: 'shop/web-7c9b-b[Pod]',
    });
    const fromManifest = await diffTexts(base, base.replace(pod('5d8f', 'aa'), deployment('web')));
    expect(fromManifest.peers.renamed).toEqual([
      { base: 'shop/web-5d8f[ReplicaSet]', head: 'shop/web[Deployment]' },
    ]);
  });

  it('tells namespaces as one, with reasons of the Pods in them that differ', async () => {
    const diff = await diffTexts(
      APPS + networkPolicy('db', only('api')) + deployment('x').replaceAll('shop', 'tools'),
      APPS +
        networkPolicy(
          'db',
          only('api').replace(
            'podSelector: { matchLabels: { app: api } }',
            'namespaceSelector: {}',
          ),
        ) +
        deployment('x').replaceAll('shop', 'tools'),
      { groupBy: 'namespace' },
    );
    expect(isValid(diff), JSON.stringify(isValid.errors)).toBe(true);
    expect(diff.connections).toEqual([]);
    const closing = await diffTexts(
      APPS + deployment('x').replaceAll('shop', 'tools'),
      APPS +
        networkPolicy(
          'all',
          '{ podSelector: {}, policyTypes: [Ingress], ingress: [{ from: [{ podSelector: {} }] }] }',
        ) +
        deployment('x').replaceAll('shop', 'tools'),
      { groupBy: 'namespace' },
    );
    const one = closing.connections.find(({ src }) => src === 'namespace:tools');
    expect(one).toMatchObject({
      change: 'closed',
      dst: 'namespace:shop',
      why: [{ side: 'base' }, { side: 'head', policies: [{ name: 'all', edit: 'added' }] }],
    });
  });
});
