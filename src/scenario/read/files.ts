/** The one place of this layer that touches the disk. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { posix } from 'node:path';
import type { Report } from '../../cluster/diagnostic.ts';
import { didYouMean, nearest } from '../../cluster/nearest.ts';
import { compareText } from '../../cluster/order.ts';
import type { Source } from './source.ts';

const STDIN = '-';
const STDIN_NAME = '<stdin>';
const STDIN_FD = 0;
const SOURCE = /\.(?:ya?ml|json)$/i;

/** Whether a file of a directory is read: *.yaml, *.yml, *.json. */
export const isSourceName = (name: string): boolean => SOURCE.test(name);

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or directory'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['ENOTDIR', 'a part of the path is no directory'],
  ['ELOOP', 'too many symbolic links'],
]);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** What a path may have been meant to be: names beside it that are nearly the same. */
const pathsLike = (path: string): string[] => {
  const folder = posix.dirname(path);
  const name = posix.basename(path);
  try {
    const others = readdirSync(folder).filter((other) => other !== name);
    return nearest(name, others).map((other) => posix.join(folder, other));
  } catch {
    return [];
  }
};

/** Says that a path cannot be read, and why. */
export const reportUnreadable = (file: string, error: unknown, report: Report): void => {
  const code = codeOf(error);
  const hint = code === 'ENOENT' ? didYouMean(pathsLike(file)) : undefined;
  report({
    severity: 'error',
    code: 'unreadable',
    message: `cannot read ${file}: ${REASONS.get(code) ?? (code || String(error))}`,
    file,
    ...(hint !== undefined && { hint }),
  });
};

const WAIT_MS = 10;

/**
 * Reads on. What another process made non-blocking (a Node parent's pipe, a shared terminal) has
 * nothing to give now and then: that is not its end.
 */
const readOn = (fd: number, target: Uint8Array): number => {
  for (;;) {
    try {
      return readSync(fd, target);
    } catch (error) {
      if (codeOf(error) === 'EOF') return 0;
      if (codeOf(error) !== 'EAGAIN') throw error;
      const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
      Atomics.wait(clock, 0, 0, WAIT_MS);
    }
  }
};

/** What of a stream is kept, so that places in it can be found later. */
const MOST_KEPT = 16 * 1024 * 1024;

/** Something that can be read once: a pipe, a terminal. */
const streamSource = (file: string, open: () => number): Source => {
  const kept: Uint8Array[] = [];
  let length = 0;
  return {
    file,
    open: () => {
      const fd = open();
      return {
        read: (target) => {
          const count = readOn(fd, target);
          if (length < MOST_KEPT) kept.push(target.slice(0, count));
          length += count;
          return count;
        },
        close: () => {
          if (fd !== STDIN_FD) closeSync(fd);
        },
      };
    },
    again: (start, end) => {
      const part = new Uint8Array(end - start);
      let at = 0;
      let filled = 0;
      for (const block of kept) {
        const from = Math.max(start - at, 0);
        const wanted = block.subarray(from, Math.max(end - at, from));
        part.set(wanted, filled);
        filled += wanted.length;
        at += block.length;
      }
      return filled === part.length ? part : undefined;
    },
  };
};

/** A file on a disk, which can be read again as long as nobody writes to it. */
const fileSource = (file: string, size: number): Source => {
  let modified = 0;
  return {
    file,
    size,
    open: () => {
      const fd = openSync(file, 'r');
      modified = fstatSync(fd).mtimeMs;
      return { read: (target) => readOn(fd, target), close: () => closeSync(fd) };
    },
    again: (start, end) => {
      try {
        const fd = openSync(file, 'r');
        try {
          if (fstatSync(fd).mtimeMs !== modified) return undefined;
          const part = new Uint8Array(end - start);
          return readSync(fd, part, 0, part.length, start) === part.length ? part : undefined;
        } finally {
          closeSync(fd);
        }
      } catch {
        return undefined;
      }
    },
  };
};

const sourceOf = (path: string, report: Report): Source[] => {
  if (path === STDIN) return [streamSource(STDIN_NAME, () => STDIN_FD)];
  try {
    const found = statSync(path);
    if (found.isFile()) return [fileSource(path, found.size)];
    return [streamSource(path, () => openSync(path, 'r'))];
  } catch (error) {
    reportUnreadable(path, error, report);
    return [];
  }
};

const join = (folder: string, name: string): string =>
  folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;

/** Sources of a folder in order of name; with `recursive` those of folders below come in turn. */
const filesOf = (folder: string, recursive: boolean, report: Report): string[] => {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .sort((a, b) => compareText(a.name, b.name))
    .flatMap((entry): string[] => {
      const path = join(folder, entry.name);
      try {
        if (!statSync(path).isDirectory()) return isSourceName(entry.name) ? [path] : [];
        // A link may lead back up.
        return recursive && !entry.isSymbolicLink() ? filesOf(path, recursive, report) : [];
      } catch (error) {
        reportUnreadable(path, error, report);
        return [];
      }
    });
};

const expand = (path: string, recursive: boolean, report: Report): string[] => {
  if (path === STDIN) return [STDIN];
  try {
    if (!statSync(path).isDirectory()) return [path];
    const files = filesOf(path, recursive, report);
    if (files.length > 0) return files;
    report({
      severity: 'error',
      code: 'empty-directory',
      message: `${path} has no *.yaml, *.yml or *.json`,
      file: path,
      ...(!recursive && { hint: 'Sub-directories are read with -R.' }),
    });
  } catch (error) {
    reportUnreadable(path, error, report);
  }
  return [];
};

/**
 * What is to be read: files, the *.yaml, *.yml and *.json of directories in order of name, and
 * standard input (`-`); each path once. Paths that are not there are reported.
 */
export const listSources = (
  paths: readonly string[],
  { recursive = false }: { readonly recursive?: boolean | undefined },
  report: Report,
): Source[] => {
  const files = paths.flatMap((path) => expand(path, recursive, report));
  return [...new Set(files)].flatMap((path) => sourceOf(path, report));
};

/** A file as text; undefined where it is no UTF-8. @throws what the disk says */
export const readTextFile = (path: string): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
};

/**
 * Writes a file as a whole: whoever reads it meanwhile has the old text or the new one. A link goes
 * on leading to it, and its mode stays.
 * @throws what the disk says
 */
export const replaceFile = (path: string, text: string): void => {
  const target = realpathSync(path);
  // Of its own for everybody who writes, and on the same disk.
  const folder = mkdtempSync(`${target}.`);
  try {
    const beside = `${folder}/new`;
    writeFileSync(beside, text);
    chmodSync(beside, statSync(target).mode);
    renameSync(beside, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/**
 * Calls when a file of these folders, or of those that files are in, may have changed. An editor may
 * write a new file and rename it, so that folders are watched and not files.
 * @returns ends it
 */
export const watchPaths = (paths: readonly string[], changed: () => void): (() => void) => {
  const folders = new Map<string, Set<string> | 'all'>();
  for (const path of paths) {
    if (!existsSync(path)) continue;
    if (statSync(path).isDirectory()) {
      folders.set(path, 'all');
      continue;
    }
    const folder = posix.dirname(path);
    const known = folders.get(folder) ?? new Set<string>();
    folders.set(folder, known);
    if (known !== 'all') known.add(posix.basename(path));
  }
  const watchers = [...folders].map(([folder, names]) =>
    watch(folder, (_, name) => {
      const isMeant = name === null || (names === 'all' ? isSourceName(name) : names.has(name));
      if (isMeant) changed();
    }),
  );
  // A folder that goes away is no bug; what is read next says that it is gone.
  for (const watcher of watchers) watcher.on('error', changed);
  return () => {
    for (const watcher of watchers) watcher.close();
  };
};

/** A path as a file names it: from the folder that the file is in, at the same revision. */
export const pathBeside = (file: string, path: string): string => {
  if (path.startsWith('git:') || posix.isAbsolute(path)) return path;
  const [, revision = '', own = ''] = /^(git:[^:]*:)?(.*)$/s.exec(file) ?? [];
  return revision + posix.join(own === STDIN_NAME ? '.' : posix.dirname(own), path);
};

/** A file of the package itself, by its URL. */
export const readOwnFile = (url: URL): string => readFileSync(url, 'utf8');

/** Names in a folder of the package itself, sorted; folders end with a slash. */
export const listOwnFolder = (url: URL): string[] =>
  readdirSync(url, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort(compareText);
