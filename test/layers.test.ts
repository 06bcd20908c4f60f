import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import configuration from '../.dependency-cruiser.cjs';
import { checkLayers } from '../scripts/layers.js';

/** Who may import whom: values (v) or types only (t). Written down a second time on purpose. */
const table = `
          wire kernel trace userland cluster policy compile scenario explain check render lab tour cli start
wire      v    .      .     .        .       .      .       .        .       .     .      .   .    .   .
kernel    v    v      .     .        .       .      .       .        .       .     .      .   .    .   .
trace     v    v      v     .        .       .      .       .        .       .     .      .   .    .   .
userland  v    v      v     v        .       .      .       .        .       .     .      .   .    .   .
cluster   v    .      .     .        v       .      .       .        .       .     .      .   .    .   .
policy    v    .      .     .        v       v      .       .        .       .     .      .   .    .   .
compile   v    v      .     .        v       v      v       .        .       .     .      .   .    .   .
scenario  v    v      v     v        v       v      v       v        .       .     .      .   .    .   .
explain   t    t      t     t        t       t      t       t        v       .     .      .   .    .   .
check     v    v      v     v        v       v      v       v        .       v     .      .   .    .   .
render    v    t      t     t        t       t      t       t        v       t     v      .   .    .   .
lab       v    v      v     v        .       .      .       .        .       .     .      v   .    .   .
tour      v    v      v     v        v       v      v       v        v       v     v      .   v    .   .
cli       v    v      v     v        v       v      v       v        v       v     v      v   v    v   .
start     .    .      .     .        .       .      .       .        .       .     .      .   .    .   v`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));

const outside: Record<string, string[]> = {
  wire: ['ipaddr.js'],
  scenario: ['js-yaml', 'zod', 'fs', 'path', 'os', 'worker_threads', 'child_process'],
  compile: ['crypto', 'module'],
  render: ['chalk', 'cli-table3', 'get-east-asian-width', 'js-yaml'],
  lab: ['child_process', 'fs'],
  cli: ['commander', 'inquirer', 'process'],
  start: ['fs', 'path', 'process', 'vm'],
};
const modules = [...new Set([...Object.values(outside).flat(), 'fs/promises', 'os', 'not-there'])];

const [columns = [], ...rows] = table;
const files = new Map<string, string>();
const expected = new Set<string>();

/** Adds a file that imports one thing, and notes the rule that has to object, if any. */
function file(path: string, source: string, ...rules: string[]) {
  files.set(`src/${path}`, source);
  for (const rule of rules) expected.add(`${rule}: src/${path}`);
}

for (const [folder = '', ...cells] of rows) {
  const mayNameTypes = cells.includes('t');
  file(`${folder}/leaf.ts`, 'export interface T {}\nexport const value = 1;');
  cells.forEach((cell, column) => {
    const target = columns[column] ?? '';
    const rule = mayNameTypes ? [folder, `${folder}-types`] : [folder];
    file(
      `${folder}/value-of-${target}.ts`,
      `import { value } from '../${target}/leaf.ts';`,
      ...(cell === 'v' ? [] : cell === 't' ? [folder] : rule),
    );
    file(
      `${folder}/type-of-${target}.ts`,
      `import type { T } from '../${target}/leaf.ts';`,
      ...(cell === '.' ? [rule.at(-1) ?? ''] : []),
    );
    file(
      `${folder}/inline-type-of-${target}.ts`,
      `export let x: import('../${target}/leaf.ts').T;`,
      ...(cell === '.' ? [rule.at(-1) ?? ''] : []),
    );
  });
  for (const module of modules) {
    const isAllowed = outside[folder]?.includes(module);
    const rule = mayNameTypes ? [folder, `${folder}-types`] : [folder];
    file(
      `${folder}/imports-${module.replace('/', '-')}.ts`,
      module === 'not-there' ? `import '${module}';` : `await import('${module}');`,
      ...(isAllowed ? [] : rule),
    );
  }
}

describe('the layers of src', () => {
  let root = '';
  let problems: string[] = [];

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'layers-'));
    symlinkSync(join(import.meta.dirname, '../node_modules'), join(root, 'node_modules'), 'dir');

    file('index.ts', "export * from './cli/leaf.ts';", 'public-api');
    file('util/strings.ts', "import '../wire/leaf.ts';");
    file('wire/uses-util.ts', "import '../util/strings.ts';", 'wire', 'known-folder');
    file('wire/uses-index.ts', "import '../index.ts';", 'wire', 'known-folder');
    file('kernel/a.ts', "import type { B } from './b.ts';\nexport type A = B;", 'no-cycle');
    file('kernel/b.ts', "import type { A } from './a.ts';\nexport type B = A;");
    file('kernel/alone.ts', 'export {};', 'no-orphan');

    for (const [path, source] of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), source);
    }
    ({ problems } = await checkLayers(root));
  }, 60_000);

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** `rule: file` of every violation, without what it imports and without the reason. */
  const found = () => problems.map((problem) => problem.split(/ → |\n/, 1).join(''));
  const isOneFile = (problem: string) => problem.includes('-one-file-');

  it('objects to exactly the imports that the table forbids', () => {
    expect([...new Set(found())].filter((problem) => !isOneFile(problem)).sort()).toEqual(
      [...expected].sort(),
    );
  });

  it('names the reason', () => {
    expect(
      problems.find((problem) => problem.startsWith('kernel: src/kernel/value-of-trace')),
    ).toBe(
      'kernel: src/kernel/value-of-trace.ts → src/trace/leaf.ts\n    src/kernel may import wire: Linux knows nothing of Kubernetes, of files or of the clock; only so can a real kernel judge it.',
    );
    for (const { name, comment } of configuration.forbidden ?? []) {
      expect(comment, name).toMatch(/\w{3,}.{20,}\.$/);
    }
  });

  it('lets only one file of a layer import a package', async () => {
    expect(found().filter(isOneFile)).toEqual([]);
    for (const [folder, allowed] of Object.entries(outside)) {
      for (const module of allowed) {
        writeFileSync(
          join(root, `src/${folder}/again-${module}.ts`),
          `import type { T } from '${module}';`,
        );
      }
    }
    const second = await checkLayers(root);
    const rules = second.problems.map((problem) => problem.split(':')[0] ?? '').filter(isOneFile);
    const several = ['lab-child_process', 'lab-fs', 'start-fs'];
    const pairs = Object.entries(outside).flatMap(([folder, of]) => of.map((m) => [folder, m]));
    expect([...new Set(rules)].sort()).toEqual(
      pairs
        .filter((pair) => !several.includes(pair.join('-')))
        .map(([folder, module]) => `${folder}-one-file-${module}`)
        .sort(),
    );
  });

  it('has a rule that fails for every rule that there is', () => {
    const shown = new Set([...expected].map((problem) => problem.split(':')[0]));
    const rules = (configuration.forbidden ?? []).map(({ name }) => name ?? '');
    expect(rules.filter((rule) => !isOneFile(rule) && !shown.has(rule))).toEqual([]);
  });

  it('fails when a module was not read', async () => {
    const unread = {
      ...configuration,
      options: { ...configuration.options, exclude: '^src/wire/' },
    };
    const { problems } = await checkLayers(root, unread);
    expect(problems.at(-1)).toMatch(/^coverage: \d+ of the \d+ modules in src were read$/);
  });
});

it('leaves chance and the environment to the CLI, its start and the laboratory', () => {
  const src = join(import.meta.dirname, '../src');
  const found = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (path) =>
      path.endsWith('.ts') &&
      !/^(cli|lab|start)\b/.test(path) &&
      /\bMath\.random\b|\bglobalThis\b|\bprocess\.env\b|\brandom(Bytes|Int|UUID)\b/.test(
        readFileSync(join(src, path), 'utf8'),
      ),
  );
  expect(found).toEqual([]);
});
