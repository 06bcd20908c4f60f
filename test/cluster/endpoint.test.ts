import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cluster, Target } from '../../src/cluster/cluster.ts';
import type { Diagnostic } from '../../src/cluster/diagnostic.ts';
import { parseEndpoint, resolveEndpoint } from '../../src/cluster/endpoint.ts';
import { clusterOf } from './cluster-of.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await clusterOf(`
apiVersion: v1
kind: Pod
metadata: { name: pod-a }
spec:
  nodeName: node-1
  hostAliases: [{ ip: 10.9.9.9, hostnames: [legacy] }]
  initContainers: [{ name: setup }]
  containers: [{ name: app }, { name: sidecar }]
---
apiVersion: v1
kind: Pod
metadata: { name: pod-a, namespace: shop }
spec: { nodeName: node-2, containers: [{ name: app }] }
---
apiVersion: v1
kind: Pod
metadata: { name: dotted.name }
spec: { nodeName: node-1, containers: [{ name: app }] }
---
apiVersion: v1
kind: Pod
metadata: { name: x, namespace: node }
spec: { nodeName: node-1, containers: [{ name: app }] }
---
apiVersion: v1
kind: Pod
metadata: { name: agent }
spec: { nodeName: node-1, hostNetwork: true, containers: [{ name: app }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: shop }
spec:
  replicas: 2
  template:
    metadata: { labels: { app: db } }
    spec: { nodeName: node-1, containers: [{ name: pg }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: empty }
spec: { replicas: 0, template: { spec: { containers: [{ name: a }] } } }
---
apiVersion: v1
kind: Service
metadata: { name: db, namespace: shop }
spec: { selector: { app: db }, ports: [{ name: sql, port: 5432 }] }
---
apiVersion: v1
kind: Service
metadata: { name: elsewhere, namespace: shop }
spec: { type: ExternalName, externalName: db.example.com }
`);
});

const to = (text: string, namespace?: string): Target | Diagnostic => {
  const found = resolveEndpoint(cluster, text, { side: 'to', namespace });
  return 'target' in found ? found.target : found.diagnostic;
};

const named = (target: Target | Diagnostic): string => {
  if (!('kind' in target) || target.kind !== 'container') return JSON.stringify(target);
  const { namespace, name } = cluster.pods[target.pod] ?? {};
  const container = target.container === undefined ? '' : `:${target.container}`;
  const port = target.port === undefined ? '' : ` ${target.port}`;
  return `${namespace}/${name}${container}${port}`;
};

describe('an endpoint means', () => {
  it.each([
    ['pod-a', 'default/pod-a'],
    [' pod-a ', 'default/pod-a'],
    ['pod-a:8080', 'default/pod-a 8080'],
    ['pod-a:sidecar', 'default/pod-a:sidecar'],
    ['shop/pod-a', 'shop/pod-a'],
    ['shop/pod-a:app', 'shop/pod-a:app'],
    ['pod/pod-a', 'default/pod-a'],
    ['po/pod-a', 'default/pod-a'],
    ['shop/pods/pod-a', 'shop/pod-a'],
    ['shop/sts/db', 'shop/db-0'],
    ['shop/statefulset/db:5432', 'shop/db-0 5432'],
    ['shop/StatefulSets/db:pg', 'shop/db-0:pg'],
    ['dotted.name', 'default/dotted.name'],
    ['dotted.name:80', 'default/dotted.name 80'],
    ['node/pod/x', 'node/x'],
  ])('%s → %s', (text, expected) => {
    expect(named(to(text))).toBe(expected);
  });

  it.each([
    ['external', { kind: 'external' }],
    ['external:443', { kind: 'external', port: 443 }],
    ['10.1.2.3', { kind: 'ip', ip: '10.1.2.3' }],
    ['10.1.2.3:80', { kind: 'ip', ip: '10.1.2.3', port: 80 }],
    ['fd00:0::1', { kind: 'ip', ip: 'fd00::1' }],
    ['[fd00::1]', { kind: 'ip', ip: 'fd00::1' }],
    ['[fd00::1]:80', { kind: 'ip', ip: 'fd00::1', port: 80 }],
    ['node/node-1', { kind: 'node', node: 'node-1' }],
    ['no/node-2:10250', { kind: 'node', node: 'node-2', port: 10250 }],
    ['shop/svc/db', { kind: 'service', service: 0 }],
    ['shop/service/db:5432', { kind: 'service', service: 0, port: 5432 }],
    ['shop/services/db:80', { kind: 'service', service: 0, port: 80 }],
    // A word that no Pod is called is looked up where it may be a name: it has a dot, or a Service is called so.
    ['db', { kind: 'name', name: 'db' }],
    ['db:5432', { kind: 'name', name: 'db', port: 5432 }],
    ['legacy', { kind: 'name', name: 'legacy' }],
    ['example.com', { kind: 'name', name: 'example.com' }],
    ['db.shop.svc.cluster.local', { kind: 'name', name: 'db.shop.svc.cluster.local' }],
    ['db.shop.:5432', { kind: 'name', name: 'db.shop.', port: 5432 }],
    ['_sql._tcp.db.shop', { kind: 'name', name: '_sql._tcp.db.shop' }],
    ['shop/svc/db:sql', { kind: 'service', service: 0, port: 5432, portName: 'sql' }],
    [
      'shop/svc/elsewhere:80',
      { kind: 'name', name: 'elsewhere.shop.svc.cluster.local.', port: 80 },
    ],
  ])('%s', (text, expected) => {
    expect(to(text)).toEqual(expected);
  });

  it('a workload: its first running Pod in name order, and how many there are', () => {
    expect(to('shop/sts/db')).toMatchObject({
      kind: 'container',
      workload: { kind: 'StatefulSet', name: 'db', replicas: 2 },
    });
    const second: Cluster = {
      ...cluster,
      pods: cluster.pods.map((pod) => (pod.name === 'db-0' ? { ...pod, phase: 'Pending' } : pod)),
    };
    const found = resolveEndpoint(second, 'shop/sts/db', { side: 'to' });
    expect('target' in found && named(found.target)).toBe('shop/db-1');
  });

  it('names without a namespace are looked for where -n says', () => {
    expect(named(to('pod-a', 'shop'))).toBe('shop/pod-a');
    expect(named(to('sts/db', 'shop'))).toBe('shop/db-0');
    expect(named(to('default/pod-a', 'shop'))).toBe('default/pod-a');
  });

  it('a kind wins over a namespace of its name', () => {
    expect(to('node/x')).toMatchObject({
      code: 'unknown-endpoint',
      message: 'there is no node "x"',
    });
  });

  it('as a source, an address stands for its owner', () => {
    const from = (text: string) => resolveEndpoint(cluster, text, { side: 'from' });
    const pod = cluster.pods.find(
      ({ name, namespace }) => name === 'pod-a' && namespace === 'shop',
    );
    expect(from(pod?.ip ?? '')).toMatchObject({ target: { kind: 'container' } });
    expect(from('192.168.10.11')).toEqual({ target: { kind: 'node', node: 'node-1' } });
    expect(from('203.0.113.10')).toEqual({ target: { kind: 'external' } });
    expect(from('10.9.9.9')).toMatchObject({ diagnostic: { code: 'unknown-endpoint' } });
  });

  it('as a source, a Service is nobody', () => {
    expect(resolveEndpoint(cluster, 'shop/svc/db', { side: 'from' })).toMatchObject({
      diagnostic: {
        code: 'service-as-source',
        hint: 'Start at what is behind it: shop/sts/db',
      },
    });
  });
});

it('as a source, a name is nobody', () => {
  expect(resolveEndpoint(cluster, 'example.com', { side: 'from' })).toMatchObject({
    diagnostic: { code: 'name-as-source' },
  });
  // It may be meant for what is behind the Service of that name.
  expect(resolveEndpoint(cluster, 'db', { side: 'from' })).toMatchObject({
    diagnostic: { code: 'service-as-source', hint: 'Start at what is behind it: shop/sts/db' },
  });
});

describe('an endpoint that means nothing says what would', () => {
  it.each([
    ['pod-b', 'unknown-endpoint', 'Did you mean pod-a or shop/pod-a?'],
    ['deploy/db', 'unknown-endpoint', 'Did you mean shop/sts/db?'],
    [
      'zzzzzz',
      'unknown-endpoint',
      'There are: agent, dotted.name, pod-a, node/pod/x, shop/pod-a, shop/sts/db',
    ],
    ['node/node-3', 'unknown-endpoint', 'Did you mean node-1 or node-2?'],
    ['node/qq', 'unknown-endpoint', 'Nodes are node-1, node-2'],
    // A kind wins over a namespace of its name.
    ['node/x', 'unknown-endpoint', 'Did you mean node/pod/x?'],
    ['deploy/x', 'unknown-endpoint', 'Did you mean node/pod/x?'],
    ['node/node-1:web', 'bad-endpoint', undefined],
    ['pod-a:nginx', 'unknown-container', 'Containers are app, sidecar.'],
    ['pod-a:setup', 'init-container', 'Containers are app, sidecar.'],
    ['pod-a:0', 'bad-port', undefined],
    ['pod-a:65536', 'bad-port', undefined],
    ['pod-a:app:80', 'bad-endpoint', 'Write pod-a:app and give the port with -p.'],
    ['shpo/pod-a', 'unknown-namespace', 'Did you mean shop/?'],
    ['deploymnt/web', 'unknown-namespace', 'Did you mean deployment/?'],
    ['shop/stss/db', 'unknown-kind', 'Did you mean sts?'],
    ['a/b/c/d', 'bad-endpoint', undefined],
    ['', 'bad-endpoint', undefined],
    ['/pod-a', 'bad-endpoint', undefined],
    ['pod-a:', 'bad-endpoint', undefined],
    ['10.1.2.3:http', 'bad-endpoint', undefined],
    ['external:web', 'bad-endpoint', undefined],
    ['[fd00::1]:0', 'bad-port', undefined],
    ['[fd00::g]:80', 'bad-endpoint', undefined],
    ['fd00:1:2', 'bad-endpoint', undefined],
    ['deploy/empty', 'no-pods', undefined],
    ['DB', 'unknown-endpoint', 'Did you mean shop/sts/db?'],
    ['default/db', 'unknown-endpoint', 'Did you mean shop/sts/db?'],
    ['pod/example.com', 'unknown-endpoint', undefined],
    ['example..com', 'unknown-endpoint', undefined],
    ['db.shop:sql', 'bad-endpoint', undefined],
    ['example.com:0', 'bad-port', undefined],
    ['shop/svc/db:http', 'unknown-port', 'Its ports are 5432 (sql).'],
    ['svc/db', 'unknown-endpoint', 'Did you mean shop/svc/db?'],
  ])('%s → %s', (text, code, hint) => {
    const found = to(text);
    expect(found).toMatchObject({ severity: 'error', code });
    if (hint !== undefined) expect(found).toMatchObject({ hint });
  });
});

it('parsing never throws, and what it takes apart can be put together again', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
  fc.assert(
    fc.property(
      fc.option(name, { nil: undefined }),
      name,
      fc.option(fc.oneof(fc.integer({ min: 1, max: 65535 }).map(String), name), { nil: undefined }),
      (namespace, pod, suffix) => {
        fc.pre(pod !== 'external');
        const text = `${namespace === undefined ? '' : `${namespace}/pod/`}${pod}${suffix === undefined ? '' : `:${suffix}`}`;
        expect(parseEndpoint(text)).toEqual({
          form: 'object',
          kind: 'Pod',
          explicit: namespace !== undefined,
          ...(namespace !== undefined && { namespace }),
          name: pod,
          ...(suffix !== undefined && {
            suffix: /^\d+$/.test(suffix) ? { port: Number(suffix) } : { name: suffix },
          }),
        });
      },
    ),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const found = resolveEndpoint(cluster, text, { side: 'to' });
      expect('target' in found || found.diagnostic.message.length > 0).toBe(true);
    }),
  );
});
