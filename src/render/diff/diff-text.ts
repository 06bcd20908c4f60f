/** A diff for a terminal. */
import type { ConnectionChangeKind } from '../../check/diff/change.ts';
import type { Diff } from '../../check/diff/diff.ts';
import type { PathDiff } from '../../check/diff/path-diff.ts';
import type { DiffWords } from '../../explain/diff-words.ts';
import type { Glyphs } from '../../explain/quote.ts';
import { harmless } from '../harmless.ts';
import type { Style } from '../style.ts';
import { columns, pad, wrap } from '../width.ts';
import { pathRows } from './path-rows.ts';
import {
  peerText,
  placeText,
  type ToldChange,
  type ToldReason,
  toldChanges,
  toldIsolation,
} from './told-change.ts';

export interface DiffTextOptions {
  readonly width: number;
  readonly style: Style;
  readonly glyphs: Glyphs;
  readonly words: DiffWords;
}

const KINDS: readonly ConnectionChangeKind[] = ['opened', 'closed', 'changed', 'added', 'removed'];
const NARROWEST = 20;

/** Lines of at most `width` columns behind an indentation. */
const block = (text: string, indent: number, width: number): string[] =>
  wrap(text, Math.max(NARROWEST, width - indent)).map((line) => `${' '.repeat(indent)}${line}`);

/** The right-hand side at the right edge, or on a line of its own. */
const beside = (
  left: string,
  right: string,
  indent: number,
  options: DiffTextOptions,
): string[] => {
  const { width, style } = options;
  if (right === '') return block(left, indent, width);
  const gap = width - indent - columns(left) - columns(right);
  if (gap >= 2) return [`${' '.repeat(indent)}${left}${' '.repeat(gap)}${style.faint(right)}`];
  return [
    ...block(left, indent, width),
    ...block(right, indent + 2, width).map((line) => style.faint(line)),
  ];
};

const inputsText = (inputs: readonly string[]): string => harmless(inputs.join(', '));

const headLines = (diff: Diff, options: DiffTextOptions): string[] => {
  const { words, style, width } = options;
  const counts = diff.summary;
  const changed =
    diff.connections.length + counts.pathsChanged + counts.peersAdded + counts.peersRemoved > 0;
  const text = changed ? words.counts(counts).join(', ') : words.noDifference(counts);
  const side = (name: 'base' | 'head'): string[] => {
    const lead = `${words[name]}  `;
    return wrap(inputsText(diff[name].inputs), Math.max(NARROWEST, width - columns(lead))).map(
      (line, at) => (at === 0 ? `${style.label(lead)}${style.title(line)}` : `      ${line}`),
    );
  };
  return [...side('base'), ...side('head'), ...block(text, 0, width)];
};

/** One peer by its name; several by their number, with their names below. */
const endText = (ids: readonly string[], { words }: DiffTextOptions): string => {
  const [first = ''] = ids;
  if (ids.length === 1) return harmless(peerText(first, words));
  const blocks = ids.every((id) => id.startsWith('ipblock:'));
  return words.several(ids.length, blocks ? 'blocks' : 'peers');
};

const portParts = ({ opened, closed }: ToldChange, kind: ConnectionChangeKind): string => {
  switch (kind) {
    case 'opened':
    case 'added':
      return opened;
    case 'closed':
    case 'removed':
      return closed;
    case 'changed':
      return [opened && `+ ${opened}`, closed && `- ${closed}`].filter(Boolean).join('   ');
    default:
      return kind satisfies never;
  }
};

const MOST_NAMES = 12;

const membersOf = (ids: readonly string[], options: DiffTextOptions): string[] => {
  if (ids.length < 2) return [];
  const { words, width, style } = options;
  const names = ids.slice(0, MOST_NAMES).map((id) => peerText(id, words));
  const more = ids.length > MOST_NAMES ? [words.more(ids.length - MOST_NAMES)] : [];
  return block(harmless([...names, ...more].join(', ')), 4, width).map((line) => style.place(line));
};

const reasonLines = (reasons: readonly ToldReason[], options: DiffTextOptions): string[] => {
  const { style, width } = options;
  const wide = Math.max(0, ...reasons.map(({ direction }) => columns(direction)));
  const wideSide = Math.max(0, ...reasons.map(({ side }) => columns(side)));
  let last = '';
  return reasons.flatMap(({ side, direction, text, at }) => {
    const isNew = direction !== last;
    last = direction;
    const lead =
      side === '' ? '' : `${pad(isNew ? direction : '', wide)}  ${pad(side, wideSide)}  `;
    const indent = 6 + columns(lead);
    const said = harmless(at === undefined ? text : `${text}   ${at}`);
    return wrap(said, Math.max(NARROWEST, width - indent)).map((line, index) =>
      index === 0 ? `      ${style.label(lead)}${line}` : `${' '.repeat(indent)}${line}`,
    );
  });
};

const changeLines = (
  change: ToldChange,
  kind: ConnectionChangeKind,
  options: DiffTextOptions,
): string[] => {
  const { glyphs } = options;
  const { srcs, dsts, reasons } = change;
  const pair = `${endText(srcs, options)} ${glyphs.to} ${endText(dsts, options)}`;
  return [
    ...beside(pair, portParts(change, kind), 2, options),
    ...membersOf(srcs, options),
    ...membersOf(dsts, options),
    ...reasonLines(reasons, options),
  ];
};

const groupLines = (diff: Diff, kind: ConnectionChangeKind, options: DiffTextOptions): string[] => {
  const { words, style } = options;
  const changes = toldChanges(diff, kind, words);
  if (changes.length === 0) return [];
  const paint = kind === 'opened' ? style.good : kind === 'closed' ? style.bad : style.edit;
  return [
    '',
    `${paint(words.heads[kind])}  ${style.faint(words.aside[kind])}`,
    ...changes.flatMap((change) => changeLines(change, kind, options)),
  ];
};

const peerLines = ({ peers }: Diff, options: DiffTextOptions): string[] => {
  const { words, style } = options;
  const lines = [
    ...peers.added.flatMap((id) => beside(harmless(id), words.peerAdded, 2, options)),
    ...peers.removed.flatMap((id) => beside(harmless(id), words.peerRemoved, 2, options)),
    ...peers.renamed.flatMap(({ base, head }) =>
      block(harmless(words.renamed(base, head)), 2, options.width),
    ),
    ...toldIsolation(peers, words).flatMap(({ ids, text }) => [
      ...beside(endText(ids, options), text, 2, options),
      ...membersOf(ids, options),
    ]),
  ];
  return lines.length === 0 ? [] : ['', style.edit(words.peersHead), ...lines];
};

/** `client → svc/web:80 udp` */
export const questionText = (
  { from, to, protocol, port, size, set = [] }: PathDiff,
  glyphs: Pick<Glyphs, 'to'>,
): string => {
  const about = [
    [protocol, port].filter((part) => part !== undefined).join('/'),
    size === undefined ? '' : `${size} bytes`,
    ...set,
  ].filter((part) => part !== '');
  return `${from} ${glyphs.to} ${to}${about.length === 0 ? '' : ` (${about.join(', ')})`}`;
};

const ENDS = ['question', 'port', 'disposition', 'symptom', 'cause'];

/** What is different about the end of a path: `disposition  delivered → dropped`. */
export const endChanges = (
  path: PathDiff,
  glyphs: Pick<Glyphs, 'to'>,
  words: DiffWords,
): { readonly name: string; readonly text: string }[] =>
  path.changes
    .filter(({ what }) => ENDS.includes(what))
    .map(({ what, base, head }) => ({
      name: words.paths.what[what],
      text:
        what === 'question'
          ? words.paths.onlyOn(base === undefined ? words.head : words.base)
          : `${base ?? words.paths.none} ${glyphs.to} ${head ?? words.paths.none}`,
    }));

const pathLines = (path: PathDiff, options: DiffTextOptions): string[] => {
  const { words, glyphs, width, style } = options;
  const place = path.at && placeText(path.at);
  const ends = endChanges(path, glyphs, words);
  const wide = Math.max(0, ...ends.map(({ name }) => columns(name))) + 2;
  return [
    ...beside(
      harmless(questionText(path, glyphs)),
      place === undefined ? '' : harmless(words.paths.expectedAt(place)),
      2,
      options,
    ),
    ...ends.flatMap(({ name, text }) =>
      wrap(text, Math.max(NARROWEST, width - 4 - wide)).map((line, at) =>
        at === 0 ? `    ${style.label(pad(name, wide))}${line}` : `${' '.repeat(4 + wide)}${line}`,
      ),
    ),
    ...pathRows(path, width - 4, style, words).map((line) => `    ${line}`.trimEnd()),
  ];
};

const pathsLines = ({ paths, summary }: Diff, options: DiffTextOptions): string[] => {
  if (paths.length === 0) return [];
  const { words, style } = options;
  const changed = paths.filter(({ changes }) => changes.length > 0);
  return [
    '',
    style.edit(words.paths.head),
    ...changed.flatMap((path) => pathLines(path, options)),
    ...(summary.pathsUnchanged > 0 ? [`  ${words.paths.same(summary.pathsUnchanged)}`] : []),
  ];
};

/** @returns lines with a newline at the end. */
export const diffText = (diff: Diff, options: DiffTextOptions): string =>
  `${[
    ...headLines(diff, options),
    ...KINDS.flatMap((kind) => groupLines(diff, kind, options)),
    ...peerLines(diff, options),
    ...pathsLines(diff, options),
  ].join('\n')}\n`;
