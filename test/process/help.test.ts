import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, k8snet, run } from './k8snet.ts';

const commands = [
  '', //
  'trace',
  'matrix',
  'test',
  'lint',
  'diff',
  'exec',
  'tour',
  'scenarios',
  'schema',
];

/** `$ command  # remark: exit code 1` → the command and the code it has to end with. */
const examplesOf = (help: string): { line: string; code: number }[] =>
  [...help.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => ({
    line,
    code: Number(/# .*exit code (\d+)/.exec(line)?.[1] ?? 0),
  }));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k8snet-help-'));
  const shim = join(folder, 'k8snet');
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
  chmodSync(shim, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const helpOf = async (command: string) =>
  (await k8snet([...command.split(' ').filter(Boolean), '--help'])).stdout;

describe.each(commands)('k8snet %s --help', (command) => {
  it('fits 80 columns and names every option in words', async () => {
    const help = await helpOf(command);
    expect(help.split('\n').filter((line) => line.length > 80 && !/^ {2}\$ /.test(line))).toEqual(
      [],
    );
    expect(help).toMatch(/^ {2}-h, --help +\S/m);
    expect(help).not.toMatch(/\n\n\n/);
  });

  it('shows examples that run as they stand in an empty directory', async () => {
    const examples = examplesOf(await helpOf(command));
    expect(examples.length).toBeGreaterThan(0);
    for (const { line, code } of examples) {
      const cwd = mkdtempSync(join(folder, 'empty-'));
      const result = await run('sh', ['-c', line], {
        cwd,
        env: { PATH: [folder, process.env['PATH']].join(delimiter) },
      });
      expect(result.code, `${line}\n${result.stderr}`).toBe(code);
    }
  });
});

it('is what no command at all gets', async () => {
  const { code, stdout, stderr } = await k8snet([]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(await helpOf(''));
});

it('is not shown for what is no command', async () => {
  const { code, stdout, stderr } = await k8snet(['help', 'nope']);
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: '',
    stderr: "k8snet: error: unknown command 'nope'\n",
  });
  expect((await k8snet(['help', 'traec'])).stderr).toContain('Did you mean trace?');
  expect((await k8snet(['help', 'trace'])).stdout).toBe(await helpOf('trace'));
});

it.each([
  ['traec', 'trace'],
  ['scenario', 'scenarios'],
  ['tests', 'test'],
])('is hinted at: %s', async (typed, meant) => {
  const { code, stdout, stderr } = await k8snet([typed]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(`Did you mean ${meant}?`);
});
