import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../src/cluster/diagnostic.ts';
import { gitSources } from '../../../src/scenario/read/git.ts';
import { listInputs } from '../../../src/scenario/read/list-inputs.ts';
import type { Source } from '../../../src/scenario/read/source.ts';

let root = '';
const home = process.cwd();

const git = (...args: string[]) =>
  execFileSync(
    'git',
    ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false', ...args],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'k8snet-git-'));
  git('init', '-q', '-b', 'main');
  mkdirSync(join(root, 'k8s/deep'), { recursive: true });
  mkdirSync(join(root, 'empty'));
  const save = (name: string, text: string) => writeFileSync(join(root, name), text);
  save('k8s/b.yaml', 'one');
  save('k8s/a b:c.yml', 'odd name');
  save('k8s/deep/z.json', '{}');
  save('k8s/notes.txt', 'no');
  save('empty/notes.txt', 'no');
  symlinkSync('../top.yaml', join(root, 'k8s/link.yaml'));
  symlinkSync('nowhere', join(root, 'dangling.yaml'));
  symlinkSync('/etc/hostname', join(root, 'outside.yaml'));
  symlinkSync('circle.yaml', join(root, 'circle.yaml'));
  symlinkSync('k8s', join(root, 'alias'));
  save('top.yaml', 'top');
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  save('k8s/b.yaml', 'two');
  git('commit', '-q', '-a', '-m', 'two');
  save('k8s/b.yaml', 'not committed');
  save('k8s/new.yaml', 'not committed');
  process.chdir(root);
});
afterAll(() => {
  process.chdir(home);
  rmSync(root, { recursive: true, force: true });
});

const textOf = (source: Source): string => {
  const bytes = new Uint8Array(1000);
  const reader = source.open();
  const count = reader.read(bytes);
  reader.close();
  return new TextDecoder().decode(bytes.subarray(0, count));
};

const read = (input: string, recursive = false, folder = '') => {
  process.chdir(join(root, folder));
  const found: Diagnostic[] = [];
  const sources = gitSources(input, { recursive }, (one) => found.push(one));
  process.chdir(root);
  return {
    files: sources.map((source) => [source.file, textOf(source)]),
    problems: found.map(({ code, message, hint }) => [code, message, hint]),
  };
};

describe('git:REV:path', () => {
  it('is a file as it was, whatever is in the work tree', () => {
    expect(read('git:HEAD:k8s/b.yaml').files).toEqual([['HEAD:k8s/b.yaml', 'two']]);
    expect(read('git:main~1:k8s/b.yaml').files).toEqual([['main~1:k8s/b.yaml', 'one']]);
    expect(read('git:HEAD:k8s/a b:c.yml').files).toEqual([['HEAD:k8s/a b:c.yml', 'odd name']]);
  });

  it('is a directory in order of name, with links followed, and with -R what is below', () => {
    const flat = [
      ['HEAD:k8s/a b:c.yml', 'odd name'],
      ['HEAD:k8s/b.yaml', 'two'],
    ];
    const link = ['HEAD:k8s/link.yaml', 'top'];
    expect(read('git:HEAD:k8s')).toEqual({ files: [...flat, link], problems: [] });
    expect(read('git:HEAD:k8s/', true)).toEqual({
      files: [...flat, ['HEAD:k8s/deep/z.json', '{}'], link],
      problems: [],
    });
    expect(read('git:HEAD:alias').files.map(([file]) => file)).toEqual([
      'HEAD:alias/a b:c.yml',
      'HEAD:alias/b.yaml',
      'HEAD:alias/link.yaml',
    ]);
  });

  it('begins at the current directory, or with a slash at the root', () => {
    expect(read('git:HEAD:b.yaml', false, 'k8s').files).toEqual([['HEAD:b.yaml', 'two']]);
    expect(read('git:HEAD:../top.yaml', false, 'k8s').files).toEqual([['HEAD:../top.yaml', 'top']]);
    expect(read('git:HEAD:/top.yaml', false, 'k8s').files).toEqual([['HEAD:/top.yaml', 'top']]);
    expect(read('git:HEAD:', false, 'k8s').files.map(([file]) => file)).toEqual([
      'HEAD:a b:c.yml',
      'HEAD:b.yaml',
      'HEAD:link.yaml',
    ]);
  });

  it.each([
    ['git:HEAD', 'bad-usage', 'git:HEAD names no path', /^Write git:REVISION:PATH/],
    ['git::k8s', 'bad-usage', 'git::k8s names no revision', /^Write/],
    ['git:--all:k8s', 'bad-usage', 'git:--all:k8s asks for --all, which is no revision', /^Write/],
    [
      'git:mian:k8s',
      'unknown-revision',
      'cannot read git:mian:k8s: the repository has no revision mian',
      /^Did you mean main\?$/,
    ],
    [
      'git:HEAD:k8s/c.yaml',
      'unreadable',
      'cannot read git:HEAD:k8s/c.yaml: no such file or directory at that revision',
      /^Did you mean k8s\/b\.yaml\?$/,
    ],
    [
      'git:HEAD:../../x',
      'unreadable',
      'cannot read git:HEAD:../../x: the path leads out of the repository',
      undefined,
    ],
    [
      'git:HEAD:dangling.yaml',
      'unreadable',
      'cannot read git:HEAD:dangling.yaml: a symbolic link that leads to nothing at that revision',
      undefined,
    ],
    [
      'git:HEAD:circle.yaml',
      'unreadable',
      'cannot read git:HEAD:circle.yaml: a symbolic link that leads to itself',
      undefined,
    ],
    [
      'git:HEAD:outside.yaml',
      'unreadable',
      'cannot read git:HEAD:outside.yaml: a symbolic link that leads out of the repository',
      undefined,
    ],
    [
      'git:HEAD:empty',
      'empty-directory',
      'git:HEAD:empty has no *.yaml, *.yml or *.json',
      /^Sub-directories are read with -R\.$/,
    ],
  ])('%s is reported', (input, code, message, hint) => {
    const { files, problems } = read(input);
    expect(files).toEqual([]);
    expect(problems).toEqual([
      [code, message, hint === undefined ? undefined : expect.stringMatching(hint)],
    ]);
  });

  it('says that a path is there, but below the root', () => {
    expect(read('git:HEAD:k8s/b.yaml', false, 'empty').problems[0]?.[2]).toBe(
      "Paths begin at the current directory; from the repository's root it is /k8s/b.yaml.",
    );
  });

  it('says what git says outside of a repository, and that there is no git', () => {
    process.chdir(tmpdir());
    const found: Diagnostic[] = [];
    gitSources('git:HEAD:x', {}, (one) => found.push(one));
    const path = process.env['PATH'];
    process.env['PATH'] = join(root, 'empty');
    gitSources('git:HEAD:x', {}, (one) => found.push(one));
    process.env['PATH'] = path;
    process.chdir(root);
    expect(found.map(({ code, message }) => [code, message])).toEqual([
      [
        'git-failed',
        expect.stringMatching(/^cannot read git:HEAD:x: git says "not a git repository/),
      ],
      ['no-git', 'cannot read git:HEAD:x: there is no git on this machine'],
    ]);
  });

  it('stands among other inputs in their order, each once', async () => {
    const sources = await listInputs(
      ['top.yaml', 'git:HEAD:k8s', 'git:HEAD:k8s/b.yaml', './top.yaml'],
      {},
      () => {},
    );
    expect(sources.map(({ file }) => file)).toEqual([
      'top.yaml',
      'HEAD:k8s/a b:c.yml',
      'HEAD:k8s/b.yaml',
      'HEAD:k8s/link.yaml',
      './top.yaml',
    ]);
  });
});
