/** Inputs out of a git repository: `git:REV:path`, a file or a directory at a revision. */
import type { Report } from '../../cluster/diagnostic.ts';
import { didYouMean, nearest } from '../../cluster/nearest.ts';
import { compareKeys } from '../../cluster/order.ts';
import { isSourceName } from './files.ts';
import { type GitAnswer, git, textOf } from './git-command.ts';
import { type Found, listTree, readObjects, type TreeEntry } from './git-objects.ts';
import { bytesSource, type Source } from './source.ts';

const PREFIX = 'git:';

interface Asked {
  /** As it was typed. */
  readonly input: string;
  readonly revision: string;
  /** As it was typed: below the current directory, or with a slash below the repository's root. */
  readonly path: string;
}

type Failure = Extract<GitAnswer, { ok: false }>;

const askedOf = (input: string, report: Report): Asked | undefined => {
  const [revision = '', ...rest] = input.slice(PREFIX.length).split(':');
  const path = rest.join(':');
  const wrong =
    rest.length === 0
      ? 'names no path'
      : revision === ''
        ? 'names no revision'
        : revision.startsWith('-')
          ? `asks for ${revision}, which is no revision`
          : undefined;
  if (wrong === undefined) return { input, revision, path };
  report({
    severity: 'error',
    code: 'bad-usage',
    message: `${input} ${wrong}`,
    file: input,
    hint: 'Write git:REVISION:PATH, e.g. git:main:k8s or git:HEAD~1:k8s/web.yaml; a colon alone is the current directory.',
  });
  return undefined;
};

const reportFailure = ({ input }: Asked, { why, said }: Failure, report: Report): void => {
  const isMissing = why === 'missing';
  report({
    severity: 'error',
    code: isMissing ? 'no-git' : 'git-failed',
    message: isMissing
      ? `cannot read ${input}: there is no git on this machine`
      : `cannot read ${input}: git says "${said}"`,
    file: input,
    ...(isMissing && { hint: 'Install git, or give a directory that holds that revision.' }),
  });
};

/** `a/b/`, `../c` → `a/c`; undefined: it leads out. */
const below = (folder: string, path: string): string | undefined => {
  const whole = path.startsWith('/') ? path : `${folder}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
};

const linesOf = (answer: GitAnswer): string[] =>
  answer.ok
    ? textOf(answer.out)
        .split('\n')
        .filter((line) => line !== '')
    : [];

const reportRevision = ({ input, revision }: Asked, report: Report): void => {
  const refs = linesOf(git(['for-each-ref', '--format=%(refname:short)']));
  const [shallow] = linesOf(git(['rev-parse', '--is-shallow-repository']));
  const hint =
    didYouMean(nearest(revision, refs)) ??
    (shallow === 'true'
      ? 'The clone is shallow: git fetch brings more (in a pipeline: a depth of 0).'
      : undefined);
  report({
    severity: 'error',
    code: 'unknown-revision',
    message: `cannot read ${input}: the repository has no revision ${revision}`,
    file: input,
    ...(hint !== undefined && { hint }),
  });
};

const REASONS: Readonly<Record<Exclude<Found['kind'], 'file' | 'folder'>, string>> = {
  missing: 'no such file or directory at that revision',
  dangling: 'a symbolic link that leads to nothing at that revision',
  loop: 'a symbolic link that leads to itself',
  outside: 'a symbolic link that leads out of the repository',
};

/** What the path may have been meant to be, or that it is there, but not below this directory. */
const hintFor = (tree: string, folder: string, path: string, full: string): string | undefined => {
  const typed = below('', path);
  if (folder !== '' && typed !== undefined && typed !== full) {
    const answer = readObjects([`${tree}:${typed}`]);
    const kind = answer.ok ? answer.found[0]?.kind : undefined;
    if (kind === 'file' || kind === 'folder')
      return `Paths begin at the current directory; from the repository's root it is /${typed}.`;
  }
  const parts = full.split('/');
  const name = parts.pop() ?? '';
  const listed = listTree(`${tree}:${parts.join('/')}`, false);
  const near = listed.ok
    ? nearest(
        name,
        listed.entries.map((entry) => entry.path),
      )
    : [];
  const before = path.slice(0, path.length - name.length);
  return didYouMean(near.map((other) => `${before}${other}`));
};

const join = (folder: string, name: string): string =>
  folder === '' || folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;

/** Sources of a folder, in order of name; with `recursive` those of folders below come in turn. */
const filesOf = (
  asked: Asked,
  tree: string,
  full: string,
  folder: string,
  recursive: boolean,
  report: Report,
): Source[] => {
  const listed = listTree(folder, recursive);
  if (!listed.ok) {
    reportFailure(asked, listed, report);
    return [];
  }
  const wanted = listed.entries
    .filter(({ kind, path }) => (kind === 'file' || kind === 'link') && isSourceName(path))
    .sort((a, b) => compareKeys(a.path.split('/'), b.path.split('/')));
  const read = readObjects(
    // A link is followed from where it stands; a file is known by its object, whatever its name.
    wanted.map(({ kind, id, path }) => (kind === 'link' ? `${tree}:${join(full, path)}` : id)),
  );
  if (!read.ok) {
    reportFailure(asked, read, report);
    return [];
  }
  const sources = wanted.flatMap((entry, at) =>
    sourceOf(asked, entry, read.found[at] ?? { kind: 'missing' }, report),
  );
  if (sources.length === 0 && wanted.length === 0)
    report({
      severity: 'error',
      code: 'empty-directory',
      message: `${asked.input} has no *.yaml, *.yml or *.json`,
      file: asked.input,
      ...(!recursive && { hint: 'Sub-directories are read with -R.' }),
    });
  return sources;
};

/** In places: `main:k8s/web.yaml`. */
const sourceOf = (
  { input, revision, path: folder }: Asked,
  { path }: TreeEntry,
  found: Found,
  report: Report,
): Source[] => {
  const file = `${revision}:${join(folder, path)}`;
  if (found.kind === 'file') return [bytesSource(file, found.bytes)];
  // A link to a folder: it may lead back up.
  if (found.kind === 'folder') return [];
  report({
    severity: 'error',
    code: 'unreadable',
    message: `cannot read ${file} of ${input}: ${REASONS[found.kind]}`,
    file,
  });
  return [];
};

/**
 * What `git:REV:path` stands for, by the system's git: the file, or the *.yaml, *.yml and *.json of
 * the directory, as they are at the revision; nothing of the work tree is looked at. A path begins
 * at the current directory; one with a slash in front at the repository's root. Problems (no git,
 * no repository, no such revision or path) are reported.
 */
export const gitSources = (
  input: string,
  { recursive = false }: { readonly recursive?: boolean | undefined },
  report: Report,
): Source[] => {
  const asked = askedOf(input, report);
  if (!asked) return [];
  const { revision, path } = asked;
  const here = git(['rev-parse', '--show-prefix']);
  if (!here.ok) {
    reportFailure(asked, here, report);
    return [];
  }
  const [tree] = linesOf(git(['rev-parse', '--verify', '--quiet', `${revision}^{tree}`]));
  if (tree === undefined) {
    reportRevision(asked, report);
    return [];
  }
  const folder = below('', textOf(here.out).trimEnd()) ?? '';
  const full = below(folder, path);
  // A name with a line break cannot be asked for.
  const read =
    full === undefined || full.includes('\n')
      ? undefined
      : readObjects([full === '' ? tree : `${tree}:${full}`]);
  if (read && !read.ok) {
    reportFailure(asked, read, report);
    return [];
  }
  const found: Found = read?.found[0] ?? { kind: 'missing' };
  switch (found.kind) {
    case 'file':
      return [bytesSource(`${revision}:${path}`, found.bytes)];
    case 'folder':
      return filesOf(asked, tree, full ?? '', found.id, recursive, report);
    case 'missing':
    case 'dangling':
    case 'loop':
    case 'outside': {
      const isThere = found.kind !== 'missing';
      const hint = full === undefined || isThere ? undefined : hintFor(tree, folder, path, full);
      const why = full === undefined ? 'the path leads out of the repository' : REASONS[found.kind];
      report({
        severity: 'error',
        code: 'unreadable',
        message: `cannot read ${input}: ${why}`,
        file: input,
        ...(hint !== undefined && { hint }),
      });
      return [];
    }
    default:
      return found satisfies never;
  }
};
