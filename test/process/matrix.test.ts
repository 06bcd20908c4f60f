import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, k8snet } from './k8snet.ts';

const workload = (name: string, port: number, extra = '') =>
  `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: app, ports: [{containerPort: ${port}}]}]${extra}}
`;
const policies = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{ports: [{port: 8080}]}]
`;
const service = `---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]}
`;

let folder = '';
let shop = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k8snet-matrix-'));
  shop = join(folder, 'shop.yaml');
  writeFileSync(shop, workload('web', 8080) + workload('db', 5432) + policies + service);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const matrix = async (...args: string[]) => {
  const { code, stdout, stderr } = await k8snet(['matrix', shop, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

const ANYWHERE = 'ipblock:0.0.0.0-255.255.255.255';

describe('k8snet matrix', () => {
  it('shows a grid', async () => {
    const text = await matrix();
    expect(text).toMatchInlineSnapshot(`
      "2 workloads, 1 block of addresses outside; something is allowed in 5 of 6 pairs

                                         1     2     3
      1 shop/db[Deployment]              -     8080  all
      2 shop/web[Deployment]             5432  -     all
      3 ipblock:0.0.0.0-255.255.255.255  ·     8080

      all  every port of every protocol
      ·    nothing
      -    itself
      Rows send, columns are sent to; a number is the peer of that row.
      Ports are of TCP where no protocol stands behind them.

      No policy isolates for egress: shop/db[Deployment], shop/web[Deployment]
      "
    `);
  });

  it('prints JSON that its schema describes, in every form of a question', async () => {
    const { stdout: schema } = await k8snet(['schema', 'matrix']);
    const validate = new Ajv2020({ strict: false }).compile(JSON.parse(schema));
    for (const args of [[], ['--exposure'], ['--path'], ['--group-by', 'namespace']]) {
      const value = JSON.parse(await matrix('-o', 'json', ...args));
      expect([args, validate(value) ? [] : validate.errors]).toEqual([args, []]);
      expect(value).toMatchObject({ apiVersion: 'k8snet/v1', kind: 'Matrix' });
    }
    expect(JSON.parse(await matrix('-o', 'json')).connections).toEqual([
      {
        src: 'shop/db[Deployment]',
        dst: 'shop/web[Deployment]',
        allowed: [{ protocol: 'TCP', ports: '8080' }],
      },
      expect.objectContaining({ src: 'shop/db[Deployment]', dst: ANYWHERE }),
      {
        src: 'shop/web[Deployment]',
        dst: 'shop/db[Deployment]',
        allowed: [{ protocol: 'TCP', ports: '5432' }],
      },
      expect.objectContaining({ src: 'shop/web[Deployment]', dst: ANYWHERE }),
      {
        src: ANYWHERE,
        dst: 'shop/web[Deployment]',
        allowed: [{ protocol: 'TCP', ports: '8080' }],
      },
    ]);
  });

  it('prints the same as YAML', async () => {
    const { load } = await import('js-yaml');
    expect(load(await matrix('-o', 'yaml', '--exposure'))).toEqual(
      JSON.parse(await matrix('-o', 'json', '--exposure')),
    );
  });

  it('prints CSV', async () => {
    expect(await matrix('-o', 'csv', '--to', 'shop')).toBe(
      [
        'src,dst,protocol,ports',
        'shop/db[Deployment],shop/web[Deployment],TCP,8080',
        'shop/web[Deployment],shop/db[Deployment],TCP,5432',
        `${ANYWHERE},shop/web[Deployment],TCP,8080`,
        '',
      ].join('\n'),
    );
  });

  it('draws a graph and a picture', async () => {
    const dot = await matrix('-o', 'dot');
    expect(dot).toMatch(/^digraph matrix \{\n/);
    expect(dot).toContain('"shop/web[Deployment]" -> "shop/db[Deployment]" [label="TCP 5432"];');
    const svg = await matrix('-o', 'svg');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
    expect(svg).toContain('shop/web[Deployment] → shop/db[Deployment]: TCP 5432');
  });

  it('reads standard input, several paths and built-in scenarios', async () => {
    const { stdout } = await k8snet(['matrix', '-', '-o', 'csv'], {
      input: readFileSync(shop, 'utf8'),
    });
    expect(stdout).toBe(await matrix('-o', 'csv'));
    const more = join(folder, 'more.yaml');
    writeFileSync(more, workload('cache', 6379));
    expect(await matrix(more, '-o', 'csv')).toContain('shop/cache[Deployment]');
    const builtIn = await k8snet(['matrix', '-s', 'basics/two-nodes', '-o', 'csv']);
    expect(builtIn.code).toBe(0);
    expect(builtIn.stdout).toContain('default/pod-a[Pod],default/pod-b[Pod],TCP,1-65535');
  });

  it.each([
    [['--from', 'shop/deploy/web'], ['shop/web[Deployment]']],
    [['--from', 'shop/web'], ['shop/web[Deployment]']],
    [['--from', 'web', '-n', 'shop'], ['shop/web[Deployment]']],
    [['--from', 'shop/web[Deployment]'], ['shop/web[Deployment]']],
    [
      ['--from', 'namespace:shop'],
      ['shop/db[Deployment]', 'shop/web[Deployment]'],
    ],
    [['--from', 'external'], [ANYWHERE]],
    [['--from', '203.0.113.7'], [ANYWHERE]],
    [['--to', 'shop/svc/db'], ['shop/web[Deployment]']],
    [['--port', '5432', '--to', 'shop'], ['shop/web[Deployment]']],
    [
      ['--port', '8000-9000', '--to', 'shop'],
      ['shop/db[Deployment]', ANYWHERE],
    ],
    [['--port', '8080/udp', '--to', 'shop'], []],
  ])('%j leaves sources %j', async (args, sources) => {
    const { connections } = JSON.parse(await matrix('-o', 'json', ...args));
    const found = connections.map(({ src }: { src: string }) => src);
    expect([...new Set(found)]).toEqual(sources);
  });

  it('tells all at once what is wrong with a question', async () => {
    const { code, stdout, stderr } = await k8snet([
      'matrix',
      shop,
      '--from',
      'wb',
      '--to',
      'nope',
      '-n',
      'shop',
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('"wb"');
    expect(stderr).toContain('Did you mean deploy/db or deploy/web?');
    expect(stderr).toContain('"nope"');
  });

  it.each([
    [['--port', '0']],
    [['--port', '90-80']],
    [['--port', '80/icmp']],
    [['--port', '']],
    [['-o', 'text']],
    [['--path', '-o', 'csv']],
    [['--exposure', '-o', 'svg']],
    [['--path', '--group-by', 'namespace']],
    [['--break', 'node/nope: ip link']],
    [['nope.yaml']],
  ])('%j is bad usage', async (args) => {
    const { code, stdout, stderr } = await k8snet(['matrix', shop, ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toBe('');
  });

  it('--exposure says what lets everybody in', async () => {
    const { exposure } = JSON.parse(await matrix('--exposure', '-o', 'json'));
    const because = [
      {
        kind: 'rule',
        policy: { kind: 'NetworkPolicy', namespace: 'shop', name: 'web' },
        rule: 0,
        file: shop,
        line: 39,
        column: expect.any(Number),
      },
    ];
    const allowed = [{ protocol: 'TCP', ports: '8080' }];
    expect(exposure).toEqual([
      { peer: 'shop/web[Deployment]', from: 'outside', allowed, because },
      { peer: 'shop/web[Deployment]', from: 'every-namespace', allowed, because },
    ]);
    const text = await matrix('--exposure');
    expect(text).toContain('Reachable from everywhere\n  shop/web[Deployment]\n');
    expect(text).toContain('Not reachable from everywhere: shop/db[Deployment]');
  });

  it('--path tells what is not allowed but connected, where nobody enforces policies', async () => {
    const text = await matrix('--path');
    expect(text).not.toContain('Not allowed, but connected');
    // web may ask db, db may ask web: both listen.
    expect(text).toContain('4 of 4 probes fare as the policies say.');
    writeFileSync(join(folder, 'job.yaml'), workload('job', 7000));
    const leaky = await k8snet(['matrix', shop, join(folder, 'job.yaml'), '--path']);
    expect(leaky.stdout).toContain('Not allowed, but connected (6)');
    expect(leaky.stdout).toContain(
      '  shop/db[Deployment] TCP 5432\n    from shop/job[Deployment]\n',
    );
    const assumed = 'the input shows no plugin, and flannel, which is assumed, enforces no policy';
    expect(leaky.stderr).toContain(`warning: ${assumed}`);
    const enforced = await k8snet([
      'matrix',
      shop,
      join(folder, 'job.yaml'),
      '--path',
      '--policy',
      'enforced',
    ]);
    expect(enforced.stdout).not.toContain('Not allowed, but connected');
    expect(enforced.stderr).toBe('');
  });

  it('--path tells what is allowed but not connected, and why', async () => {
    const value = JSON.parse(
      await matrix('--path', '-o', 'json', '--break', 'node/node-2: ip link set cni0 down'),
    );
    const lost = value.paths.filter(
      (path: { allowed: boolean; disposition: string }) =>
        path.allowed && path.disposition !== 'delivered',
    );
    expect(lost.length).toBeGreaterThan(0);
    expect(lost[0]).toMatchObject({ cause: expect.any(String), symptom: expect.any(String) });
  });

  it('gives warnings their place, and puts them into data', async () => {
    const text = policies.replace('{port: 5432}', '{port: pg}');
    const input = workload('web', 8080) + workload('db', 5432) + text;
    const table = await k8snet(['matrix', '-'], { input });
    expect(table.code).toBe(0);
    expect(table.stderr).toMatch(/^warning: <stdin>:\d+:\d+: NetworkPolicy shop\/db: .*"pg"/m);
    const json = await k8snet(['matrix', '-', '-o', 'json'], { input });
    expect(json.stderr).toBe('');
    expect(JSON.parse(json.stdout).warnings).toMatchObject([{ code: 'named-port-unmatched' }]);
  });

  it('fits its width, with Chinese names, in ASCII and in colour', async () => {
    const input = Array.from({ length: 12 }, (_, at) => workload(`服务-${at}`, 80)).join('');
    for (const width of [60, 80, 120]) {
      const { stdout } = await k8snet(['matrix', '-'], { input, env: { COLUMNS: String(width) } });
      const wide = (line: string) => [...line].reduce((sum, c) => sum + (c > '\u1100' ? 2 : 1), 0);
      expect(stdout.split('\n').filter((line) => wide(line) > width)).toEqual([]);
    }
    const ascii = await k8snet(['matrix', shop, '--exposure', '--path'], { env: { LC_ALL: 'C' } });
    expect(ascii.stdout).toMatch(/^[\x20-\x7e\n]*$/);
    const colour = await k8snet(['matrix', shop, '--color']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour is what is looked for.
    expect(colour.stdout.replace(/\x1b\[\d+m/g, '')).toBe(await matrix());
  });

  it('stops when nobody reads any more', async () => {
    const many = Array.from({ length: 180 }, (_, at) => workload(`w-${at}`, 80)).join('');
    const file = join(folder, 'many.yaml');
    writeFileSync(file, many);
    const child = spawn(process.execPath, [bin, 'matrix', file, '-o', 'csv'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
