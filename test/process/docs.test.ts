import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, k8snet, run } from './k8snet.ts';

const root = join(import.meta.dirname, '../..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** The blocks of a language, in order. */
const blocksOf = (page: string, language: string): string[] => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, block = '']) => block,
  );
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k8snet-docs-'));
  const shim = join(folder, 'k8snet');
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
  chmodSync(shim, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the examples of the documentation', () => {
  const scenarios = pages.flatMap((page) =>
    blocksOf(page, 'yaml').map((block, at) => ({ name: `${page} ${at + 1}`, block })),
  );
  it('are there', () => {
    expect(scenarios.length).toBeGreaterThan(0);
  });

  it.each(scenarios)('$name holds what it expects', async ({ block }) => {
    const { code, stdout, stderr } = await k8snet(['test', '-'], { input: block });
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  });

  // What installs and tests the package itself is the way that this test came here.
  const commands = pages.flatMap((page) =>
    blocksOf(page, 'sh').flatMap((block) =>
      block
        .split('\n')
        .map((line) => line.replace(/^npm ci && /, '').replace(/^npx /, ''))
        .filter((line) => line.startsWith('k8snet ')),
    ),
  );
  it('name commands', () => {
    expect(commands.length).toBeGreaterThan(5);
  });

  it.each(commands)('%s', async (line) => {
    const { code, stderr } = await run('sh', ['-c', line], {
      cwd: root,
      env: { PATH: [folder, process.env['PATH']].join(delimiter) },
    });
    expect(code, stderr).toBe(Number(/# .*exit code (\d+)/.exec(line)?.[1] ?? 0));
  });
});
