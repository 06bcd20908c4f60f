/** Relative links of the documentation lead to files that are there, and to headings that they have. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** A page without its blocks of code. */
const textOf = (path: string): string =>
  readFileSync(join(root, path), 'utf8').replace(/^(`{3,})[\s\S]*?^\1/gm, '');

/** What GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (path: string): ReadonlySet<string> => {
  const text = textOf(path);
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
  const marks = [...text.matchAll(/<a id="([^"]+)"/g)].map(([, id = '']) => id);
  return new Set([...headings, ...marks]);
};

const linksOf = (path: string): string[] =>
  [...textOf(path).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));

/** Why a link leads nowhere, or undefined. */
const broken = (page: string, link: string): string | undefined => {
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? page : join(page, '..', file);
  if (!existsSync(join(root, path))) return `${link}: no such file`;
  return anchor === undefined || anchorsOf(path).has(anchor)
    ? undefined
    : `${link}: no such heading`;
};

describe('links of the documentation', () => {
  it.each(pages)('%s', (page) => {
    expect(linksOf(page).flatMap((link) => broken(page, link) ?? [])).toEqual([]);
  });

  it('are many, and a wrong one is found', () => {
    expect(pages.flatMap(linksOf).length).toBeGreaterThan(100);
    expect(broken('README.md', 'docs/no-such.md')).toBeDefined();
    expect(broken('README.md', 'docs/lint.md#no-such')).toBeDefined();
    expect(broken('README.md', 'docs/lint.md#dns-denied')).toBeUndefined();
  });
});
