import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/cluster/diagnostic.ts';
import type { Json, KubeObject, Path } from '../../../src/cluster/kube-object.ts';
import { readSources } from '../../../src/scenario/load.ts';
import { LIMITS, type ReadLimits } from '../../../src/scenario/read/read-inputs.ts';
import { type Source, textSource } from '../../../src/scenario/read/source.ts';

/** Everything as a large input is treated, in blocks of any size. */
const large = (block: number): ReadLimits => ({
  block,
  asIs: 0,
  thorough: Number.POSITIVE_INFINITY,
  helped: Number.POSITIVE_INFINITY,
  wholeYaml: 0,
  pieceYaml: 0,
});

/** Gives a few bytes at a time, as a pipe does. */
const dripping = (source: Source, most: number): Source => ({
  ...source,
  open: () => {
    const { read, close } = source.open();
    return { read: (target) => read(target.subarray(0, most)), close };
  },
});

const pathsOf = (value: Json, path: Path = []): Path[] =>
  typeof value !== 'object' || value === null
    ? [path]
    : [
        path,
        ...Object.entries(value as Record<string, Json>).flatMap(([key, inner]) =>
          pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key]),
        ),
      ];

const shown = ({ value, place }: KubeObject) => ({
  value,
  places: pathsOf(value).flatMap((path) =>
    (['value', 'key'] as const).map((of) => {
      const { file, line, column } = place(path, of);
      return `${path.join('.')} ${of} ${file}:${line}:${column}`;
    }),
  ),
});

const read = async (source: Source, limits: ReadLimits) => {
  const { report, list } = createDiagnostics();
  const { objects, scenarios } = await readSources([source], report, { limits });
  return { objects: objects.map(shown), scenarios: scenarios.map(shown), diagnostics: list() };
};

/** Whatever the blocks are, a text is read as if it came at once. */
const holds = async (file: string, text: string, block: number, drip: number): Promise<void> => {
  const source = textSource({ file, text });
  const expected = await read(source, LIMITS);
  expect(await read(dripping(source, drip), large(block))).toEqual(expected);
  expect(await read(source, { ...LIMITS, block })).toEqual(expected);
};

const sizes = [fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 50 })] as const;

/** Texts that a splitter could stumble over. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom(
    '{',
    '}]',
    '"items":[',
    '\\',
    '\\"',
    '---',
    '\n---\n',
    '- a',
    ': ',
    '# x',
    '漢字',
    '😀',
    '\r\n',
  ),
);
const name = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
const kind = fc.constantFrom('Pod', 'Node', 'Service', 'ConfigMap', 'Secret', 'Deployment');

const object = fc.record({
  apiVersion: fc.constant('v1'),
  kind,
  metadata: fc.record(
    {
      name,
      annotations: fc.dictionary(text, text, { maxKeys: 3 }),
      labels: fc.dictionary(text, text, { maxKeys: 3 }),
    },
    { requiredKeys: ['name'] },
  ),
  spec: fc.record(
    {
      nodeName: text,
      containers: fc.array(fc.record({ name: text, items: fc.array(text, { maxLength: 2 }) }), {
        maxLength: 2,
      }),
    },
    { requiredKeys: [] },
  ),
});

const list = (items: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.record({
      apiVersion: fc.constant('v1'),
      items: fc.array(items, { maxLength: 4 }),
      kind: fc.constant('List'),
      metadata: fc.constant({ resourceVersion: '' }),
    }),
    fc.record({
      kind: fc.constant('PodList'),
      apiVersion: fc.constant('v1'),
      items: fc.array(fc.record({ metadata: fc.record({ name }) }), { maxLength: 3 }),
    }),
    fc.record({
      items: fc.array(fc.record({ metadata: fc.record({ name }) }), { maxLength: 3 }),
      apiVersion: fc.constant('v1'),
      kind: fc.constantFrom('PodList', 'Menu'),
    }),
    fc.record({ items: fc.array(object, { minLength: 1, maxLength: 3 }) }),
    fc.array(items, { maxLength: 3 }),
  );
const document = fc.oneof(object, list(object), list(list(object)));

// Hundreds of inputs, each read in pieces, take seconds where the machine is busy.
describe('an input is the same in whatever blocks it comes', { timeout: 60_000 }, () => {
  it('JSON: values in a row, lists in lists, bare items', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { maxLength: 4 }),
        fc.constantFrom(undefined, 1, 4),
        fc.constantFrom('\n', ' ', '\r\n\r\n', '\n---\n'),
        fc.constantFrom('', '\uFEFF', '\n \n'),
        ...sizes,
        (documents, indent, between, before, block, drip) => {
          const body = documents.map((one) => JSON.stringify(one, null, indent)).join(between);
          return holds('a.json', before + body, block, drip);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('JSON that is cut off, or has anything in its middle', async () => {
    await fc.assert(
      fc.asyncProperty(
        document,
        fc.constantFrom(undefined, 2),
        fc.nat(),
        fc.constantFrom('', '"', '{', '}', ']', ',', ':', '\n', '\\', 'x', '漢', '[['),
        fc.boolean(),
        ...sizes,
        (value, indent, where, inserted, cutOff, block, drip) => {
          const whole = JSON.stringify(value, null, indent);
          const at = where % (whole.length + 1);
          const broken = whole.slice(0, at) + inserted + (cutOff ? '' : whole.slice(at));
          return holds('a.json', broken, block, drip);
        },
      ),
      { numRuns: 500 },
    );
  });

  /** Block style, as programs write it; scalars in double quotes are the same in JSON. */
  const yaml = (value: unknown, indent: string, inList: string): string => {
    if (Array.isArray(value))
      return value.length === 0
        ? ' []\n'
        : `\n${value.map((item) => `${indent}${inList}-${nested(item, `${indent}${inList}  `, inList)}`).join('')}`;
    if (typeof value !== 'object' || value === null) return ` ${JSON.stringify(value)}\n`;
    const entries = Object.entries(value);
    if (entries.length === 0) return ' {}\n';
    return `\n${entries.map(([key, inner]) => `${indent}${/^[a-zA-Z]+$/.test(key) ? key : JSON.stringify(key)}:${yaml(inner, Array.isArray(inner) ? indent : `${indent}  `, inList)}`).join('')}`;
  };
  const nested = (value: unknown, indent: string, inList: string): string =>
    yaml(value, indent, inList).replace(/^\n */, ' ');

  it('YAML: documents, and lists as kubectl writes them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(object, list(object)), { maxLength: 4 }),
        fc.constantFrom('', '  '),
        fc.constantFrom('---\n', '--- # next\n', '# none\n---\n---\n', '...\n---\n'),
        fc.constantFrom('', '\uFEFF', '# first\n', '%YAML 1.2\n---\n'),
        fc.boolean(),
        ...sizes,
        (documents, inList, between, before, windows, block, drip) => {
          const body = documents
            .map((one) => yaml(one, '', inList).replace(/^\n/, ''))
            .join(between);
          const whole = before + body;
          return holds('a.yaml', windows ? whole.replaceAll('\n', '\r\n') : whole, block, drip);
        },
      ),
      { numRuns: 300 },
    );
  });
});
