import { expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/cluster/diagnostic.ts';
import { resolveCluster } from '../../../src/cluster/resolve.ts';
import { readSources } from '../../../src/scenario/load.ts';
import { LIMITS } from '../../../src/scenario/read/read-inputs.ts';

const pod = (name: string, rest: object, status: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'app', ports: [{ containerPort: 80 }] }], ...rest },
  status,
});

/** What each of these is warned about shows only when all objects are known. */
const objects = [
  { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } },
  pod('nowhere', { nodeSelector: { zone: 'none' } }),
  pod('elsewhere', { nodeName: 'missing' }),
  pod('six', { nodeName: 'a' }, { phase: 'Running', podIP: 'fd00::1' }),
  pod('one', { nodeName: 'a', hostNetwork: true }),
  pod('two', { nodeName: 'a', hostNetwork: true }),
  pod('twin', { nodeName: 'a' }, { phase: 'Running', podIP: '10.1.0.5' }),
  pod('twin2', { nodeName: 'a' }, { phase: 'Running', podIP: '10.1.0.5' }),
  pod('set-0', { nodeName: 'a' }),
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'set' },
    spec: {
      template: { spec: { containers: [{ name: 'app', ports: [{ containerPort: 0 }] }] } },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'nobody' },
    spec: { selector: { app: 'none' }, ports: [{ port: 80 }] },
  },
];

const resolve = async (asIs: number) => {
  const { report, list } = createDiagnostics();
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, null, 2);
  const read = await readSources([{ file: 'a.json', text }], report, {
    limits: { ...LIMITS, asIs, block: 300 },
  });
  const resolved = resolveCluster({ name: 'a', objects: read.objects, release: read.release });
  return {
    first: read.objects[0],
    diagnostics: [...list(), ...resolved.diagnostics],
    cluster: JSON.stringify(resolved.cluster),
  };
};

it('a packed input is resolved as any other, although its values go before it is done', async () => {
  const plain = await resolve(LIMITS.asIs);
  const packed = await resolve(0);
  expect(new Set(plain.diagnostics.map(({ code }) => code))).toEqual(
    new Set([
      'unschedulable',
      'unknown-node',
      'ipv6-only',
      'port-clash',
      'duplicate-ip',
      'name-taken',
      'out-of-range',
      'selects-nothing',
    ]),
  );
  expect(packed.diagnostics).toEqual(plain.diagnostics);
  expect(packed.cluster).toBe(plain.cluster);
  expect(plain.first?.value).toMatchObject({ kind: 'Node' });
  expect(() => packed.first?.value).toThrow(SyntaxError);
});
