/**
 * Holds docs/lint.md to the code: its table is made here (`npx vitest run test/docs -u`), and of each
 * section the first example has the finding and the second one has not.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALL_CODES, IGNORE_CODES, READING_CODES } from '../../src/check/lint/codes.ts';
import { RULES } from '../../src/check/lint/rules.ts';
import { lintText } from '../check/lint/lint-text.ts';

const FILE = join(import.meta.dirname, '../../docs/lint.md');
const page = readFileSync(FILE, 'utf8');

const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ code: text.slice(0, text.indexOf('\n')), text }));

const severityOf = (code: string): string =>
  RULES.find((rule) => rule.code === code)?.severity ?? 'warning';

describe('docs/lint.md', () => {
  it('has a section for each rule and each code of suppressions, in order', () => {
    expect(sections.map(({ code }) => code)).toEqual([
      ...RULES.map(({ code }) => code),
      ...Object.keys(IGNORE_CODES),
    ]);
  });

  it('has a table of all codes', async () => {
    const own = sections.map(({ code }) => {
      const title = ALL_CODES.find((one) => one.code === code)?.title;
      return `| [${code}](#${code}) | ${severityOf(code)} | ${title} |`;
    });
    const reading = Object.entries(READING_CODES).map(
      ([code, title]) => `| <a id="${code}"></a>${code} | ${title} |`,
    );
    const table = [
      '| code | severity | what |',
      '|---|---|---|',
      ...own,
      '',
      'Of reading, with the severity that every command gives them:',
      '',
      '| code | what |',
      '|---|---|',
      ...reading,
    ].join('\n');
    const whole = page.replace(
      /(<!-- table -->\n)[\s\S]*?(<!-- \/table -->)/,
      (_, start: string, end: string) => `${start}${table}\n${end}`,
    );
    await expect(whole).toMatchFileSnapshot(FILE);
  });

  describe.each(sections)('$code', ({ code, text }) => {
    const [bad = '', good = '', ...more] = [...text.matchAll(/```yml\n([\s\S]*?)```/g)].map(
      ([, yaml = '']) => yaml,
    );

    it('has two examples', () => {
      expect([bad === '', good === '', more]).toEqual([false, false, []]);
    });

    it('is found in the first alone', async () => {
      const found = async (yaml: string) =>
        (await lintText(yaml)).findings.filter((finding) => finding.code === code);
      const [first] = await found(bad);
      expect(first?.message).toMatch(/\S/);
      expect(first?.severity).toBe(severityOf(code));
      expect(await found(good)).toEqual([]);
    });
  });
});
