import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { type Result, run } from './k8snet.ts';

const root = join(import.meta.dirname, '../..');

/** The `node` that an installed command finds is the one that runs the tests. */
const env = { PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) };

describe('the package', () => {
  let folder = '';
  let tarball = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8snet-package-'));
    mkdirSync(join(folder, 'elsewhere'));
    // Without scripts: dist is built already, and other tests are using it.
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    tarball = join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '');
    execFileSync('tar', ['-xzf', tarball, '-C', folder]);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const works = ({ code, stdout, stderr }: Result) =>
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${manifest.version}\n`,
      stderr: '',
    });

  it('holds what users need and no sources', () => {
    const files = readdirSync(join(folder, 'package'));
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'bin', 'dist', 'package.json']));
    expect(
      files.filter((file) => ['src', 'test', 'scripts', 'node_modules'].includes(file)),
    ).toEqual([]);
  });

  it('passes on the licences of what it bundles', () => {
    const text = readFileSync(join(folder, 'package/dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    expect(text).toMatch(/^commander \d/m);
  });

  it('runs from any directory', async () => {
    const cwd = join(folder, 'elsewhere');
    const script = join(folder, 'package/bin/k8snet.js');
    works(await run(process.execPath, [script, '--version'], { cwd }));

    const trace = await run(process.execPath, [script, 'trace', 'pod-a', 'pod-b'], { cwd });
    expect(trace).toMatchObject({ code: 0, stderr: '' });
    expect(trace.stdout).toContain('delivered and answered');

    const list = await run(process.execPath, [script, 'scenarios'], { cwd });
    const names = [...list.stdout.matchAll(/^(\w\S*\/\S+)/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThanOrEqual(12);
    const all = names.flatMap((name) => ['-s', name]);
    const test = await run(process.execPath, [script, 'test', ...all], { cwd });
    expect(test, test.stderr).toMatchObject({ code: 0 });

    const schema = await run(process.execPath, [script, 'schema', 'trace'], { cwd });
    expect(JSON.parse(schema.stdout)).toEqual(
      JSON.parse(readFileSync(join(folder, 'package/dist/schema/trace.schema.json'), 'utf8')),
    );
  });

  it('can be imported', async () => {
    const code = `
      const { ask, explainTrace, openScenario, renderTrace } = await import(process.argv[1]);
      const opened = await openScenario([]);
      const { facts } = ask(opened.scenario, { from: 'pod-a', to: 'pod-b' });
      process.stdout.write(renderTrace(opened.scenario, facts));
      process.exitCode = explainTrace(opened.scenario, facts).disposition === 'delivered' ? 0 : 1;`;
    const module = join(folder, 'package/dist/index.js');
    const result = await run(process.execPath, ['--input-type=module', '-e', code, module], {
      cwd: join(folder, 'elsewhere'),
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const script = join(folder, 'package/bin/k8snet.js');
    const cli = await run(process.execPath, [script, 'trace', 'pod-a', 'pod-b']);
    expect(result.stdout).toBe(cli.stdout);
  });

  it('installs globally into an empty prefix', async ({ skip }) => {
    const prefix = join(folder, 'prefix');
    mkdirSync(prefix);
    const install = await run(
      'npm',
      [
        ...['install', '--global', '--prefix', prefix, '--prefer-offline', '--fetch-retries=0'],
        ...['--no-audit', '--no-fund', tarball],
      ],
      { env },
    );
    if (
      /\bE(NOTFOUND|AI_AGAIN|CONN\w+|TIMEDOUT|NOTCACHED|NETUNREACH)\b|_CERT_/.test(install.stderr)
    ) {
      skip('the package registry cannot be reached');
    }
    expect(install.code, install.stderr).toBe(0);

    const command = join(prefix, 'bin/k8snet');
    expect(existsSync(command)).toBe(true);
    works(await run(command, ['--version'], { cwd: join(folder, 'elsewhere'), env }));
  });
});
