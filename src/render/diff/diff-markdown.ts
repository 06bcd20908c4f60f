/** A diff as a comment on a pull request: GitHub's Markdown, and GitLab's. */
import type { ConnectionChangeKind } from '../../check/diff/change.ts';
import type { Diff } from '../../check/diff/diff.ts';
import type { PathDiff } from '../../check/diff/path-diff.ts';
import type { DiffWords } from '../../explain/diff-words.ts';
import { harmless } from '../harmless.ts';
import { endChanges, questionText } from './diff-text.ts';
import { folded, unified } from './path-rows.ts';
import {
  peerText,
  placeText,
  type ToldChange,
  type ToldReason,
  toldChanges,
  toldIsolation,
} from './told-change.ts';

/** The longest comment that GitHub takes has 65,536 characters; some are left for who posts it. */
export const LONGEST_COMMENT = 65_000;

const KINDS: readonly ConnectionChangeKind[] = ['opened', 'closed', 'changed', 'added', 'removed'];
const ARROW = { to: '→' };
const MOST_NAMES = 12;

/** What Markdown, a table or HTML would act on, spelled out as character references. */
const ACTIVE = /[&<>|`*_~\\#@!$]|\](?=[([])/g;
/** `:tada:`, which is text inside of code. */
const EMOJI = /:(?=[\w+-]+:)/g;

const reference = (character: string): string => `&#${character.charCodeAt(0)};`;

const inert = (text: string): string => harmless(text).replace(ACTIVE, reference);

/** Plain text that Markdown does nothing with: no table cell ends, nobody is mentioned. */
const plain = (text: string): string => inert(text).replace(EMOJI, reference);

const code = (text: string): string => `<code>${inert(text)}</code>`;

const names = (ids: readonly string[], words: DiffWords, between = '<br>'): string => {
  const shown = ids.slice(0, MOST_NAMES).map((id) => code(peerText(id, words)));
  const more = ids.length - shown.length;
  return [...shown, ...(more > 0 ? [words.more(more)] : [])].join(between);
};

const portsOf = ({ opened, closed }: ToldChange, kind: ConnectionChangeKind): string =>
  kind === 'changed'
    ? [opened && `+ ${plain(opened)}`, closed && `− ${plain(closed)}`].filter(Boolean).join('<br>')
    : plain(opened || closed);

const reasonText = ({ side, direction, text, at }: ToldReason): string =>
  [
    ...(side === '' ? [] : [`${side} ${direction}:`]),
    plain(text),
    ...(at === undefined ? [] : [code(at)]),
  ].join(' ');

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const changeRow = (change: ToldChange, kind: ConnectionChangeKind, words: DiffWords): string =>
  row([
    names(change.srcs, words),
    names(change.dsts, words),
    portsOf(change, kind),
    change.reasons.map(reasonText).join('<br>'),
  ]);

/** A part of the comment whose rows may be left out from the end. */
interface Section {
  readonly head: readonly string[];
  readonly rows: readonly string[];
}

const changeSections = (diff: Diff, words: DiffWords): Section[] =>
  KINDS.flatMap((kind) => {
    const changes = toldChanges(diff, kind, words);
    if (changes.length === 0) return [];
    const { from, to, ports, why } = words.columns;
    return [
      {
        head: [
          '',
          `#### ${words.heads[kind]}`,
          '',
          row([from, to, ports, why]),
          row(['---', '---', '---', '---']),
        ],
        rows: changes.map((change) => changeRow(change, kind, words)),
      },
    ];
  });

const peerSection = ({ peers }: Diff, words: DiffWords): Section[] => {
  const rows = [
    ...peers.added.map((id) => `- ${code(id)} ${words.peerAdded}`),
    ...peers.removed.map((id) => `- ${code(id)} ${words.peerRemoved}`),
    ...peers.renamed.map(({ base, head }) => `- ${plain(words.renamed(base, head))}`),
    ...toldIsolation(peers, words).map(({ ids, text }) => `- ${names(ids, words, ', ')} ${text}`),
  ];
  return rows.length === 0 ? [] : [{ head: ['', `#### ${words.peersHead}`, ''], rows }];
};

/** Longer than any run of backticks in it. */
const fenceFor = (text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return '`'.repeat(longest + 1);
};

const pathRow = (path: PathDiff, words: DiffWords): string => {
  const ends = endChanges(path, ARROW, words);
  const place = path.at && placeText(path.at);
  const lines = unified(folded(path.rows), words).map(({ sign, text }) => `${sign} ${text}`);
  const body = lines.join('\n');
  const fence = fenceFor(body);
  const about = new Set(path.changes.map(({ what: one }) => words.paths.what[one]));
  const what =
    ends.length > 0
      ? ends.map(({ name, text }) => `${name} ${plain(text)}`).join(', ')
      : [...about].join(', ');
  return [
    '<details>',
    `<summary>${code(questionText(path, ARROW))}: ${what}</summary>`,
    '',
    ...(place === undefined ? [] : [plain(words.paths.expectedAt(place)), '']),
    `${fence}diff`,
    body,
    fence,
    '',
    '</details>',
  ].join('\n');
};

const pathSection = ({ paths, summary }: Diff, words: DiffWords): Section[] => {
  if (paths.length === 0) return [];
  const changed = paths.filter(({ changes }) => changes.length > 0);
  return [
    {
      head: ['', `#### ${words.paths.head}`, ''],
      rows: [
        ...changed.map((path) => pathRow(path, words)),
        ...(summary.pathsUnchanged > 0 ? [`\n${words.paths.same(summary.pathsUnchanged)}`] : []),
      ],
    },
  ];
};

/**
 * A summary line, a table for each kind of change, and the paths folded away.
 * @param longest characters; rows that have no room are left out, and how many is said
 * @returns ends with a newline
 */
export const diffMarkdown = (diff: Diff, words: DiffWords, longest = LONGEST_COMMENT): string => {
  const { summary, base, head } = diff;
  const isDifferent =
    diff.connections.length + summary.pathsChanged + summary.peersAdded + summary.peersRemoved > 0;
  const title = isDifferent ? words.counts(summary).join(', ') : words.noDifference(summary);
  const sides = [
    `${words.base} ${code(base.inputs.join(', '))}`,
    `${words.head} ${code(head.inputs.join(', '))}`,
  ].join(' → ');
  const lines = [`### k8snet diff: ${title}`, '', sides];
  const sections = [
    ...changeSections(diff, words),
    ...peerSection(diff, words),
    ...pathSection(diff, words),
  ];
  const all = sections.reduce((sum, { rows }) => sum + rows.length, 0);
  const note = (rows: number): string => `\n> ${plain(words.leftOut(rows))}`;
  let room = longest - lines.join('\n').length - note(all).length - 1;
  let shown = 0;
  for (const { head: top, rows } of sections) {
    const fitting: string[] = [];
    let left = room - top.join('\n').length - 1;
    for (const one of rows) {
      left -= one.length + 1;
      if (left < 0) break;
      fitting.push(one);
    }
    if (fitting.length === 0) continue;
    const text = [...top, ...fitting];
    room -= text.join('\n').length + 1;
    shown += fitting.length;
    lines.push(...text);
  }
  if (shown < all) lines.push(note(all - shown));
  return `${lines.join('\n')}\n`;
};
