/** Holds docs/policies.md to scenarios and cases: every row names some, and none is left out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const FILE = join(root, 'docs/policies.md');
const page = readFileSync(FILE, 'utf8');

const namesIn = (folder: string): string[] =>
  readdirSync(join(root, folder)).map((name) => name.replace(/\.yaml$/, ''));

const scenarios = namesIn('scenarios/policies');
const cases = namesIn('test/policy/cases');

/** The last cells of the rows of all tables. */
const heldBy = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.endsWith(' held by |'))
  .map((line) => line.split('|').at(-2)?.trim() ?? '');

const splitCell = (cell: string): { scenarios: string[]; cases: string[] } => {
  const [before = '', after = ''] = cell.split('cases:');
  const list = (text: string): string[] =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
  return { scenarios: list(before), cases: list(after) };
};

describe('docs/policies.md', () => {
  it('has rows, each held by scenarios and cases that are there', () => {
    expect(heldBy.length).toBeGreaterThan(30);
    const missing = heldBy.flatMap((cell) => {
      const held = splitCell(cell);
      return [
        ...held.scenarios.filter((name) => !scenarios.includes(name)),
        ...held.cases.filter((name) => !cases.includes(name)),
      ];
    });
    expect(missing).toEqual([]);
  });

  it('names every scenario of policies', () => {
    const named = new Set([
      ...heldBy.flatMap((cell) => splitCell(cell).scenarios),
      ...[...page.matchAll(/scenarios\/policies\/([\w-]+)\.yaml/g)].map(([, name]) => name),
    ]);
    expect(scenarios.filter((name) => !named.has(name))).toEqual([]);
  });
});
