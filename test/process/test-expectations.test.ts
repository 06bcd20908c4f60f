import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bin, k8snet } from './k8snet.ts';

const examples = join(import.meta.dirname, '../../docs/examples/expectations');

let root = '';
let cwd = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'k8snet-expect-'));
});
beforeEach(() => {
  cwd = mkdtempSync(join(root, 'case-'));
  cpSync(examples, cwd, { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const test = (...args: string[]) => k8snet(['test', ...args], { cwd });
const save = (name: string, text: string) => writeFileSync(join(cwd, name), text);
const load = (name: string) => readFileSync(join(cwd, name), 'utf8');

const broken = `apiVersion: k8snet/v1
kind: Expectations
metadata: { name: broken, namespace: shop }
spec:
  inputs: [shop.yaml, policies.yaml]
  expect:
    - { name: the front page, from: deploy/web, to: "svc/api:80", disposition: dropped }
    - { from: deploy/web, to: svc/api, disposition: delivered }
  matrix:
    - { name: the data base, to: "sts/db:5432", only: deploy/web }
`;

describe('k8snet test with Expectations', () => {
  it.each([
    ['alone, over its inputs', ['checks.yaml']],
    ['over other files', ['shop.yaml', 'policies.yaml', 'checks.yaml']],
    ['with -e', ['shop.yaml', 'policies.yaml', '-e', 'checks.yaml']],
    ['over a directory that holds them too', ['.']],
  ])('%s', async (_, args) => {
    const { code, stdout, stderr } = await test(...args);
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/: \d+ hold\n$/);
  });

  it('reads manifests from standard input', async () => {
    const input = `${load('shop.yaml')}---\n${load('policies.yaml')}`;
    const { code, stderr } = await k8snet(['test', '-', '-e', 'checks.yaml'], { cwd, input });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('finds a line that is gone from a policy, with the policies that isolate', async () => {
    const line = '        - podSelector: { matchLabels: { app: api } }\n';
    const before = load('policies.yaml');
    expect(before).toContain(line);
    save('policies.yaml', before.replace(line, ''));
    const { code, stdout } = await test('checks.yaml');
    expect(code).toBe(1);
    expect(stdout).toMatch(/✘ .*data base/);
    expect(stdout).toContain('found    ');
    expect(stdout).toMatch(/NetworkPolicy shop\/db[\s\S]*\(policies\.yaml:\d+\)/);
  });

  it.each<[string, RegExp]>([
    ['junit', /<testsuite name="broken\.yaml broken" [^>]*tests="3" failures="2" errors="0"/],
    ['tap', /^TAP version 14\n1\.\.3\nnot ok 1 - .*the front page/],
    ['github', /^::error file=broken\.yaml,line=7,col=7,title=the front page/],
    ['json', /"kind": "TestReport"/],
  ])('ends with 1, and with 0 when soft, in the form %s', async (format, shown) => {
    save('broken.yaml', broken);
    const hard = await test('broken.yaml', '-o', format);
    expect(hard.stdout).toMatch(shown);
    expect(hard).toMatchObject({ code: 1, stderr: '' });
    expect(await test('broken.yaml', '-o', format, '--soft')).toMatchObject({ code: 0 });
  });

  it('prints what its schema says', async () => {
    save('broken.yaml', broken);
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const schema = JSON.parse((await k8snet(['schema', 'test-report'])).stdout) as object;
    const validate = ajv.compile(schema);
    for (const files of [['broken.yaml'], ['checks.yaml'], ['shop.yaml'], ['nowhere.yaml']]) {
      const { stdout } = await test(...files, '-o', 'json');
      expect(validate(JSON.parse(stdout)), ajv.errorsText(validate.errors)).toBe(true);
    }
    const expectations = JSON.parse((await k8snet(['schema', 'expectations'])).stdout) as object;
    expect(ajv.validateSchema(expectations)).toBe(true);
  });

  it('asks only what is meant, and stops when it is enough', async () => {
    save('broken.yaml', broken);
    const only = await test('broken.yaml', '--only', 'DATA BASE');
    expect(only.stdout).toMatch(/1 file, 1 expectation: 0 hold, 1 does not\n$/);
    const none = await test('broken.yaml', '--only', 'nobody');
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('no expectation matches "nobody"');
    const bail = await test('broken.yaml', '--bail');
    expect(bail.stdout).toMatch(/3 expectations: 0 hold, 1 does not, 2 left out\n$/);
    expect((await test('broken.yaml', '--bail=2')).stdout).toMatch(/2 do not\n$/);
    expect(await test('--bail', 'broken.yaml')).toMatchObject({ code: 2 });
  });

  it('ends with 2 for what is wrong in them, and for what is none', async () => {
    save('broken.yaml', broken.replace('only: deploy/web', 'only: deploy/wbe'));
    const typo = await test('broken.yaml');
    expect(typo.code).toBe(2);
    expect(typo.stderr).toMatch(/^error: broken\.yaml:10:55: there is no Deployment "wbe"/m);
    const none = await test('shop.yaml', '-e', 'policies.yaml');
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('has no document of kind Expectations');
  });
});

describe('k8snet test --update', () => {
  const wrong = `apiVersion: k8snet/v1
kind: Expectations
metadata: { name: u, namespace: shop }   # ours
spec:
  inputs: [shop.yaml, policies.yaml]
  expect:
    # stays
    - { from: deploy/web, to: "svc/api:80", disposition: delivered, dnat: "10.9.9.9:1", maxHops: 1 }
`;

  it('writes what it saw, once, and says so', async () => {
    save('real.yaml', wrong);
    symlinkSync('real.yaml', join(cwd, 'u.yaml'));
    const first = await test('u.yaml', '--update');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      /^updated u\.yaml:8: dnat 10\.9\.9\.9:1 → 10\.244\.\d+\.\d+:8080$/m,
    );
    expect(first.stdout).toMatch(/^updated u\.yaml:8: maxHops 1 → \d+$/m);
    const [, dnat, hops] = /dnat (\S+) → (\S+)/.exec(first.stdout) ?? [];
    expect(load('real.yaml')).toBe(
      wrong
        .replace(dnat ?? '', hops ?? '')
        .replace('maxHops: 1 ', `maxHops: ${/maxHops 1 → (\d+)/.exec(first.stdout)?.[1]} `),
    );
    expect(lstatSync(join(cwd, 'u.yaml')).isSymbolicLink()).toBe(true);
    const again = await test('u.yaml', '--update');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toMatch(/nothing to update\n$/);
    expect(readdirSync(cwd).filter((name) => name.startsWith('real'))).toEqual(['real.yaml']);
  });

  it('works in a Scenario', async () => {
    const { stdout } = await k8snet(['scenarios', 'basics/one-node']);
    const text = stdout.replace(/(disposition: delivered)/, '$1, maxHops: 1');
    save('s.yaml', text);
    expect(await test('s.yaml', '--update')).toMatchObject({ code: 0 });
    expect(load('s.yaml')).toBe(text.replace('maxHops: 1', 'maxHops: 3'));
  });

  it('writes nothing at all where an outcome changed', async () => {
    const text = `${wrong}    - { from: deploy/web, to: "svc/api:80", disposition: dropped }\n`;
    save('u.yaml', text);
    const { code, stderr } = await test('u.yaml', '--update');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: u\.yaml:9:7: not updated: disposition was expected to be dropped/,
    );
    expect(load('u.yaml')).toBe(text);
  });

  it('changes no value that others mean, too', async () => {
    const text = wrong.replace('"10.9.9.9:1"', '&a "10.9.9.9:1"');
    save('u.yaml', text);
    const { code, stderr } = await test('u.yaml', '--update');
    expect(code).toBe(1);
    expect(stderr).toMatch(/anchor[\s\S]*change it by hand/);
    expect(load('u.yaml')).toBe(text);
  });

  it.each([['-s', 'basics/one-pod'], ['-'], ['checks.yaml', '-o', 'json']])(
    'is for files, and for text: %s %s',
    async (...args) => {
      expect(await test('--update', ...args)).toMatchObject({ code: 2, stdout: '' });
    },
  );
});

describe('k8snet test --watch', () => {
  let child: ChildProcess | undefined;
  afterEach(() => {
    child?.kill('SIGKILL');
  });

  const watching = (...args: string[]) => {
    const started = spawn(process.execPath, [bin, 'test', '--watch', ...args], { cwd });
    child = started;
    let [out, err] = ['', ''];
    started.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const ended = new Promise<number | null>((resolve) => started.on('close', resolve));
    /** Waits until a run has ended whose output matches, and forgets it. */
    const shows = async (pattern: RegExp): Promise<void> => {
      const deadline = Date.now() + 20_000;
      while (!(pattern.test(out + err) && /watching/.test(err))) {
        if (Date.now() > deadline) throw new Error(`not shown: ${pattern}\n${out}\n${err}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      [out, err] = ['', ''];
    };
    return { shows, ended, stop: () => started.kill('SIGINT'), all: () => out + err };
  };

  it('tests again when a file changes, survives a broken one, and ends with 130', async () => {
    const { shows, ended, stop } = watching('checks.yaml');
    await shows(/: \d+ hold\n/);
    const good = load('policies.yaml');
    save('policies.yaml', good.replace('app: api', 'app: nobody'));
    await shows(/does not|do not/);
    save('policies.yaml', 'kind: [');
    await shows(/error: policies\.yaml:1:/);
    save('policies.yaml', good);
    await shows(/: \d+ hold\n/);
    stop();
    expect(await ended).toBe(130);
  });

  it('clears no screen where there is none', async () => {
    const { shows, ended, stop, all } = watching('checks.yaml');
    await shows(/^checks\.yaml {2}shop\n[\s\S]* hold\n/);
    stop();
    expect(await ended).toBe(130);
    expect(all()).toBe('');
  });
});
