/** Where compiled code is kept between runs, so that starting does not compile everything again. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** How many builds and Nodes keep their code: what upgrades leave behind goes. */
const MOST_KEPT = 4;
/** Nobody else may write what this user's Node will run. */
const PRIVATE = 0o700;

/** What of the process decides where the code is and whether it may be used. */
export type Runner = Pick<
  NodeJS.Process,
  'arch' | 'env' | 'getuid' | 'pid' | 'platform' | 'version'
>;

export interface CodeCache {
  /** What was kept under this name; undefined if nothing was. */
  read(name: string): Uint8Array | undefined;
  /** Keeps it; where the disk does not let it, nothing happens. */
  write(entries: ReadonlyMap<string, Uint8Array>): void;
}

/** The user's folder for what can be made again (XDG Base Directory Specification, `LOCALAPPDATA`). */
const userFolder = ({ env, platform }: Runner): string | undefined => {
  if (platform === 'win32') return env['LOCALAPPDATA'];
  return env['XDG_CACHE_HOME'] || (env['HOME'] && join(env['HOME'], '.cache'));
};

/** Code that somebody else could have put there is not run: root under another user's HOME. */
const belongsTo = ({ getuid }: Runner, folder: string): boolean => {
  try {
    return getuid === undefined || statSync(folder).uid === getuid();
  } catch {
    return false;
  }
};

const keepTheNewest = (parent: string): void => {
  const age = (name: string): number => statSync(join(parent, name)).mtimeMs;
  const folders = readdirSync(parent).map((name) => ({ name, age: age(name) }));
  for (const { name } of folders.toSorted((a, b) => b.age - a.age).slice(MOST_KEPT))
    rmSync(join(parent, name), { recursive: true, force: true });
};

/**
 * The cache of one build under the Node that runs it. `NODE_DISABLE_COMPILE_CACHE`, Node's own
 * switch for the same thing, turns it off.
 *
 * @param build differs whenever the code does: V8 itself only compares the length of a source
 * @returns undefined where there is none
 */
export function openCodeCache(build: string, runner: Runner): CodeCache | undefined {
  const { arch, env, pid, version } = runner;
  const user = userFolder(runner);
  if (!user || env['NODE_DISABLE_COMPILE_CACHE']) return undefined;
  const folder = join(user, 'k8snet', `${build}-${version}-${arch}`);
  const own = belongsTo(runner, folder);
  return {
    read: (name) => {
      if (!own) return undefined;
      try {
        return readFileSync(join(folder, name));
      } catch {
        return undefined;
      }
    },
    write: (entries) => {
      try {
        mkdirSync(folder, { recursive: true, mode: PRIVATE });
        if (!belongsTo(runner, folder)) return;
        for (const [name, code] of entries) {
          // Renamed into place: a run beside this one never reads half of it.
          const part = join(folder, `${name}.${pid}`);
          writeFileSync(part, code);
          renameSync(part, join(folder, name));
        }
        if (!own) keepTheNewest(dirname(folder));
      } catch {
        // A disk that is full or read-only only makes the next start slower.
      }
    },
  };
}
