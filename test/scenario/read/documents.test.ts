import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/cluster/diagnostic.ts';
import { readSources } from '../../../src/scenario/load.ts';
import type { SourceText } from '../../../src/scenario/read/source.ts';

const read = async (...sources: (string | SourceText)[]) => {
  const { report, list } = createDiagnostics();
  const { objects, scenarios } = await readSources(
    sources.map((source, at) =>
      typeof source === 'string' ? { file: `${at}.yaml`, text: source } : source,
    ),
    report,
  );
  return {
    names: objects.map(({ value, place }) => {
      const { file, line, column } = place([]);
      const metadata = value['metadata'] as { name?: string } | undefined;
      return `${String(value['kind'])} ${metadata?.name} ${file}:${line}:${column}`;
    }),
    objects,
    scenarios,
    diagnostics: list().map(
      ({ severity, code, file, line, column, message, hint }) =>
        `${severity} ${code} ${file}:${line}:${column} ${message}${hint === undefined ? '' : ` (${hint})`}`,
    ),
  };
};

const pod = (name: string): string => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\n`;

describe('a stream of documents', () => {
  it('is read one by one, each with its place', async () => {
    const { names, diagnostics } = await read(
      `# first\n${pod('a')}---\n${pod('b')}...\n---\n# none\n---\n${pod('c')}`,
    );
    expect(names).toEqual(['Pod a 0.yaml:2:1', 'Pod b 0.yaml:6:1', 'Pod c 0.yaml:13:1']);
    expect(diagnostics).toEqual([]);
  });

  it('goes on behind a document that is broken, and behind a file that is', async () => {
    const { names, diagnostics } = await read(
      `${pod('a')}---\nkind: Pod\nmetadata: {\n---\n${pod('b')}---\nkind: [\n`,
      'a: b: c',
      pod('c'),
    );
    expect(names).toEqual(['Pod a 0.yaml:1:1', 'Pod b 0.yaml:8:1', 'Pod c 2.yaml:1:1']);
    expect(diagnostics.map((text) => text.split(' ').slice(0, 3).join(' '))).toEqual([
      'error syntax 0.yaml:7:1',
      'error syntax 0.yaml:13:1',
      'error syntax 1.yaml:1:5',
    ]);
  });

  it('is cut at markers only: not in the middle of a line, in a block, or at more dashes', async () => {
    const { objects, diagnostics } = await read(
      `${pod('a').replace('Pod', 'ReplicationController')}note: |\n  a\n  ---\n  b\nmore: a --- b\n---- : x\n--- # comment\n${pod('b')}`,
    );
    expect(diagnostics).toEqual([]);
    expect(objects).toHaveLength(2);
    expect(objects[0]?.value).toMatchObject({ note: 'a\n---\nb\n', more: 'a --- b', '----': 'x' });
  });

  it('keeps directives with their document, and takes CRLF and a byte order mark', async () => {
    const { names, diagnostics } = await read(
      `%YAML 1.2\n---\n${pod('a')}`,
      pod('b').replaceAll('\n', '\r\n'),
      `\uFEFF${pod('c')}`,
    );
    expect(diagnostics).toEqual([]);
    expect(names.map((name) => name.split(' ')[1])).toEqual(['a', 'b', 'c']);
  });

  it('anchors end with their document', async () => {
    const { diagnostics } = await read('a: &x 1\nkind: A\n---\nkind: B\nb: *x\n');
    expect(diagnostics).toEqual(['error syntax 0.yaml:5:5 unidentified alias "x"']);
  });
});

it('many empty documents, and long words in an error, are no trouble', async () => {
  expect((await read('--- # no\n'.repeat(300_000))).diagnostics).toEqual([]);
  const { diagnostics } = await read(`a: !!${'x'.repeat(100_000)} b`);
  expect(diagnostics[0]?.length).toBeLessThan(300);
});

describe('hints', () => {
  it.each([
    ['metadata:\n  name: {{ .Values.name }}\n', /Helm template/],
    ['metadata:\n\tname: x\n', /spaces; there is a tab/],
    ['metadata:\n  name:x\n  a: b\n', /colon needs a space/],
  ])('%j', async (text, hint) => {
    const { diagnostics } = await read(text);
    expect(diagnostics.join('\n')).toMatch(hint);
  });
});

describe('JSON', () => {
  const json = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}';

  it('is known by its name or its first characters', async () => {
    const { names } = await read(
      { file: 'a.json', text: json },
      { file: '<stdin>', text: `\n${json}` },
    );
    expect(names).toEqual(['Pod a a.json:1:1', 'Pod a <stdin>:2:1']);
  });

  it('what only looks like it is YAML', async () => {
    const { names, diagnostics } = await read(
      '{"apiVersion": v1, "kind": Pod, metadata: {name: a}}\n',
    );
    expect(diagnostics).toEqual([]);
    expect(names).toEqual(['Pod a 0.yaml:1:1']);
  });

  it('a .json file is nothing else', async () => {
    const { diagnostics } = await read({ file: 'a.json', text: 'kind: Pod' });
    expect(diagnostics).toEqual(['error syntax a.json:1:1 expected a value, found "k"']);
  });

  it('words that kubectl reads as booleans in YAML are text', async () => {
    const { objects } = await read({ file: 'a.json', text: '{"kind": "yes"}' });
    expect(objects[0]?.value).toEqual({ kind: 'yes' });
  });
});

describe('lists', () => {
  it('are unfolded: List, typed lists, lists in lists, bare items', async () => {
    const { names, diagnostics } = await read(
      `apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Pod, metadata: { name: a } }
  - apiVersion: v1
    kind: List
    items: [{ kind: Pod, metadata: { name: b } }]
`,
      {
        file: 'l.json',
        text: '{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"c"}}]}',
      },
      { file: 'i.json', text: '[{"kind":"Pod","metadata":{"name":"d"}}]' },
    );
    expect(diagnostics).toEqual([]);
    expect(names).toEqual([
      'Pod a 0.yaml:4:5',
      'Pod b 0.yaml:7:13',
      'Pod c l.json:1:46',
      'Pod d i.json:1:2',
    ]);
  });

  it('keep the places of fields below their items', async () => {
    const { objects } = await read('kind: List\nitems:\n- kind: Pod\n  spec:\n    nodeName: x\n');
    expect(objects[0]?.place(['spec', 'nodeName'])).toEqual({
      file: '0.yaml',
      line: 5,
      column: 15,
    });
    expect(objects[0]?.place(['spec', 'nodeName'], 'key')).toMatchObject({ column: 5 });
    expect(objects[0]?.place(['spec', 'gone'])).toMatchObject({ line: 5, column: 5 });
  });

  it('an object with items of another kind is an object', async () => {
    expect((await read('kind: Menu\nmetadata: { name: m }\nitems: [1]')).names).toEqual([
      'Menu m 0.yaml:1:1',
    ]);
  });
});

describe('what is no object', () => {
  it.each([
    [
      'just text',
      'error not-an-object 0.yaml:1:1 found string "just text" where a Kubernetes object belongs',
    ],
    ['42', 'error not-an-object 0.yaml:1:1 found number 42 where a Kubernetes object belongs'],
    ['- 1', 'error not-an-object 0.yaml:1:3 found number 1 where a Kubernetes object belongs'],
    [
      'replicas: 1',
      'warning no-kind 0.yaml:1:1 has no kind, so it is no Kubernetes object; left out (Every object needs apiVersion, kind and metadata.name.)',
    ],
  ])('%s', async (text, expected) => {
    expect((await read(text)).diagnostics).toEqual([expected]);
  });

  it('nothing at all is nothing', async () => {
    expect(await read('', '# only a comment\n', '---\n---\n')).toMatchObject({
      names: [],
      diagnostics: [],
    });
  });
});
