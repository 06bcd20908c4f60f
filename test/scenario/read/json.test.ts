import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Path } from '../../../src/cluster/kube-object.ts';
import { parseJson } from '../../../src/scenario/read/json.ts';
import { offsetOf } from '../../../src/scenario/read/place-tree.ts';

const problem = (text: string): string => {
  const found = parseJson(text).problem;
  return found ? `${found.offset}: ${found.message}` : 'fine';
};

describe('JSON', () => {
  it('is what JSON.parse makes of it, one value after the other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.json({ maxDepth: 5 }), { maxLength: 3 }),
        fc.nat(4),
        (texts, indent) => {
          // JSON.parse lets the last of two equal keys win; here it is an error.
          const values: unknown[] = texts.map((text) => JSON.parse(text));
          const stream = values.map((value) => JSON.stringify(value, null, indent)).join('\n');
          const { documents, problem: found } = parseJson(stream);
          expect(found).toBeUndefined();
          expect(documents.map(({ value }) => value)).toEqual(values);
        },
      ),
    );
  });

  it('accepts and refuses what JSON.parse does', () => {
    const soup = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"a"',
        '"b"',
        '"\\u00e9"',
        '"\\x"',
        '1',
        '-',
        '0',
        '1.5e3',
        '01',
        'true',
        'nul',
        ' ',
        '\n',
        "'a'",
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(soup, (parts) => {
        const text = parts.join('');
        const { documents, problem: found } = parseJson(text);
        let value: unknown;
        try {
          value = JSON.parse(text);
        } catch {
          // Several values in a row are fine here.
          if (!found) expect(documents.length).not.toBe(1);
          return;
        }
        if (found?.message.startsWith('duplicated key')) return;
        expect(found).toBeUndefined();
        expect(documents.map((one) => one.value)).toEqual([value]);
      }),
      { numRuns: 5000 },
    );
  });

  it('has places for values and keys', () => {
    const text = '{"a": [1, {"b": "x"}], "__proto__": 2}\n{"c": null}';
    const { documents } = parseJson(text);
    const at = (document: number, path: Path, of: 'key' | 'value' = 'value'): string => {
      const places = documents[document]?.places();
      return text.slice(places ? offsetOf(places, path, of) : 0).slice(0, 5);
    };
    expect(at(0, ['a', 1, 'b'])).toBe('"x"}]');
    expect(at(0, ['a', 1, 'b'], 'key')).toBe('"b": ');
    expect(at(0, ['__proto__'])).toBe('2}\n{"');
    expect(at(1, [])).toBe('{"c":');
    expect(at(1, ['c'])).toBe('null}');
    expect(Object.keys(documents[0]?.value as object)).toEqual(['a', '__proto__']);
  });

  it.each([
    ['{"a":', '5: expected a value, found the end of the text'],
    ['{"a" 1}', '5: expected a colon, found "1"'],
    ['{"a":1 "b":2}', '7: expected a comma or }, found "\\""'],
    ['[1, 2', '5: expected a comma or ], found the end of the text'],
    ['[1,]', '3: expected a value, found "]"'],
    ['{a:1}', '1: expected a key in double quotes, found "a"'],
    ['{"a":1,"a":2}', '7: duplicated key "a"'],
    ['{"a":1,"\\u0061":2}', '7: duplicated key "\\u0061"'],
    ['["a\nb"]', '3: expected no control character in a string, found "\\n"'],
    ['["\\q"]', '2: expected an escape such as \\n or \\u00e9, found "\\\\"'],
    ['["a', '3: expected the end of a string, found the end of the text'],
    ['['.repeat(1_000_000), '201: nested deeper than 200 levels'],
  ])('is refused with its place: %s', (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  it('gives the values before an error', () => {
    expect(parseJson('{"a":1}\n{"b":')).toMatchObject({ documents: [{ value: { a: 1 } }] });
  });

  it('has no trouble with a long string', () => {
    const long = 'x'.repeat(20_000_000);
    expect(parseJson(JSON.stringify({ long })).documents[0]?.value).toEqual({ long });
  });
});
