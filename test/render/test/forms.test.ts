import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { testReport } from '../../../src/check/test/report.ts';
import { en } from '../../../src/explain/messages/en.ts';
import { UNICODE } from '../../../src/explain/quote.ts';
import { PLAIN } from '../../../src/render/style.ts';
import { testAnnotations } from '../../../src/render/test/annotations.ts';
import { junitText } from '../../../src/render/test/junit.ts';
import { suiteText, summaryText } from '../../../src/render/test/report-text.ts';
import { tapText } from '../../../src/render/test/tap.ts';
import { columns } from '../../../src/render/width.ts';
import { failed, report, suites } from './reports.ts';

describe('junitText', () => {
  it('has a suite a file and a case an expectation', () => {
    expect(junitText(report)).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<testsuites name="k8snet" tests="5" failures="1" errors="2" skipped="1">',
        '  <testsuite name="checks.yaml shop" file="checks.yaml" tests="4" failures="1" errors="1" skipped="1">',
        '    <testcase name="the cart answers (deploy/web → svc/cart:80)" classname="checks.yaml shop" file="checks.yaml" line="8"/>',
        '    <testcase name="a → b:80" classname="checks.yaml shop" file="checks.yaml" line="9">',
        '      <failure message="disposition: expected delivered, found dropped" type="disposition">disposition: expected delivered, found dropped',
        'only: expected nobody else, found c → b',
        '  policy x (p.yaml:3)',
        '',
        'a &gt; b tcp/80: dropped, timeout',
        '  node-1: drop</failure>',
        '    </testcase>',
        '    <testcase name="to b: only x # y" classname="checks.yaml shop" file="checks.yaml" line="10">',
        '      <error message="there is no Pod &quot;x&quot;" type="unknown-endpoint">checks.yaml:10: there is no Pod "x"',
        '  y?</error>',
        '    </testcase>',
        '    <testcase name="later (deploy/web → svc/cart:80)" classname="checks.yaml shop" file="checks.yaml" line="8">',
        '      <skipped/>',
        '    </testcase>',
        '  </testsuite>',
        '  <testsuite name="broken.yaml" file="broken.yaml" tests="1" failures="0" errors="1" skipped="0">',
        '    <testcase name="broken.yaml" classname="broken.yaml" file="broken.yaml" line="3">',
        '      <error message="no &lt;YAML&gt;" type="syntax">broken.yaml:3:1: no &lt;YAML&gt;</error>',
        '    </testcase>',
        '  </testsuite>',
        '  <testsuite name="silent.yaml" file="silent.yaml" tests="0" failures="0" errors="0" skipped="0">',
        '  </testsuite>',
        '</testsuites>',
        '',
      ].join('\n'),
    );
  });

  /** Mostly what breaks XML: markup, quotes, controls, surrogates, non-characters. */
  const nasty = fc
    .array(
      fc.oneof(
        fc.constantFrom(...'<>&"\'\n\r\t\u0000\u001b\u0085\ud800\udfff\ufffe\uffff', ']]>'),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
    )
    .map((parts) => parts.join(''));
  const NAME = '[a-z]+';
  const TEXT = '(?:[^<&]|&(?:amp|lt|gt|quot|#9|#10|#13);)';
  const ATTRIBUTES = `(?: ${NAME}="(?:[^"<&\\t\\n\\r]|&(?:amp|lt|gt|quot|#9|#10|#13);)*")*`;
  const TAG = new RegExp(`^(?:<(/?)(${NAME})${ATTRIBUTES}(/?)>|${TEXT}+)`, 'su');

  const openTags = (xml: string): string[] => {
    const open: string[] = [];
    let rest = xml.slice(xml.indexOf('\n') + 1);
    while (rest !== '') {
      const found = TAG.exec(rest);
      if (!found) throw new Error(`no XML: ${JSON.stringify(rest.slice(0, 80))}`);
      const [all, closing, name, empty] = found;
      if (name !== undefined && closing === '/') {
        if (open.pop() !== name) throw new Error(`</${name}> closes something else`);
      } else if (name !== undefined && empty !== '/') open.push(name);
      rest = rest.slice(all.length);
    }
    return open;
  };

  it('is well-formed whatever names and texts are', () => {
    fc.assert(
      fc.property(nasty, nasty, (name, text) => {
        const one = {
          ...failed,
          name,
          file: text,
          trace: text,
          differences: [{ field: name, expected: text, found: name, reasons: [text] }],
        };
        const problem = { code: name, message: text, hint: name };
        const xml = junitText(
          testReport([
            { file: name, cases: [one], problems: [] },
            { file: text, cases: [], problems: [problem] },
          ]),
        );
        expect(openTags(xml)).toEqual([]);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 forbids them
        expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/u);
      }),
    );
  });
});

describe('tapText', () => {
  const text = tapText(report);
  const lines = text.split('\n');

  it('plans as many points as it has', () => {
    expect(lines.slice(0, 2)).toEqual(['TAP version 14', '1..5']);
    expect(lines.filter((line) => /^(?:not )?ok /.test(line))).toEqual([
      'ok 1 - checks.yaml shop: the cart answers (deploy/web → svc/cart:80)',
      'not ok 2 - checks.yaml shop: a → b:80',
      'not ok 3 - checks.yaml shop: to b: only x \\# y',
      'ok 4 - checks.yaml shop: later (deploy/web → svc/cart:80) # SKIP enough had failed',
      'not ok 5 - broken.yaml',
    ]);
  });

  it('has diagnostics that are YAML', () => {
    const blocks = [...text.matchAll(/^ {2}---\n([\s\S]*?)^ {2}\.\.\.$/gm)].map(
      ([, block = '']) => parseAllDocuments(block.replaceAll(/^ {2}/gm, ''))[0]?.toJS() as unknown,
    );
    expect(blocks).toEqual([
      {
        severity: 'fail',
        at: { file: 'checks.yaml', line: 9, column: 7 },
        differences: failed.differences,
        trace: ['a > b tcp/80: dropped, timeout', '  node-1: drop'],
      },
      {
        severity: 'error',
        at: { file: 'checks.yaml', line: 10, column: 7 },
        problems: [
          {
            code: 'unknown-endpoint',
            message: 'there is no Pod "x"',
            hint: 'y?',
            at: { file: 'checks.yaml', line: 10 },
          },
        ],
      },
      {
        severity: 'error',
        problems: [
          { code: 'syntax', message: 'no <YAML>', at: { file: 'broken.yaml', line: 3, column: 1 } },
        ],
      },
    ]);
  });
});

describe('testAnnotations', () => {
  it('stands at the expectation, and at what is wrong', () => {
    expect(testAnnotations(report, false)).toBe(
      [
        '::error file=checks.yaml,line=9,col=7,title=a → b%3A80::disposition: expected delivered, found dropped%0Aonly: expected nobody else, found c → b%0A  policy x (p.yaml:3)',
        '::error file=checks.yaml,line=10,title=k8snet test::there is no Pod "x"%0Ay?',
        '::error file=broken.yaml,line=3,col=1,title=k8snet test::no <YAML>',
        '',
      ].join('\n'),
    );
  });

  it('only warns when soft, of differences', () => {
    expect(testAnnotations(report, true).match(/^::\w+/gm)).toEqual([
      '::warning',
      '::error',
      '::error',
    ]);
  });
});

describe('suiteText', () => {
  const options = { style: PLAIN, glyphs: UNICODE, words: en };

  it('shows reasons below what was found', () => {
    const text = suites.map((suite) => suiteText(suite, { ...options, width: 60 })).join('');
    expect(text).toBe(
      [
        'checks.yaml  shop',
        '  What the shop needs.',
        `  ✔ the cart answers${' '.repeat(31)}delivered`,
        `  ✘ a → b:80${' '.repeat(35)}checks.yaml:9`,
        '      disposition  expected delivered',
        '                   found    dropped',
        '      only         expected nobody else',
        '                   found    c → b',
        '                            policy x (p.yaml:3)',
        '      a > b tcp/80: dropped, timeout',
        '        node-1: drop',
        '  ✘ to b: only x # y   cannot be asked',
        '  - later   left out',
        'silent.yaml',
        '  states no expectations',
        '',
      ].join('\n'),
    );
    expect(summaryText(report, PLAIN, en)).toBe(
      '3 files, 3 expectations: 1 holds, 1 does not, 1 left out, 1 file without any, 2 files with errors\n',
    );
  });

  it.each([60, 80, 120])('fits %i columns, with Chinese names too', (width) => {
    const wide = { ...failed, title: `网络 → ${'服务'.repeat(8)}:80`, trace: '' };
    const text = suiteText(
      { file: '测试.yaml', cases: [wide], problems: [] },
      { ...options, width },
    );
    expect(Math.max(...text.split('\n').map(columns))).toBeLessThanOrEqual(width);
  });
});
