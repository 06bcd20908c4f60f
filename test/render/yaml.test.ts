import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHarmless } from '../../src/render/harmless.ts';
import { yamlText } from '../../src/render/yaml.ts';
import { parseYaml } from '../../src/scenario/read/yaml.ts';

/** As our own reader understands it, which reads Kubernetes objects as kubectl does. */
const read = (text: string, kind: string): unknown => {
  const result = parseYaml(`kind: ${kind}\ndata:\n${text.replaceAll(/^/gm, '  ')}`);
  if (!('documents' in result)) throw new Error(result.message);
  const value = result.documents[0]?.value as { data?: unknown } | undefined;
  return value?.data;
};

/** No `__proto__` and no -0, which JSON has and plain objects of ours have not. */
const plain = fc
  .jsonValue({ stringUnit: 'binary', maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')) as unknown);

describe('YAML', () => {
  it.each([
    'yes',
    'on',
    'y',
    'null',
    '~',
    '0644',
    '08',
    '1:30',
    '1_000',
    '0x1f',
    '.inf',
    '2001-01-01',
    '<<',
    '=',
    '',
    ' a ',
    '- a',
    'a: b',
    '#',
    '"',
    "'",
    'a\nb\n',
    'x\u001b[31m',
    '\u202e',
    '\u2028',
  ])('quotes %j where a reader would take it for something else', (text) => {
    const yaml = yamlText({ text, [text]: 1 });
    expect(yaml.split('\n').every(isHarmless)).toBe(true);
    for (const kind of ['ConfigMap', 'Scenario'])
      expect(read(yaml, kind)).toEqual({ text, [text]: 1 });
  });

  it('means what it was made of, and never acts on a terminal', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const text = yamlText({ value });
        expect(text.split('\n').every(isHarmless)).toBe(true);
        expect(read(text, 'Scenario')).toEqual({ value });
      }),
    );
  });
});
