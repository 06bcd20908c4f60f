/** The one place of this layer that touches the disk. */
import { readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { Report } from '../../cluster/diagnostic.ts';
import { didYouMean, nearest } from '../../cluster/nearest.ts';
import { compareText } from '../../cluster/order.ts';
import type { SourceText } from './documents.ts';

const STDIN = '-';
const STDIN_NAME = '<stdin>';
const STDIN_FD = 0;
const SOURCE = /\.(?:ya?ml|json)$/i;
/** A little less than what V8 can hold in one string. */
const MOST_BYTES = 500_000_000;

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

const reportUnreadable = (file: string, error: unknown, report: Report): void => {
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

const encodingOf = (bytes: Uint8Array): string => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
};

const decode = (file: string, bytes: Uint8Array, report: Report): string | undefined => {
  const encoding = encodingOf(bytes);
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  report({
    severity: 'error',
    code: 'not-text',
    message: `${file} is not a text in UTF-8 or UTF-16`,
    file,
    hint: 'Give YAML or JSON.',
  });
  return undefined;
};

const CHUNK_BYTES = 65_536;
const WAIT_MS = 10;

/**
 * All of standard input. What another process made non-blocking (a Node parent's pipe, a shared
 * terminal) has nothing to give now and then: that is not its end.
 */
const readStdin = (): Uint8Array | undefined => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    try {
      const count = readSync(STDIN_FD, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
      if (length > MOST_BYTES) return undefined;
    } catch (error) {
      if (codeOf(error) === 'EOF') break;
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(clock, 0, 0, WAIT_MS);
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
};

const readPath = (path: string): Uint8Array | undefined => {
  if (path === STDIN) return readStdin();
  return statSync(path).size > MOST_BYTES ? undefined : readFileSync(path);
};

const readOne = (path: string, report: Report): SourceText[] => {
  const file = path === STDIN ? STDIN_NAME : path;
  try {
    const bytes = readPath(path);
    if (!bytes) {
      report({
        severity: 'error',
        code: 'too-large',
        message: `${file} has more than ${MOST_BYTES / 1_000_000} MB`,
        file,
        hint: 'Split it, for example by namespace.',
      });
      return [];
    }
    const text = decode(file, bytes, report);
    return text === undefined ? [] : [{ file, text }];
  } catch (error) {
    reportUnreadable(file, error, report);
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
        if (!statSync(path).isDirectory()) return SOURCE.test(entry.name) ? [path] : [];
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
 * The texts of files, of the *.yaml, *.yml and *.json of directories in order of name, and of
 * standard input (`-`); each path once. What cannot be read is reported.
 */
export const readFiles = (
  paths: readonly string[],
  { recursive = false }: { readonly recursive?: boolean | undefined },
  report: Report,
): SourceText[] => {
  const files = paths.flatMap((path) => expand(path, recursive, report));
  return [...new Set(files)].flatMap((path) => readOne(path, report));
};

/** A file of the package itself, by its URL. */
export const readOwnFile = (url: URL): string => readFileSync(url, 'utf8');

/** Names in a folder of the package itself, sorted; folders end with a slash. */
export const listOwnFolder = (url: URL): string[] =>
  readdirSync(url, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort(compareText);
