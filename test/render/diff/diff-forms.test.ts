import { describe, expect, it } from 'vitest';
import type { Diff } from '../../../src/check/diff/diff.ts';
import type { PathDiff } from '../../../src/check/diff/path-diff.ts';
import { diffWords } from '../../../src/explain/messages/en/diff.ts';
import { ASCII, UNICODE } from '../../../src/explain/quote.ts';
import { createStyle } from '../../../src/render/color-style.ts';
import { diffJson } from '../../../src/render/diff/diff-json.ts';
import { diffMarkdown, LONGEST_COMMENT } from '../../../src/render/diff/diff-markdown.ts';
import { type DiffTextOptions, diffText } from '../../../src/render/diff/diff-text.ts';
import { isHarmless } from '../../../src/render/harmless.ts';
import { PLAIN } from '../../../src/render/style.ts';
import { columns } from '../../../src/render/width.ts';
import { deployment, diffTexts, networkPolicy } from '../../check/diff/clusters.ts';

const options = (width: number): DiffTextOptions => ({
  width,
  style: PLAIN,
  glyphs: UNICODE,
  words: diffWords,
});

const path: PathDiff = {
  from: '商店/网站',
  to: 'svc/`x|y`',
  base: { disposition: 'delivered', symptom: 'connected', protocol: 'tcp', port: 80 },
  head: {
    disposition: 'dropped',
    symptom: 'timeout',
    cause: 'LINK_DOWN',
    protocol: 'tcp',
    port: 80,
  },
  changes: [
    { what: 'disposition', base: 'delivered', head: 'dropped' },
    { what: 'leg', base: 'there: syn, delivered', head: 'there: syn, dropped' },
  ],
  rows: [
    { kind: 'leg', base: 'there: syn, delivered', head: 'there: syn, dropped', same: false },
    { kind: 'hop', base: '商店/网站-一', head: '商店/网站-一', same: true },
    { kind: 'step', base: `nat ${'很长的名字'.repeat(20)}`, same: false },
    { kind: 'step', head: 'drop drop ```eth0```', same: false },
    { kind: 'leg', base: 'back: synack, delivered', same: false },
    { kind: 'hop', base: 'node-1', same: false },
    { kind: 'hop', base: 'node-2', same: false },
  ],
};

const base = ['web', 'api', 'cart', 'db'].map((name) => deployment(name)).join('');
const policy = networkPolicy('db', '{ podSelector: { matchLabels: { app: db } } }');

const diffWith = async (paths: readonly PathDiff[] = []): Promise<Diff> => {
  const diff = await diffTexts(base, base + policy);
  return {
    ...diff,
    paths,
    summary: { ...diff.summary, pathsChanged: paths.length },
  };
};

describe('a diff as text', () => {
  it('joins what has become of several', async () => {
    const text = diffText(await diffWith(), options(80));
    expect(text).toBe(`BASE  base.yaml
HEAD  head.yaml
4 closed, 16 connections unchanged

Closed  nothing is allowed any more
  4 peers → shop/db[Deployment]                                        all ports
    shop/api[Deployment], shop/cart[Deployment], shop/web[Deployment], any IPv4
    address outside
      ingress  BASE  no policy isolates for ingress
               HEAD  NetworkPolicy shop/db (new) isolates, and no rule admits
                     TCP 80   x.yaml:42

Workloads
  shop/db[Deployment]              isolated for ingress on HEAD, and not on BASE
`);
  });

  it.each([40, 80, 120, 160])('fits %i columns, whatever the script', async (width) => {
    const diff = await diffWith([path]);
    const text = diffText(diff, options(width));
    expect(text.split('\n').filter((line) => columns(line) > width)).toEqual([]);
    expect(text).toContain('网站');
    expect(text).toMatch(
      width >= 120 ? /syn, delivered +\| there: syn, dropped/ : /^ +\+ there: syn, dropped$/m,
    );
    expect(text).toContain('2 lines');
  });

  it('says the same in colour, and in ASCII', async () => {
    const diff = await diffWith([path]);
    const plain = diffText(diff, options(100));
    const coloured = diffText(diff, { ...options(100), style: createStyle() });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour is made of them.
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
    expect(diffText(diff, { ...options(80), glyphs: ASCII })).toContain('4 peers -> shop/db');
  });

  it('does nothing to a terminal', async () => {
    const diff = await diffWith([
      { ...path, from: 'a\u001b[2J', rows: [{ kind: 'leg', head: '\u202ex', same: false }] },
    ]);
    for (const text of [diffText(diff, options(80)), diffJson(diff), diffMarkdown(diff, diffWords)])
      expect(isHarmless(text.replaceAll('\n', ''))).toBe(true);
  });
});

describe('a diff as Markdown', () => {
  it('spells out what Markdown would act on', async () => {
    const text = diffMarkdown(await diffWith([path]), diffWords);
    expect(text).toContain(
      '<summary><code>商店/网站 → svc/&#96;x&#124;y&#96;</code>: disposition delivered → dropped</summary>',
    );
    // Longer than the backticks inside.
    expect(text).toMatch(/^````diff$/m);
    const table = text.split('\n').filter((line) => line.startsWith('| '));
    expect(table.map((line) => line.split('|').length)).toEqual(table.map(() => 6));
  });

  it('keeps to the length of a comment, and says what is left out', async () => {
    const [one] = (await diffWith()).connections;
    if (!one) throw new Error('no change');
    const connections = Array.from({ length: 2000 }, (_, at) => ({
      ...one,
      src: `shop/web-${at}[Deployment]`,
      dst: `shop/db-${at}[Deployment]`,
    }));
    const diff = { ...(await diffWith([path])), connections };
    const text = diffMarkdown(diff, diffWords);
    expect(text.length).toBeLessThanOrEqual(LONGEST_COMMENT);
    const rows = text.split('\n').filter((line) => line.startsWith('| <code>')).length;
    expect(rows).toBeGreaterThan(100);
    const told = /^> (\d+) rows are left out/m.exec(text)?.[1];
    // The path and the isolation have no room either, or are shown.
    const others = [/<details>/, /^- <code>/m].filter((other) => !other.test(text)).length;
    expect(Number(told)).toBe(2000 - rows + others);
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });
});
