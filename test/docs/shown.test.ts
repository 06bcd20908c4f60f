/**
 * What commands print in the documentation is made here (`npx vitest run test/docs -u`): a comment
 * `$ k8snet …` has the output behind it, up to the next comment. `[from WORD to WORD]` takes the lines
 * from the first with the one word to the last before the other.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runHere } from '../cli/run-here.ts';

const root = join(import.meta.dirname, '../..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const SHOWN = /<!-- \$ k8snet (.+?)(?: \[from (\w+) to (\w+)\])? -->\n[\s\S]*?<!-- \/ -->/g;

/** Words of a command line without quotes. */
const printed = async (command: string): Promise<string> =>
  (await runHere(command.split(' '))).stdout.trimEnd();

const cut = (text: string, from: string | undefined, to: string | undefined): string => {
  if (from === undefined || to === undefined) return text;
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.includes(from));
  const end = lines.findIndex((line, at) => at > first && line.startsWith(to));
  expect({ first: first >= 0, end: end > first }, text).toEqual({ first: true, end: true });
  return lines.slice(first, end).join('\n').trimEnd();
};

const filled = async (page: string): Promise<string> => {
  const parts: string[] = [];
  let at = 0;
  for (const match of page.matchAll(SHOWN)) {
    const [whole, command = '', from, to] = match;
    const head = whole.slice(0, whole.indexOf('\n') + 1);
    const text = cut(await printed(command), from, to);
    expect(text, command).not.toBe('');
    parts.push(page.slice(at, match.index), head, '```\n', text, '\n```\n<!-- / -->');
    at = match.index + whole.length;
  }
  return parts.join('') + page.slice(at);
};

const texts = pages
  .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }))
  .filter(({ text }) => text.includes('<!-- $ k8snet '));

it('finds what is shown', () => {
  expect(texts.map(({ name }) => name)).toContain('README.md');
});

describe.each(texts)('$name', ({ name, text }) => {
  // The first command loads what it needs.
  it('shows what the commands print', { timeout: 60_000 }, async () => {
    await expect(await filled(text)).toMatchFileSnapshot(join(root, name));
  });
});
