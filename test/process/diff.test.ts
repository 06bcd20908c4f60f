import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columns } from '../../src/render/width.ts';
import { k8snet, type Options } from './k8snet.ts';

const pod = (name: string, port: number, ns = 'shop'): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${ns}, labels: { app: ${name} } }
spec: { containers: [{ name: app, image: x, ports: [{ containerPort: ${port} }] }] }
`;

const APPS = ['web', 'api', 'cart'].map((name) => pod(name, 8080)).join('') + pod('db', 5432);

const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: db, namespace: shop }
spec:
  podSelector: { matchLabels: { app: db } }
  ingress:
    - from:
        - podSelector: { matchLabels: { app: api } }
        - podSelector: { matchLabels: { app: cart } }
      ports: [{ port: 5432 }]
`;

const without = (line: string): string => {
  const lines = POLICY.split('\n');
  const kept = lines.filter((one) => !one.includes(line));
  expect(kept.length).toBe(lines.length - 1);
  return kept.join('\n');
};

let cwd = '';
const git = (...args: string[]) =>
  execFileSync(
    'git',
    ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false', ...args],
    { cwd, stdio: ['ignore', 'pipe', 'pipe'] },
  );
const save = (name: string, text: string) => writeFileSync(join(cwd, name), text);

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'k8snet-diff-'));
  git('init', '-q', '-b', 'main');
  mkdirSync(join(cwd, 'k8s'));
  save('k8s/apps.yaml', APPS);
  save('k8s/policies.yaml', POLICY);
  git('add', '.');
  git('commit', '-q', '-m', 'before');
  // One line of the policy less.
  save('k8s/policies.yaml', without('app: cart'));
  save('apps.yaml', APPS);
  save('all-open.yaml', POLICY.replace(/\n {2}ingress:[\s\S]*$/, '\n  ingress: [{}]\n'));
  save('policy.yaml', POLICY);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const diff = (args: readonly string[], options: Options = {}) =>
  k8snet(['diff', ...args], { cwd, ...options });

const CLOSED = `BASE  git:main:k8s
HEAD  k8s
1 closed, 17 connections unchanged

Closed  nothing is allowed any more
  shop/cart[Pod] → shop/db[Pod]                                         TCP 5432
      ingress  BASE  rule 1 of NetworkPolicy shop/db (edited) admits
                     main:k8s/policies.yaml:7
               HEAD  NetworkPolicy shop/db (edited) isolates, and no rule admits
                     TCP 5432   k8s/policies.yaml:1
`;

describe('k8snet diff', () => {
  it('finds the removed line of a policy, against a revision', async () => {
    expect(await diff(['git:main:k8s', 'k8s'])).toEqual({
      code: 0,
      signal: null,
      stdout: CLOSED,
      stderr: '',
    });
  });

  it.each([
    ['closed', 1],
    ['opened', 0],
    ['opened,closed', 1],
    ['changed', 0],
    ['paths', 0],
    ['any', 1],
  ])('ends with --fail-on %s as it says', async (what, code) => {
    expect((await diff(['git:main:k8s', 'k8s', '--fail-on', what])).code).toBe(code);
    expect((await diff(['k8s', 'k8s', '--fail-on', what])).code).toBe(0);
  });

  it('is the other way round with the sides', async () => {
    const { code, stdout } = await diff(['k8s', 'git:HEAD:k8s', '--fail-on', 'opened']);
    expect(code).toBe(1);
    expect(stdout).toContain('1 opened, 17 connections unchanged');
  });

  it('prints JSON as its schema has it', async () => {
    const { stdout } = await diff([
      'git:main:k8s',
      'k8s',
      '-o',
      'json',
      '--trace',
      'shop/api shop/db',
    ]);
    const found = JSON.parse(stdout);
    const schema = JSON.parse((await k8snet(['schema', 'diff'])).stdout);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(found), JSON.stringify(validate.errors)).toBe(true);
    expect(found).toMatchObject({
      kind: 'Diff',
      summary: { closed: 1, opened: 0, unchanged: 17, pathsUnchanged: 1 },
      connections: [
        {
          change: 'closed',
          src: 'shop/cart[Pod]',
          dst: 'shop/db[Pod]',
          base: [{ protocol: 'TCP', ports: '5432' }],
          head: [],
          closed: [{ protocol: 'TCP', ports: '5432' }],
          why: [
            {
              side: 'base',
              by: 'rule',
              policies: [{ name: 'db', rule: 0, edit: 'edited', line: 7 }],
            },
            { side: 'head', by: 'default-deny', decision: 'deny' },
          ],
        },
      ],
    });
    expect(found.connections).toHaveLength(1);
  });

  it('prints Markdown for a comment', async () => {
    const { stdout } = await diff(['git:main:k8s', 'k8s', '-o', 'markdown']);
    expect(stdout).toBe(`### k8snet diff: 1 closed, 17 connections unchanged

BASE <code>git:main:k8s</code> → HEAD <code>k8s</code>

#### Closed

| From | To | Ports | Why |
| --- | --- | --- | --- |
| <code>shop/cart[Pod]</code> | <code>shop/db[Pod]</code> | TCP 5432 | BASE ingress: rule 1 of NetworkPolicy shop/db (edited) admits <code>main:k8s/policies.yaml:7</code><br>HEAD ingress: NetworkPolicy shop/db (edited) isolates, and no rule admits TCP 5432 <code>k8s/policies.yaml:1</code> |
`);
  });

  it('joins equal changes, and takes inputs of both sides and standard input', async () => {
    const { code, stdout, stderr } = await diff(['policy.yaml', '-', '-f', 'apps.yaml'], {
      input: POLICY.replace('app: api', 'app: nobody').replace('app: cart', 'app: nothing'),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^ {2}2 peers → shop\/db\[Pod\] +TCP 5432\n {4}shop\/api\[Pod\], shop\/cart\[Pod\]$/m,
    );
    expect(stdout).toMatch(/^HEAD {2}-, apps\.yaml$/m);
  });

  it('takes more inputs of one side, and says what comes with them', async () => {
    save('extra.yaml', pod('extra', 1));
    const added = await diff(['k8s', 'k8s', '--head', 'extra.yaml', '--fail-on', 'opened']);
    expect(added.code).toBe(0);
    expect(added.stdout).toMatch(/^Come with new workloads/m);
    expect(added.stdout).toMatch(/^ {2}shop\/extra\[Pod\] +only on HEAD$/m);
    expect((await diff(['k8s', 'k8s', '--head', 'extra.yaml', '--fail-on', 'added'])).code).toBe(1);
  });

  it('compares paths that are asked for', async () => {
    save('moved.yaml', APPS.replace('5432', '5433'));
    const args = ['apps.yaml', 'moved.yaml', '--trace', 'shop/cart -> shop/db:5432'];
    const { code, stdout } = await diff([...args, '--listen', 'declared', '--fail-on', 'paths']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}shop\/cart → shop\/db:5432$/m);
    expect(stdout).toMatch(/^ {4}disposition {2}delivered → refused$/m);
    expect(stdout).toMatch(/^ {4}cause {8}none → NO_LISTENER$/m);
    expect(stdout).toMatch(/^ {4}- there: syn, delivered$/m);
    expect(stdout).toMatch(/^ {4}\+ there: syn, refused$/m);
    const wide = await diff([...args, '--listen', 'declared'], { env: { COLUMNS: '130' } });
    expect(wide.stdout).toMatch(/^ {4}there: syn, delivered +\| there: syn, refused$/m);
  });

  it('shows what a policy stops where policies are enforced', async () => {
    const { code, stdout } = await diff([
      ...['git:main:k8s', 'k8s', '--trace', 'shop/cart shop/db:5432'],
      ...['--policy', 'enforced', '--fail-on', 'paths'],
    ]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {4}cause {8}none → NETPOL_INGRESS_DEFAULT_DENY$/m);
    expect(stdout).toMatch(/^ {4}\+ +policy denied ingress shop\/db$/m);
  });

  it('compares what Expectations of either side expect', async () => {
    save(
      'expect.yaml',
      `apiVersion: k8snet/v1
kind: Expectations
metadata: { name: shop, namespace: shop }
spec: { expect: [{ from: cart, to: 'db:5432', disposition: delivered }] }
`,
    );
    const args = ['git:main:k8s', 'k8s', '-f', 'expect.yaml', '--policy', 'enforced'];
    const { stdout } = await diff(args);
    expect(stdout).toMatch(/^ {2}cart → db:5432 +expected at expect\.yaml:4$/m);
    expect((await diff([...args, '--no-paths'])).stdout).not.toContain('expected at');
  });

  it('asks what Expectations expect in the Scenario that they make, on both sides', async () => {
    const expectations = (name: string, spec: string): string =>
      `apiVersion: k8snet/v1
kind: Expectations
metadata: { name: ${name}, namespace: shop }
spec:
  ${spec}
  expect: [{ from: cart, to: 'db:5432', disposition: delivered }]
`;
    save('as-is.yaml', expectations('as-is', 'description: Nothing is changed.'));
    save('enforced.yaml', expectations('enforced', 'policy: enforced'));
    save('set.yaml', expectations('set', 'set: [policyEngine=nftables]'));
    const both = ['git:main:k8s', 'k8s', '--fail-on', 'paths', '-f'];
    const closed = { code: 1, stdout: expect.stringMatching(/none → NETPOL_INGRESS_DEFAULT_DENY/) };
    expect(await diff([...both, 'enforced.yaml'])).toMatchObject(closed);
    expect(await diff([...both, 'set.yaml'])).toMatchObject(closed);
    // The command line has the last word, and one that changes nothing is asked as it is.
    const none = await diff([...both, 'set.yaml', '--set', 'policyEngine=none']);
    expect(none.stdout).not.toContain('NETPOL_INGRESS_DEFAULT_DENY');
    const all = ['-f', 'as-is.yaml', '-f', 'enforced.yaml', '-f', 'set.yaml', '-o', 'json'];
    const { paths } = JSON.parse((await diff(['git:main:k8s', 'k8s', ...all])).stdout);
    // The last two ask the same.
    expect(paths).toMatchObject([
      { head: { disposition: 'delivered' } },
      { head: { disposition: 'dropped' }, set: ['policyEngine=nftables'] },
    ]);
    // It is enough that one side has them, whatever is read from standard input.
    const piped = await diff(
      ['-', 'policy.yaml', '--head', 'apps.yaml', '--head', 'enforced.yaml'],
      {
        input: `${without('app: cart')}${APPS}`,
      },
    );
    expect(piped.stdout).toMatch(/^ {4}cause {8}NETPOL_INGRESS_DEFAULT_DENY → none$/m);
    save('bad.yaml', expectations('bad', 'set: [policyEngine=none, network.plugin=nothing]'));
    const { code, stderr } = await diff([...both, 'bad.yaml']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'error: bad.yaml:5:28: spec.network.plugin is "nothing"; expected one of bridge, flannel\n',
    });
  });

  it('fits 80 and 120 columns', async () => {
    for (const width of [60, 80, 120, 160]) {
      const { stdout } = await diff(
        ['git:main:k8s', 'k8s', '--trace', 'shop/cart shop/db', '--trace', 'shop/web shop/api'],
        { env: { COLUMNS: String(width) } },
      );
      expect(stdout.split('\n').filter((line) => columns(line) > width)).toEqual([]);
    }
  });

  it.each([
    [['-', '-'], /^error: standard input can be read for one side only$/m],
    [['k8s', 'nowhere'], /^error: nowhere: cannot read nowhere: no such file or directory$/m],
    [['git:nowhere:k8s', 'k8s'], /the repository has no revision nowhere$/m],
    [
      ['git:main:k9s', 'k8s'],
      /no such file or directory at that revision\n {2}Did you mean k8s\?$/m,
    ],
    [['k8s', 'k8s', '--trace', 'shop/web'], /^error: --trace "shop\/web" is no question$/m],
    [['k8s', 'k8s', '--trace', 'shop/web nobody'], /there is no Pod "nobody"/],
    [['k8s', 'k8s', '--fail-on', 'nothing'], /Allowed are opened, closed, changed/],
    [['k8s'], /missing required argument 'head'/],
  ])('ends with 2 for %j', async (args, said) => {
    const { code, stdout, stderr } = await diff(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(said);
  });
});
