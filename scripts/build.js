/**
 * Builds dist/: the CLI and the library as a few small modules, the built-in scenario as data, and the
 * JSON Schemas. Everything is bundled and split, so that a command loads only what it needs; the
 * pieces are CommonJS, because V8's compiled code can be kept for scripts only (src/start).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, transform } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

/** Modules whose exports are computed now and shipped as JSON: their imports do not reach dist. */
const frozen = ['src/scenario/built-in.ts'];

/** Where the JSON Schemas come from: [file in dist/schema, module, function without parameters]. */
const schemas = /** @type {const} */ ([
  ['scenario.schema.json', 'src/scenario/schema.ts', 'scenarioSchema'],
  ['expectations.schema.json', 'src/scenario/expectations/schema.ts', 'expectationsSchema'],
  ['test-report.schema.json', 'src/check/test/schema.ts', 'testReportSchema'],
  ['matrix.schema.json', 'src/check/matrix/schema.ts', 'matrixSchema'],
  ['lint.schema.json', 'src/check/lint/schema.ts', 'lintSchema'],
  ['trace.schema.json', 'src/trace/schema/trace.ts', 'traceSchema'],
  ['trace-list.schema.json', 'src/trace/schema/trace.ts', 'traceListSchema'],
]);

/**
 * `import.meta.url` goes on meaning the place of the source file, so that one relative path to a
 * file of the package holds in src/ and in dist/. Works because all of dist's modules are flat.
 * @type {import('esbuild').Plugin}
 */
const keepModulePlace = {
  name: 'keep-module-place',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!source.includes('import.meta.url')) return undefined;
      const place = JSON.stringify(relative(dist, path).replaceAll('\\', '/'));
      return {
        contents: source.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`),
        loader: 'ts',
      };
    });
  },
};

/** @type {import('esbuild').Plugin} */
const freeze = {
  name: 'freeze',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const module = relative(root, path).replaceAll('\\', '/');
      if (!frozen.includes(module)) return undefined;
      const lines = Object.entries(await evaluate(module)).map(([name, value]) => {
        const json = JSON.stringify(value);
        if (json === undefined) throw new Error(`${module}: ${name} is not plain data`);
        return `export const ${name} = JSON.parse(${JSON.stringify(json)});`;
      });
      return { contents: lines.join('\n') };
    });
  },
};

/** @satisfies {import('esbuild').BuildOptions} */
const options = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
  legalComments: 'none',
};

/**
 * @param {string} module
 * @returns {Promise<Record<string, unknown>>} its exports
 */
async function evaluate(module) {
  const outfile = join(dist, `.evaluate-${process.pid}-${module.replaceAll(/\W/g, '-')}.mjs`);
  try {
    // CommonJS packages call require for Node's own modules, which an ES module does not have.
    const banner = {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    };
    await build({ ...options, banner, entryPoints: [module], outfile, plugins: [keepModulePlace] });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile, { force: true });
  }
}

/**
 * The licences of the packages that ended up in the bundle ask for being passed on with it.
 * @param {string[]} inputs
 */
function licences(inputs) {
  const folders = inputs.flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []);
  return [...new Set(folders)].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} is bundled but has no licence file`);
    return `${name} ${version}\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`;
  });
}

mkdirSync(join(dist, 'schema'), { recursive: true });

const { metafile, outputFiles } = await build({
  ...options,
  entryPoints: { cli: 'src/cli/main.ts', index: 'src/index.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  splitting: true,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  metafile: true,
  write: false,
  plugins: [freeze, keepModulePlace],
});

/** @type {string[]} */
const written = [];

/**
 * @param {string} file
 * @param {string} text
 */
function write(file, text) {
  writeFileSync(join(dist, file), text);
  written.push(file);
}

/**
 * What a piece exports is looked up through getters, for bindings that change later. Nothing here
 * changes later, and no two pieces need each other (checked below), so plain values do: calls from
 * one piece into another are most of a walk.
 */
const PLAIN_EXPORTS =
  'module.exports=Object.defineProperty({...module.exports},"__esModule",{value:!0});';

/**
 * @param {string} file
 * @param {readonly string[]} [above]
 */
function refuseCycles(file, above = []) {
  if (above.includes(file))
    throw new Error(`pieces need each other: ${[...above, file].join(' → ')}`);
  for (const { path, kind } of metafile.outputs[file]?.imports ?? [])
    if (kind === 'import-statement') refuseCycles(path, [...above, file]);
}
for (const file of Object.keys(metafile.outputs)) refuseCycles(file);

/** Splitting is for ES modules only, so each piece becomes CommonJS after it. */
for (const { path, text } of outputFiles) {
  const url = text.includes('import.meta.url');
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: options.target,
    supported: { 'dynamic-import': false },
    // Names are kept: a stack trace is a bug report, and shorter names do not start any faster.
    minifySyntax: true,
    minifyWhitespace: true,
    footer: PLAIN_EXPORTS,
    ...(url && {
      define: { 'import.meta.url': '__url' },
      banner: "const __url=require('node:url').pathToFileURL(__filename).href;",
    }),
  });
  write(basename(path), code);
}

/** @param {string} entry */
function built(entry) {
  const found = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === entry);
  if (!found) throw new Error(`${entry} is not in the build`);
  return { file: basename(found[0]), exports: found[1].exports };
}

const library = built('src/index.ts');
write('index.js', `export{${library.exports.join(',')}}from'./${library.file}';\n`);

const start = await build({
  ...options,
  stdin: {
    contents: `import { start } from './src/start/start.ts';
      start(__dirname, '${built('src/cli/main.ts').file}', require);`,
    resolveDir: root,
  },
  format: 'cjs',
  write: false,
});
write('start.cjs', start.outputFiles.map(({ text }) => text).join(''));

/** What the threads run that help with large inputs: one file, since they load nothing else. */
const worker = await build({
  ...options,
  stdin: {
    contents: `import { serve } from './src/scenario/read/threads.ts'; serve();`,
    resolveDir: root,
  },
  format: 'cjs',
  write: false,
});
write('read-worker.cjs', worker.outputFiles.map(({ text }) => text).join(''));

for (const [file, module, name] of schemas) {
  if (!existsSync(join(root, module))) continue;
  const schema = (await evaluate(module))[name];
  if (typeof schema !== 'function') throw new Error(`${module} does not export ${name}()`);
  writeFileSync(join(dist, 'schema', file), `${JSON.stringify(schema(), null, 2)}\n`);
}

writeFileSync(
  join(dist, 'THIRD-PARTY-LICENSES.txt'),
  licences(Object.keys(metafile.inputs)).join(`\n${'-'.repeat(72)}\n\n`),
);

// Old pieces go last: a CLI that runs meanwhile finds the files that it was built with.
for (const file of readdirSync(dist))
  if (/\.c?js$/.test(file) && !written.includes(file)) rmSync(join(dist, file));
