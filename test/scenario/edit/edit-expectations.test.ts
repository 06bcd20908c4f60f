import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { editExpectations, type FieldEdit } from '../../../src/scenario/edit/edit-expectations.ts';
import { createLocator } from '../../../src/scenario/read/place-tree.ts';

/** The place of the nth expectation, which begins at `@`; the text is without it. */
const marked = (text: string) => {
  const parts = text.split('@');
  const clean = parts.join('');
  const locate = createLocator({ file: '', line: 1, column: 1 }, clean.replace(/^\uFEFF/, ''));
  let offset = text.startsWith('\uFEFF') ? -1 : 0;
  const places = parts.slice(0, -1).map((part) => {
    offset += part.length;
    const { line, column } = locate(offset);
    return { line, column };
  });
  const edit = (n: number, field: string, value: FieldEdit['value'], at = n): FieldEdit => ({
    ...(places[at - 1] ?? { line: 0, column: 0 }),
    n,
    field,
    value,
  });
  return { clean, edit };
};

const head = 'apiVersion: k8snet/v1\nkind: Expectations\nmetadata: { name: e }\n';
const edited = (text: string, ...edits: [number, string, FieldEdit['value'], number?][]) => {
  const { clean, edit } = marked(text);
  const result = editExpectations(
    clean,
    edits.map((one) => edit(...one)),
  );
  return result.ok ? result.text : result.why;
};

describe('editExpectations', () => {
  it('replaces one value and leaves all else as it is', () => {
    const text = (cause: string) => `# on top
---
apiVersion: k8snet/v1   # ours
kind: Expectations
metadata: { name: e }

spec:
  expect:
    # why
    - from: a      # who
      @to:    "b:80"
      cause:   ${cause}   # because
      via: [eth0, cni0]
---
kind: Pod
`;
    const at = text('NO_ROUTE').replace('- from', '- @from').replace('@to', 'to');
    expect(edited(at, [1, 'cause', 'LINK_DOWN'])).toBe(text('LINK_DOWN').replace('@', ''));
  });

  it.each([
    ['plain', 'cause: A', 'cause: B_C', 'B_C'],
    ['single quotes', "dnat: '10.0.0.1:80'", "dnat: '10.0.0.2:81'", '10.0.0.2:81'],
    ['double quotes', 'dnat: "10.0.0.1:80"', 'dnat: "10.0.0.2:81"', '10.0.0.2:81'],
    ['an address', 'sourceSeen: 10.0.0.1', 'sourceSeen: 10.0.0.2', '10.0.0.2'],
    ['a text that looks like a number', 'symptom: x', 'symptom: "10"', '10'],
    ['a text that looks like a boolean', 'symptom: x', 'symptom: "on"', 'on'],
    ['a text with a hash', 'symptom: x', 'symptom: "a #b"', 'a #b'],
    ['spaces', 'symptom: timeout', 'symptom: "no route to host"', 'no route to host'],
    ['an apostrophe', "symptom: 'x'", "symptom: 'it''s'", "it's"],
    ['a number', 'maxHops: 3', 'maxHops: 12', 12],
    ['a long text', 'cause: A', `cause: ${'B'.repeat(300)}`, 'B'.repeat(300)],
  ])('in block and flow: %s', (_, before, after, value) => {
    const [field = ''] = before.split(':');
    const block = (line: string) =>
      `${head}spec:\n  expect:\n    - @from: a\n      ${line}\n      to: b\n`;
    expect(edited(block(before), [1, field, value])).toBe(block(after).replace('@', ''));
    const flow = (line: string) => `${head}spec: { expect: [@{from: a, ${line}, to: b}] }\n`;
    expect(edited(flow(before), [1, field, value])).toBe(flow(after).replace('@', ''));
  });

  it('replaces lists in both layouts', () => {
    const flow = (list: string) =>
      `${head}spec:\n  expect:\n    - @{ from: a, via: [ ${list} ], to: b }\n`;
    expect(edited(flow('eth0, cni0'), [1, 'via', ['eth0', 'n/host/x', 'v']])).toBe(
      flow('eth0, n/host/x, v').replace('@', ''),
    );
    const block = (items: string[]) =>
      `${head}spec:\n  expect:\n    - @from: a\n      via:\n${items.map((item) => `        -  ${item}\n`).join('')}      to: b # end\n`;
    expect(edited(block(['eth0', 'cni0']), [1, 'via', ['a', 'b', 'c']])).toBe(
      block(['a', 'b', 'c']).replace('@', ''),
    );
    expect(edited(block(["'eth0'", 'cni0', 'z']), [1, 'via', ['a']])).toBe(
      block(["'a'"]).replace('@', ''),
    );
  });

  it('keeps Windows line endings and a byte order mark', () => {
    const text = (cause: string, via: string[]) =>
      `\uFEFF${head}spec:\n  expect:\n    - @from: a\n      cause: ${cause}\n      via:\n${via.map((item) => `      - ${item}\n`).join('')}`.replaceAll(
        '\n',
        '\r\n',
      );
    expect(edited(text('A', ['x']), [1, 'cause', 'B'], [1, 'via', ['v', 'z']])).toBe(
      text('B', ['v', 'z']).replace('@', ''),
    );
  });

  it('changes several expectations, of several documents, and JSON', () => {
    const json = (a: string, b: string) =>
      `{"apiVersion": "k8snet/v1", "kind": "Scenario", "spec": {"expect": [\n  @{"from": "a", "cause": "${a}"},\n  @{"cause": "${b}"}\n]}}\n`;
    expect(edited(json('A', 'B'), [1, 'cause', 'C'], [2, 'cause', 'D'])).toBe(
      json('C', 'D').replaceAll('@', ''),
    );
    const two = (a: string, b: string) =>
      `${head}spec: { expect: [@{ cause: ${a} }] }\n---\n${head}spec: { expect: [@{ cause: ${b} }] }\n`;
    expect(edited(two('A', 'B'), [1, 'cause', 'C', 2])).toBe(two('A', 'C').replaceAll('@', ''));
  });

  it.each([
    ['an anchor', '- @{ from: a, cause: &c A }\n    - { cause: *c }', 'shared'],
    ['an alias', '- { cause: &c A }\n    - @{ from: a, cause: *c }', 'shared', 2],
    ['a tag', '- @{ from: a, cause: !!str A }', 'shared'],
    ['a merge', '- &m { cause: A }\n    - @{ <<: *m, from: a }', 'not-found', 2],
    ['a block of text', '- @from: a\n      cause: >-\n        A', 'layout'],
    ['another place', '- { from: a, cause: A }\n    - @{ cause: B }', 'not-found'],
  ])('changes nothing for %s', (_, entries, why, n = 1) => {
    const text = `${head}spec:\n  expect:\n    ${entries}\n`;
    const { clean, edit } = marked(text);
    const one = { ...edit(1, 'cause', 'B'), n };
    const result = editExpectations(clean, [one]);
    expect(result).toMatchObject({ ok: false, why });
  });

  it('changes nothing of a list with comments, nor where one of several cannot be changed', () => {
    const text = `${head}spec:\n  expect:\n    - @from: a\n      cause: A\n      via:\n        - x # why\n        - y\n`;
    expect(edited(text, [1, 'via', ['z']])).toBe('layout');
    expect(edited(text, [1, 'cause', 'B'], [1, 'via', ['z']])).toBe('layout');
    expect(edited(text, [1, 'cause', 'B'])).toBe(
      text.replace('@', '').replace('cause: A', 'cause: B'),
    );
  });

  it('gives every reader what was meant, whatever the text', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
      fc.string({
        unit: fc.constantFrom(...'ab01:#-,[]{}\'" \n.~!&*'),
        minLength: 1,
        maxLength: 8,
      }),
    );
    fc.assert(
      fc.property(value, fc.constantFrom('A', "'A'", '"A"'), fc.boolean(), (to, from, flow) => {
        const text = flow
          ? `${head}spec: { expect: [@{ cause: ${from}, to: b }] }\n`
          : `${head}spec:\n  expect:\n    - @cause: ${from}\n      to: b\n`;
        const result = edited(text, [1, 'cause', to]);
        fc.pre(result !== 'changed' && result !== 'syntax');
        const read = parseAllDocuments(result)[0]?.toJS() as { spec: { expect: object[] } };
        expect(read.spec.expect).toEqual([{ cause: to, to: 'b' }]);
      }),
    );
  });
});
