/** Starts the built command line: loads its modules, with the code that V8 made of them before. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Script } from 'node:vm';
import { openCodeCache } from './code-cache.ts';

/** What CommonJS hands a module (Modules: CommonJS modules, "The module wrapper"). */
type Wrapped = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  file: string,
) => void;

/**
 * Runs a module of the build and, when the process ends, keeps the code of every module that was
 * loaded and not kept yet. By then the functions that ran are compiled, and are kept too; Node's
 * own compile cache keeps a module as it is before anything has run, which saves half as much.
 *
 * @param folder where the build is
 * @param entry the module to run; its name has a hash of all that it loads
 * @param require for Node's own modules
 */
export function start(folder: string, entry: string, require: NodeJS.Require): void {
  const cache = openCodeCache(entry.replace(/\.cjs$/, ''), process);
  const loaded = new Map<string, { exports: object }>();
  const fresh = new Map<string, Script>();

  const load = (name: string): object => {
    const known = loaded.get(name);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(name, module);
    const file = `${folder}/${name}`;
    const cachedData = cache?.read(name);
    // All of the build is ASCII: read as Latin-1, V8 takes it without decoding.
    const source = `(function(exports,require,module,__filename){${readFileSync(file, 'latin1')}\n})`;
    const script = new Script(source, { filename: file, ...(cachedData && { cachedData }) });
    if (!cachedData || script.cachedDataRejected) fresh.set(name, script);
    const run: Wrapped = script.runInThisContext();
    run(module.exports, requireOf, module, file);
    return module.exports;
  };
  const requireOf: NodeJS.Require = Object.assign(
    (id: string) => (id.startsWith('./') ? load(id.slice(2)) : require(id)),
    require,
  );

  if (cache)
    process.once('exit', () => {
      if (fresh.size > 0)
        cache.write(new Map([...fresh].map(([name, script]) => [name, script.createCachedData()])));
    });
  load(entry);
}
