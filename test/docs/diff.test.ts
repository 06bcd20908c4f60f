/** Holds the outputs of docs/diff.md to what the commands above them print (`npx vitest run test/docs -u`). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runHere } from '../cli/run-here.ts';

const FILE = join(import.meta.dirname, '../../docs/diff.md');
const OUTPUT = /^k8snet (?<args>diff .*)\n```\n\n<!-- output -->\n[\s\S]*?<!-- \/output -->$/gm;

const outputOf = async (args: string): Promise<string> => {
  const { code, stdout, stderr } = await runHere(args.split(' '));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

it('docs/diff.md shows what is printed', async () => {
  const page = readFileSync(FILE, 'utf8');
  let filled = page;
  let found = 0;
  for (const { 0: block, groups } of page.matchAll(OUTPUT)) {
    const fence = block.includes('-o markdown') ? '````' : '```';
    const output = await outputOf(groups?.['args'] ?? '');
    const head = block.slice(0, block.indexOf('<!-- output -->'));
    const text = `${head}<!-- output -->\n${fence}\n${output}${fence}\n<!-- /output -->`;
    filled = filled.replace(block, () => text);
    found++;
  }
  expect(found).toBe(2);
  await expect(filled).toMatchFileSnapshot(FILE);
});
