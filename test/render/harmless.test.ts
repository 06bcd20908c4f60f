import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { harmless, harmlessData, harmlessQuoted } from '../../src/render/harmless.ts';

/** Mostly from the corners of Unicode where the active ones live; lone surrogates included. */
const character = fc
  .oneof(fc.nat(0xff), fc.integer({ min: 0x2000, max: 0x206f }), fc.nat(0xffff), fc.nat(0x10ffff))
  .map((code) => String.fromCodePoint(code));

describe('harmless', () => {
  it('spells out what a terminal would act on', () => {
    expect(harmless('pod\u001b[31m\u0007\r\n\u009b2J\u202e')).toBe(
      'pod\\u001b[31m\\u0007\\u000d\\u000a\\u009b2J\\u202e',
    );
  });

  it('leaves what people write alone', () => {
    const text = 'pod-a → Käse 网络 👩‍💻 it’s';
    expect(harmless(text)).toBe(text);
  });

  it('leaves nothing active in any text', () => {
    fc.assert(
      fc.property(fc.array(character), (characters) => {
        const text = characters.join('');
        expect(harmless(text)).not.toMatch(/\p{Cc}|\p{Cs}|\u2028|\u2029|[\u202a-\u202e]/u);
      }),
    );
  });

  it('reaches every string of plain data', () => {
    expect(harmlessData({ a: ['\u001b', { b: '\u0007' }], n: 1, none: null })).toEqual({
      a: ['\\u001b', { b: '\\u0007' }],
      n: 1,
      none: null,
    });
  });

  it('keeps the meaning of JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const json = harmlessQuoted(JSON.stringify(value, null, 2));
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(json.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
