import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columns } from '../../src/render/width.ts';
import { k8snet, run } from './k8snet.ts';

const MANIFESTS = `apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec: { nodeName: node-2, containers: [{ name: 网络服务, image: x, ports: [{ containerPort: 80 }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: client, labels: { app: client } }
spec: { nodeName: node-1, containers: [{ name: app, image: x }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny-all }
spec: { podSelector: {} }
`;

const EXPECTATIONS = `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: kept }
spec:
  expect:
    - { from: client, to: "web:80", disposition: dropped, cause: NETPOL_INGRESS_DEFAULT_DENY }
---
${MANIFESTS}`;

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'k8snet-policy-'));
  writeFileSync(join(cwd, 'shop.yaml'), MANIFESTS);
  writeFileSync(join(cwd, 'expect.yaml'), EXPECTATIONS);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const trace = (...args: string[]) => k8snet(['trace', 'client', 'web', ...args], { cwd });
const FILE = ['-f', 'shop.yaml'];
const ENFORCED = [...FILE, '--policy', 'enforced'];

describe('--policy enforced', () => {
  it('makes a trace through plain manifests meet their policies', async () => {
    const asIs = await trace(...FILE);
    expect([asIs.code, asIs.stdout]).toEqual([0, expect.stringContaining('see --policy enforced')]);
    const enforced = await trace(...ENFORCED);
    expect(enforced.code).toBe(1);
    expect(enforced.stdout).toContain('policies enforced');
    expect(enforced.stdout).toContain('NETPOL_INGRESS_DEFAULT_DENY');
    expect((await trace(...FILE, '--policy', 'as-is')).stdout).toBe(asIs.stdout);
  });

  it('mends, and keeps the exit code of the cluster as it is', async () => {
    const { code, stdout } = await trace(...ENFORCED, '--with-fix');
    expect(code).toBe(1);
    expect(stdout).toContain('Tried    With the fix: delivered and answered');
  });

  it('holds for the tables of a node, and for expectations', async () => {
    const list = ['node/node-2', ...ENFORCED, '--', 'nft', 'list', 'ruleset'];
    expect((await k8snet(['exec', ...list], { cwd })).stdout).toContain('k8snet-policy');
    const test = (...args: string[]) => k8snet(['test', 'expect.yaml', ...args], { cwd });
    expect((await test()).code).toBe(1);
    expect((await test('--policy', 'enforced')).code).toBe(0);
  });

  it('gives a small scenario that says so itself', async () => {
    const { stdout } = await trace(...ENFORCED, '-o', 'scenario');
    writeFileSync(join(cwd, 'small.yaml'), stdout);
    expect((await k8snet(['test', 'small.yaml'], { cwd })).code).toBe(0);
  });

  it('asks the API server for the policies, in a runbook', async () => {
    const { stdout } = await trace(...ENFORCED, '-o', 'runbook');
    expect(stdout).toContain(`
kubectl get -n default networkpolicy.networking.k8s.io deny-all -o name
#> networkpolicy.networking.k8s.io/deny-all
`);
    expect((await run('sh', ['-n'], { input: stdout })).code).toBe(0);
  });

  it.each(['80', '100'])('fits %s columns, in each form', async (width) => {
    for (const form of [[], ['-v'], ['-vv'], ['-o', 'table']]) {
      const { stdout } = await k8snet(['trace', 'client', 'web', ...ENFORCED, ...form], {
        cwd,
        env: { COLUMNS: width },
      });
      expect(stdout).toContain('denied');
      for (const line of stdout.split('\n'))
        expect(columns(line)).toBeLessThanOrEqual(Number(width));
    }
  });

  it('is one of two words', async () => {
    const { code, stderr } = await trace(...FILE, '--policy', 'maybe');
    expect([code, stderr]).toEqual([2, expect.stringContaining('as-is, enforced')]);
  });
});
