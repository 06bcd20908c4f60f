import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columns } from '../../src/render/width.ts';
import { k8snet } from './k8snet.ts';

const scenario = (expectations: string): string => `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: one }
spec:
  description: Two Pods.
  network: { plugin: bridge }
  nodes: [{ name: node-1 }]
  expect:
${expectations}
---
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

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'k8snet-test-'));
  mkdirSync(join(cwd, 'all'));
  const save = (name: string, text: string) => writeFileSync(join(cwd, name), text);
  save('holds.yaml', scenario('    - { from: a, to: "b:80", disposition: delivered }'));
  save('all/holds.yaml', scenario('    - { from: a, to: "b:80", disposition: delivered }'));
  save(
    'differs.yaml',
    scenario(
      '    - { from: a, to: "b:81", disposition: delivered, via: [eth0, cni0] }\n    - { from: a, to: "b:80", disposition: delivered }',
    ),
  );
  save('all/differs.yaml', scenario('    - { from: b, to: a, disposition: dropped }'));
  save('silent.yaml', scenario('').replace('  expect:\n', ''));
  save('nobody.yaml', scenario('    - { from: a, to: nobody, disposition: dropped }'));
  save(
    'backend.yaml',
    scenario('    - { from: a, to: "b:80", backend: x, disposition: delivered }'),
  );
  save('broken.yaml', 'kind: [');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const test = (...args: string[]) => k8snet(['test', ...args], { cwd });

describe('k8snet test', () => {
  it('ends with 0 when all expectations hold', async () => {
    const { code, stdout, stderr } = await test('holds.yaml');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'holds.yaml',
        '  Two Pods.',
        `  ✔ a → b:80${' '.repeat(59)}delivered`,
        '',
        '1 file, 1 expectation: 1 holds',
        '',
      ].join('\n'),
    );
  });

  it('ends with 1 and shows expected against found, with the trace', async () => {
    const { code, stdout, stderr } = await test('differs.yaml');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toBe(
      [
        'differs.yaml',
        '  Two Pods.',
        `  ✘ a → b:81${' '.repeat(54)}differs.yaml:9`,
        '      disposition  expected delivered',
        '                   found    refused',
        '      via          expected eth0, cni0',
        '                   found    node-1/default/a/eth0, node-1/host/veth5ee8b09c,',
        '                   node-1/host/vethda8ef2c1, node-1/default/b/eth0,',
        '                   node-1/default/b/eth0, node-1/host/vethda8ef2c1,',
        '                   node-1/host/veth5ee8b09c, node-1/default/a/eth0 (no cni0',
        '                   after eth0)',
        '      a > b tcp/81: refused, connection refused',
        '      cause: NO_LISTENER',
        '      there: syn, refused: default/a > node-1 > default/b',
        '        default/b: deliver no-listener tcp/81',
        '      back: rst, delivered: default/b > node-1 > default/a',
        '        default/a: deliver socket tcp/40000 app',
        `  ✔ a → b:80${' '.repeat(59)}delivered`,
        '',
        '1 file, 2 expectations: 1 holds, 1 does not',
        '',
      ].join('\n'),
    );
    const verbose = await test('differs.yaml', '-v');
    expect(verbose.stdout).toContain("ss -lntp 'sport = :81'");
    expect(verbose.stdout.split('\n').filter((line) => columns(line) > 80)).toEqual([]);
  });

  it('takes each file of a directory by itself', async () => {
    const { code, stdout } = await test('all');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^all\/differs\.yaml$[\s\S]*^all\/holds\.yaml$/m);
    expect(stdout).toMatch(/2 files, 2 expectations: 1 holds, 1 does not\n$/);
  });

  it('ends with 2 for a bad file, and goes on with the others', async () => {
    const { code, stdout, stderr } = await test('broken.yaml', 'holds.yaml', 'nobody.yaml');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: broken\.yaml:1:\d+: /m);
    expect(stderr).toMatch(/^error: nobody\.yaml:9:7: there is no Pod "nobody"/m);
    expect(stdout).toMatch(/✘ a → nobody {3}cannot be asked/);
    expect(stdout).toMatch(/3 files, 1 expectation: 1 holds, 2 files with errors\n$/);
  });

  it('takes no expectation for fulfilled that means nothing here', async () => {
    const { code, stdout, stderr } = await test('backend.yaml');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: backend\.yaml:9:7: backend says which .* b:80 is no Service\n/);
    expect(stdout).toMatch(/✘ a → b:80 {3}cannot be asked/);
  });

  it('says when a file states nothing, and never passes for want of a test', async () => {
    const silent = await test('silent.yaml');
    expect(silent).toMatchObject({ code: 2 });
    expect(silent.stdout).toContain('states no expectations');
    expect(silent.stderr).toContain('no file states an expectation');
    expect(await test('silent.yaml', 'holds.yaml')).toMatchObject({ code: 0, stderr: '' });
    expect(await test()).toMatchObject({ code: 2, stdout: '' });
  });
});
