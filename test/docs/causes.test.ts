/**
 * Holds docs/causes.md to the code: a section for each cause, with commands that show just that. The
 * table at its top is made here (`npx vitest run test/docs -u`).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { whyOf } from '../../src/check/fix/remedy.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';
import { CAUSE_CODES } from '../../src/trace/codes.ts';
import { allLegs } from '../../src/trace/resolution.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';

const FILE = join(import.meta.dirname, '../../docs/causes.md');
const page = readFileSync(FILE, 'utf8');

interface Section {
  readonly code: string;
  readonly text: string;
}

const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text): Section => ({ code: text.slice(0, text.indexOf('\n')), text }));

interface Shown {
  readonly scenario: string;
  readonly facts: TraceFacts;
  readonly fix: string;
  /** What the scenario itself expects of this question. */
  readonly expected: string | undefined;
}

const COMMAND =
  /k8snet trace (\S+) (\S+)(?: -p (\d+))?(?: --proto (\w+))?(?: --size (\d+))? -s (\S+)$/;

/** Runs the commands of a section. */
const shownBy = ({ text }: Section): Promise<Shown[]> => {
  const commands = [...text.matchAll(/`(k8snet trace [^`]+)`/g)].map(([, command = '']) => command);
  return Promise.all(
    commands.map(async (command) => {
      const [, from = '', to = '', digits, proto, bytes, name = ''] = COMMAND.exec(command) ?? [];
      const opened = await openBuiltIn(name);
      if (!opened.ok) throw new Error(`${command}: there is no such scenario`);
      const { scenario } = opened;
      const protocol = proto === 'icmp' || proto === 'udp' ? proto : undefined;
      const port = digits === undefined ? undefined : Number(digits);
      const size = bytes === undefined ? undefined : Number(bytes);
      const answer = ask(scenario, { from, to, port, protocol, size });
      if (!answer.ok) throw new Error(`${command}: ${answer.diagnostics[0]?.message}`);
      const expectation = scenario.expectations.find(
        (one) =>
          one.from === from &&
          one.to === to &&
          one.port === port &&
          one.protocol === protocol &&
          one.size === size,
      );
      const fix = whyOf(scenario, answer.facts)?.fix.kind ?? '';
      return { scenario: name, facts: answer.facts, fix, expected: expectation?.cause };
    }),
  );
};

/** Why the kernel cannot prove a trace; undefined: it does, with every scenario. */
const unproved = ({ facts }: Shown): string | undefined => {
  if (facts.cause?.code === 'CT_TABLE_FULL')
    return 'no: this kernel has one nf_conntrack_max for all namespaces';
  if (allLegs(facts).length === 0) return 'no: no packet exists';
  return facts.disposition === 'inconclusive'
    ? 'no: nothing is claimed that it could hold'
    : undefined;
};

const unique = (values: readonly string[]): string => [...new Set(values)].join(', ');

const rowOf = ({ code }: Section, shown: readonly Shown[]): string => {
  const cells = [
    `[\`${code}\`](#${code.toLowerCase()})`,
    unique(shown.map(({ scenario }) => `\`${scenario}\``)),
    unique(shown.map(({ facts }) => facts.disposition)),
    unique(shown.map(({ facts }) => facts.symptom)),
    unique(shown.map(({ fix }) => fix)),
    unique(shown.map((one) => unproved(one) ?? 'yes')),
  ];
  return `| ${cells.join(' | ')} |`;
};

describe('docs/causes.md', async () => {
  const all = await Promise.all(
    sections.map(async (section) => ({ section, shown: await shownBy(section) })),
  );

  it('has a section for every cause, in the order of the list, and for nothing else', () => {
    expect(sections.map(({ code }) => code)).toEqual(CAUSE_CODES);
  });

  it('has a table of what its scenarios show', async () => {
    const table = [
      '| cause | scenario | disposition | the application sees | fix | proved by the kernel |',
      '|---|---|---|---|---|---|',
      ...all.map(({ section, shown }) => rowOf(section, shown)),
    ].join('\n');
    const whole = page.replace(
      /(<!-- table -->\n)[\s\S]*?(<!-- \/table -->)/,
      (_, start: string, end: string) => `${start}${table}\n${end}`,
    );
    await expect(whole).toMatchFileSnapshot(FILE);
  });

  describe.each(all)('$section.code', ({ section: { code, text }, shown }) => {
    it('is what its commands show, and what their scenarios expect', () => {
      expect(shown.length).toBeGreaterThan(0);
      for (const { scenario, facts, expected } of shown)
        expect([scenario, facts.cause?.code, expected]).toEqual([scenario, code, code]);
    });

    it('says what the application sees, how to check, how to mend and whether it is proved', () => {
      const [, sees = ''] = /- \*\*The application sees\*\* ([\s\S]*?)\n- /.exec(text) ?? [];
      for (const { facts } of shown)
        expect(sees.replaceAll(/\s+/g, ' ')).toContain(`\`${facts.symptom}\``);
      expect(text).toMatch(/^- \*\*Check\*\* \S/m);
      expect(text).toMatch(/^- \*\*Mend\*\* \S/m);
      const [, proved] = /^- \*\*Proved by the kernel\*\* (.+)\.$/m.exec(text) ?? [];
      expect(proved).toBe(unique(shown.map((one) => unproved(one) ?? 'yes')));
    });

    it('is advice only where the page says so', () => {
      const [, mend = ''] = /- \*\*Mend\*\* ([\s\S]*?)\n- /.exec(text) ?? [];
      const isAdvice = shown.every(({ fix }) => fix === 'advice');
      const runs = /^`kubectl describe/.test(mend);
      if (isAdvice) expect(/^Advice:/.test(mend) || runs).toBe(true);
      else expect(mend).not.toMatch(/^Advice:/);
    });
  });
});
