import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, type ScalarTag, stringify } from 'yaml';
import { formatPath, type Path } from '../../../src/cluster/kube-object.ts';
import { offsetOf } from '../../../src/scenario/read/place-tree.ts';
import { parseYaml, type YamlDocument } from '../../../src/scenario/read/yaml.ts';

const documentsOf = (text: string): readonly YamlDocument[] => {
  const result = parseYaml(text);
  if (!('documents' in result)) throw new Error(`${result.offset}: ${result.message}`);
  return result.documents;
};

const value = (text: string): unknown => documentsOf(text)[0]?.value;

describe('kubectl’s dialect', () => {
  // As `kubectl label --local -o json` reads them.
  it.each([
    ['yes', true],
    ['on', true],
    ['y', true],
    ['Off', false],
    ['no', false],
    ['0644', 420],
    ['0o17', 15],
    ['0x1F', 31],
    ['0b11', 3],
    ['1_000', 1000],
    ['-1_0', -10],
    ['+12', 12],
    ['1:30', '1:30'],
    ['2001-12-15', '2001-12-15'],
    ['2001-12-15T02:59:43Z', '2001-12-15T02:59:43Z'],
    ['1e3', 1000],
    ['.5', 0.5],
    ['08', 8],
    ['~', null],
    ['=', '='],
    ['1.2.3', '1.2.3'],
    ['0o8', '0o8'],
    ['_1', '_1'],
    ['1__0', 10],
    ['"yes"', 'yes'],
    ["'0644'", '0644'],
  ])('%s', (text, expected) => {
    expect(value(`a: ${text}`)).toEqual({ a: expected });
  });

  it('keys: n is false, numbers and null are text', () => {
    expect(value('n: 1\n8080: 2\n~: 3\n"n": 4')).toEqual({ false: 1, 8080: 2, null: 3, n: 4 });
  });

  it('merge keys, of one mapping or several; what stands there wins', () => {
    expect(
      value('a: &a {x: 1, z: 1}\nb: &b {w: 2, z: 2}\nc: {<<: *a, x: 9}\nd: {<<: [*a, *b]}'),
    ).toEqual({
      a: { x: 1, z: 1 },
      b: { w: 2, z: 2 },
      c: { x: 9, z: 1 },
      d: { x: 1, w: 2, z: 1 },
    });
  });

  it('our own documents keep on: and other words as text', () => {
    expect(
      value(
        'spec: {a: [1, {apiVersion: v1}]}\napiVersion: k8snet/v1\non: y\ntrue: no\nmode: 0644\nreally: true',
      ),
    ).toEqual({
      spec: { a: [1, { apiVersion: 'v1' }] },
      apiVersion: 'k8snet/v1',
      on: 'y',
      true: 'no',
      mode: 420,
      really: true,
    });
    expect(value('spec: {apiVersion: k8snet/v1}\non: 1')).toMatchObject({ true: 1 });
  });
});

/** The same dialect in another parser: what kubectl has over YAML 1.2. */
const bool: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  resolve: (text) => /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text),
};
const whole: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|0_*|[0-9][0-9_]*)$/,
  resolve: (text) => {
    const plain = text.replaceAll('_', '').replace(/^\+/, '');
    const negative = plain.startsWith('-');
    const digits = negative ? plain.slice(1) : plain;
    const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
    const size = /^0[89]|^0\d*[89]/.test(digits) ? Number.parseFloat(digits) : Number(octal);
    return negative && size !== 0 ? -size : size;
  },
};

const oracle = (text: string): unknown[] =>
  parseAllDocuments(text, {
    customTags: (tags) => [bool, whole, ...tags],
    merge: true,
    uniqueKeys: true,
  }).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS();
  });

describe('agrees with another parser of the same dialect', () => {
  const scalar = fc.oneof(
    fc.constantFrom('yes', 'No', 'on', 'OFF', 'y', 'N', 'true', 'null', '~', '', '<', '0', '-0'),
    fc.stringMatching(/^0?[0-9_]{1,5}$/).filter((text) => !text.startsWith('_')),
    fc.stringMatching(/^[-+]?0[xob][0-9a-f]{1,4}$/),
    fc.stringMatching(/^[0-9]{1,2}:[0-9]{2}$/),
    fc.stringMatching(/^[-+]?[0-9]{1,3}\.[0-9]{0,3}(?:e[-+]?[0-9])?$/),
    fc.constantFrom('2001-12-15', '1.2.3', '10.0.0.0/8', '1e3', 'a b', 'v1', '0.0.0.0', '1.', '.5'),
  );

  it('on plain scalars', () => {
    fc.assert(
      fc.property(scalar, (text) => {
        expect(documentsOf(`k: ${text}\n`).map((one) => one.value)).toEqual(oracle(`k: ${text}\n`));
      }),
      { numRuns: 1000 },
    );
  });

  it('on what another program wrote, in several documents', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme' }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.array(json, { minLength: 1, maxLength: 3 }), (values) => {
        const text = values.map((one) => stringify(one)).join('---\n');
        expect(documentsOf(text).map((one) => one.value)).toEqual(oracle(text));
      }),
    );
  });
});

/** Every path of a value, with the value there. */
const paths = (at: unknown, path: Path = []): [Path, unknown][] =>
  typeof at === 'object' && at !== null
    ? [
        [path, at],
        ...Object.entries(at).flatMap(([key, inner]) =>
          paths(inner, [...path, Array.isArray(at) ? Number(key) : key]),
        ),
      ]
    : [[path, at]];

describe('places', () => {
  const text = `spec:
  containers:
    - name: "app"
      ports: [{containerPort: 80}, {containerPort: 81}]
    -
      name: 'b'
  empty:
  text: |
    lines
  yes: 1
  shared: &x {a: 1}
  again: *x
  merged: {<<: *x, b: 2}
`;
  const [document] = documentsOf(text);
  const at = (path: Path, of: 'key' | 'value' = 'value'): string =>
    text.slice(document ? offsetOf(document.places(), path, of) : 0).split('\n')[0] ?? '';

  it.each<[Path, string, string]>([
    [['spec'], 'containers:', 'spec:'],
    [['spec', 'containers', 0], 'name: "app"', 'name: "app"'],
    [['spec', 'containers', 0, 'name'], '"app"', 'name: "app"'],
    [['spec', 'containers', 0, 'ports', 1, 'containerPort'], '81}]', 'containerPort: 81}]'],
    [['spec', 'containers', 1, 'name'], "'b'", "name: 'b'"],
    [['spec', 'empty'], 'empty:', 'empty:'],
    [['spec', 'text'], '    lines', 'text: |'],
    [['spec', 'true'], '1', 'yes: 1'],
    [['spec', 'again'], '*x', 'again: *x'],
    [['spec', 'again', 'a'], '*x', 'again: *x'],
    [['spec', 'merged', 'a'], '{<<: *x, b: 2}', 'merged: {<<: *x, b: 2}'],
    [['spec', 'merged', 'b'], '2}', 'b: 2}'],
    [['spec', 'missing', 'deep'], 'containers:', 'spec:'],
  ])('%j', (path, ofValue, ofKey) => {
    expect(at(path)).toBe(ofValue);
    expect(at(path, 'key')).toBe(ofKey);
  });

  it('of every scalar that another program wrote are where its text is', () => {
    const words = fc
      .stringMatching(/^[a-z]{1,6}$/)
      .filter((word) => !/^(?:y|n|yes|no|on|off|true|false|null)$/.test(word));
    const tree = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        words,
        fc.array(tie('value'), { minLength: 1, maxLength: 3 }),
        fc.dictionary(words, tie('value'), { minKeys: 1, maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(tree, fc.boolean(), (wanted, flow) => {
        const written = flow ? JSON.stringify(wanted) : stringify(wanted);
        const [one] = documentsOf(written);
        if (!one) throw new Error('no document');
        for (const [path, leaf] of paths(one.value)) {
          if (typeof leaf !== 'string') continue;
          const found = written.slice(offsetOf(one.places(), path, 'value'));
          expect(found.replace(/^"/, ''), formatPath(path)).toMatch(new RegExp(`^${leaf}`));
        }
      }),
    );
  });
});

describe('bad input is a problem with a place, never a crash', () => {
  it.each([
    ['a: {b: 1\n', /deficient|flow/],
    ['a: 1\na: 2', /duplicated mapping key/],
    ['x: !foo 1', /unknown scalar tag/],
    ['x: !!binary aGk=', /unknown scalar tag/],
    ['a: *nobody', /unidentified alias/],
    ['a: &a [*a]', /contains itself/],
    ['a: &a {b: &b {c: *a}}', /contains itself/],
    ['\0', /null byte/],
    ['a: "', /quote|end/],
    ['['.repeat(100_000), /nesting/],
    [Array.from({ length: 300 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'), /nesting/],
  ])('%j', (text, message) => {
    const result = parseYaml(text);
    expect('documents' in result ? 'parsed' : result.message).toMatch(message);
  });

  it('anchors that explode', () => {
    const rows = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let at = 1; at < 30; at++)
      rows.push(
        `a${at}: &a${at} [${Array(10)
          .fill(`*a${at - 1}`)
          .join(', ')}]`,
      );
    expect(parseYaml(rows.join('\n'))).toMatchObject({ message: expect.stringMatching(/unfold/) });
  });

  it('a long chain of anchors', () => {
    const rows = ['a0: &a0 [x]'];
    for (let at = 1; at < 5000; at++) rows.push(`a${at}: &a${at} [*a${at - 1}]`);
    expect(parseYaml(rows.join('\n'))).toMatchObject({ message: expect.stringMatching(/unfold/) });
  });

  it('shared anchors that stay small are fine', () => {
    const rows = ['a: &a {x: 1}', ...Array.from({ length: 1000 }, (_, at) => `b${at}: *a`)];
    expect('documents' in parseYaml(rows.join('\n'))).toBe(true);
  });

  it('names of prototypes are keys like any other', () => {
    const found = value('__proto__: {polluted: 1}\nconstructor: 2');
    expect(Object.keys(found as object)).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('anything at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const result = parseYaml(text);
        if ('documents' in result) for (const one of result.documents) one.places();
        else expect(result.offset).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
    const syntax = fc.array(
      fc.constantFrom(
        'a',
        ':',
        ' ',
        '\n',
        '-',
        '{',
        '}',
        '[',
        ']',
        ',',
        '&x',
        '*x',
        '"',
        "'",
        '|',
        '#',
        '---',
        '?',
        '!',
        '<<',
      ),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(syntax, (parts) => {
        const result = parseYaml(parts.join(''));
        if ('documents' in result) for (const one of result.documents) one.places();
      }),
      { numRuns: 2000 },
    );
  });
});
