/** What git's plumbing prints, taken apart: entries of trees, and objects by name. */
import { type GitAnswer, git, textOf } from './git-command.ts';

/** One file or folder of a tree. */
export interface TreeEntry {
  readonly kind: 'file' | 'link' | 'folder' | 'submodule';
  /** The object's name in hex. */
  readonly id: string;
  /** Below the tree that was listed. */
  readonly path: string;
}

export type Found =
  | { readonly kind: 'file' | 'folder'; readonly id: string; readonly bytes: Uint8Array }
  /** Nothing has the name; a symbolic link leads to nothing, in a circle, or out of the repository. */
  | { readonly kind: 'missing' | 'dangling' | 'loop' | 'outside' };

const LINK = '120000';

/** An entry of `ls-tree -z`: `100644 blob 3b18…<tab>path`. */
const entryOf = (line: string): TreeEntry => {
  const tab = line.indexOf('\t');
  const [mode = '', type = '', id = ''] = line.slice(0, tab).split(' ');
  const path = line.slice(tab + 1);
  if (mode === LINK) return { kind: 'link', id, path };
  if (type === 'blob') return { kind: 'file', id, path };
  return { kind: type === 'commit' ? 'submodule' : 'folder', id, path };
};

/** Entries of a tree; with `recursive` the files of all folders below it. */
export const listTree = (
  tree: string,
  recursive: boolean,
): { ok: true; entries: TreeEntry[] } | Extract<GitAnswer, { ok: false }> => {
  const answer = git(['ls-tree', '--full-tree', '-z', ...(recursive ? ['-r'] : []), tree]);
  if (!answer.ok) return answer;
  const lines = textOf(answer.out).split('\0');
  return { ok: true, entries: lines.filter((line) => line !== '').map(entryOf) };
};

const NEWLINE = 0x0a;

/** What `cat-file --batch --follow-symlinks` answers to each name, in order (git-cat-file(1)). */
const answersOf = (out: Uint8Array): Found[] => {
  const found: Found[] = [];
  for (let at = 0; at < out.length; ) {
    const end = out.indexOf(NEWLINE, at);
    const line = textOf(out.subarray(at, end < 0 ? out.length : end));
    const start = end < 0 ? out.length : end + 1;
    if (line.endsWith(' missing')) {
      found.push({ kind: 'missing' });
      at = start;
      continue;
    }
    const [first = '', second = '', third = ''] = line.split(' ');
    const size = Number(third || second);
    found.push(
      third === ''
        ? { kind: first === 'loop' ? 'loop' : first === 'symlink' ? 'outside' : 'dangling' }
        : {
            kind: second === 'blob' ? 'file' : 'folder',
            id: first,
            bytes: out.subarray(start, start + size),
          },
    );
    at = start + size + 1;
  }
  return found;
};

/** Objects by name (`ID`, `TREE:path`), symbolic links followed. A name has no line break. */
export const readObjects = (
  names: readonly string[],
): { ok: true; found: Found[] } | Extract<GitAnswer, { ok: false }> => {
  if (names.length === 0) return { ok: true, found: [] };
  const answer = git(
    ['cat-file', '--batch', '--follow-symlinks'],
    names.map((name) => `${name}\n`).join(''),
  );
  return answer.ok ? { ok: true, found: answersOf(answer.out) } : answer;
};
