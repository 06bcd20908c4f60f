import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/cluster/diagnostic.ts';
import { readSources } from '../../../src/scenario/load.ts';
import { listSources } from '../../../src/scenario/read/files.ts';
import type { Source } from '../../../src/scenario/read/source.ts';
import { decodeUtf8, NotText, openUtf8 } from '../../../src/scenario/read/utf8.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k8snet-files-'));
  mkdirSync(join(folder, 'many', 'below'), { recursive: true });
  mkdirSync(join(folder, 'none'));
  for (const name of ['b.yaml', 'a.yml', 'c.json', 'notes.txt', 'below/d.yaml'])
    writeFileSync(join(folder, 'many', name), name);
  symlinkSync('..', join(folder, 'many', 'below', 'loop'));
  symlinkSync('nowhere', join(folder, 'many', 'below', 'broken.yaml'));
  writeFileSync(join(folder, 'utf16.yaml'), Buffer.from('\uFEFFkind: Pod', 'utf16le'));
  writeFileSync(join(folder, 'bom.yaml'), '\uFEFFkind: Pod');
  writeFileSync(join(folder, 'binary.yaml'), Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]));
  writeFileSync(join(folder, 'latin1.yaml'), Uint8Array.from([0x61, 0x3a, 0x20, 0xe9]));
});

afterAll(() => rmSync(folder, { recursive: true }));

const wholeText = (source: Source): string => {
  const { reader } = openUtf8(source);
  const bytes = new Uint8Array(100);
  let length = 0;
  for (let count = 1; count > 0; length += count) count = reader.read(bytes.subarray(length));
  reader.close();
  return decodeUtf8(bytes.subarray(0, length));
};

const read = async (paths: readonly string[], recursive = false) => {
  const { report, list } = createDiagnostics();
  const sources = listSources(
    paths.map((path) => join(folder, path)),
    { recursive },
    report,
  );
  const texts = sources.flatMap((source) => {
    try {
      return [`${source.file.slice(folder.length + 1)} ${wholeText(source)}`];
    } catch (error) {
      expect(error).toBeInstanceOf(NotText);
      return [];
    }
  });
  await readSources(sources, report);
  return {
    texts,
    diagnostics: list()
      // The files here have their names in them, which are no objects.
      .filter(({ code }) => code !== 'not-an-object' && code !== 'syntax')
      .map(({ severity, code, message, hint }) =>
        `${severity} ${code} ${message} ${hint ?? ''}`.replaceAll(folder, ''),
      ),
  };
};

describe('files', () => {
  it('of a directory are its *.yaml, *.yml and *.json, sorted', async () => {
    expect(await read(['many'])).toEqual({
      texts: ['many/a.yml a.yml', 'many/b.yaml b.yaml', 'many/c.json c.json'],
      diagnostics: [],
    });
  });

  it('of sub-directories too when asked; links to directories are not followed', async () => {
    const { texts, diagnostics } = await read(['many'], true);
    expect(texts.map((text) => text.split(' ')[0])).toEqual([
      'many/a.yml',
      'many/b.yaml',
      'many/below/d.yaml',
      'many/c.json',
    ]);
    expect(diagnostics).toEqual([
      'error unreadable cannot read /many/below/broken.yaml: no such file or directory ',
    ]);
  });

  it('named by themselves need no extension, and come once', async () => {
    expect((await read(['many/notes.txt', 'many/b.yaml', 'many/notes.txt'])).texts).toHaveLength(2);
  });

  it('may be in UTF-16, and begin with a byte order mark', async () => {
    expect(await read(['utf16.yaml', 'bom.yaml'])).toEqual({
      texts: ['utf16.yaml kind: Pod', 'bom.yaml kind: Pod'],
      diagnostics: [],
    });
  });

  it('that cannot be read are named, all of them, and the others are read', async () => {
    expect(
      await read([
        'not-there-at-all.yaml',
        'binary.yaml',
        'latin1.yaml',
        'none',
        'many/b.yam',
        'many/b.yaml',
      ]),
    ).toEqual({
      texts: ['many/b.yaml b.yaml'],
      diagnostics: [
        'error unreadable cannot read /not-there-at-all.yaml: no such file or directory ',
        'error empty-directory /none has no *.yaml, *.yml or *.json Sub-directories are read with -R.',
        'error unreadable cannot read /many/b.yam: no such file or directory Did you mean /many/b.yaml?',
        'error not-text /binary.yaml is not a text in UTF-8 or UTF-16 Give YAML or JSON.',
        'error not-text /latin1.yaml is not a text in UTF-8 or UTF-16 Give YAML or JSON.',
      ],
    });
  });
});
