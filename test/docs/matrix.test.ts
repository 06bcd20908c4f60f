/** Holds docs/matrix.md to the command: what it shows is made here (`npx vitest run test/docs -u`). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { expect, it } from 'vitest';
import { runHere } from '../cli/run-here.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, 'docs/matrix.md');

const printed = async (args: readonly string[]): Promise<string> => {
  const { code, stdout } = await runHere(args);
  expect([args.join(' '), code]).toEqual([args.join(' '), 0]);
  return stdout;
};

it('docs/matrix.md shows what the command prints', { timeout: 30_000 }, async () => {
  const before = process.cwd();
  process.chdir(ROOT);
  try {
    let page = readFileSync(FILE, 'utf8');
    const blocks = [...page.matchAll(/<!-- \$ (.*) -->\n[\s\S]*?<!-- \/\$ -->/g)];
    expect(blocks.length).toBeGreaterThan(3);
    for (const [block, command = ''] of blocks) {
      const text = await printed(command.split(' '));
      page = page.replace(block, () => `<!-- $ ${command} -->\n\`\`\`\n${text}\`\`\`\n<!-- /$ -->`);
    }
    await expect(page).toMatchFileSnapshot(FILE);
  } finally {
    process.chdir(before);
  }
});

it('docs/matrix.md names every warning', () => {
  const page = readFileSync(FILE, 'utf8');
  const folder = join(ROOT, 'src/check/matrix');
  const files = readdirSync(folder).filter((file) => file !== 'narrow.ts');
  const codes = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/code: '([a-z-]+)'/g)].map(
      ([, code]) => code,
    ),
  );
  expect(codes.length).toBeGreaterThan(8);
  expect(codes.filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([]);
});
