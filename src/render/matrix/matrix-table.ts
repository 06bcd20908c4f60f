/** A matrix for people: what there is, a grid where it fits and a list where it does not, and notes. */
import type { MatrixPeer } from '../../check/matrix/matrix.ts';
import { columns, wrap } from '../width.ts';
import { exposureLines } from './exposure-text.ts';
import { type MatrixForm, namesFor, type ShownMatrix } from './form.ts';
import { matrixGrid } from './matrix-grid.ts';
import { matrixList } from './matrix-list.ts';
import { pathLines } from './paths-text.ts';

const isInside = ({ pods }: Pick<MatrixPeer, 'pods'>): boolean => pods !== undefined;

/** Pairs of peers of two roles; what is told with itself is a pair only where it is a namespace. */
const pairsOf = (from: number, to: number, same: boolean, withSelf: boolean): number =>
  same && !withSelf ? from * (from - 1) : from * to;

const countLine = (matrix: ShownMatrix, { words }: MatrixForm): string => {
  const { peers, roles, groupBy } = matrix;
  const { roles: all } = roles;
  const inside = all.map((role) => role.peers.some((at) => isInside(peers[at] ?? {})));
  let sources = 0;
  let destinations = 0;
  let both = 0;
  const outside = { sources: 0, destinations: 0 };
  let connected = 0;
  for (const [from, role] of all.entries()) {
    const size = role.peers.length;
    if (role.isSource) sources += size;
    if (role.isDestination) destinations += size;
    if (role.isSource && role.isDestination && inside[from]) both += size;
    if (!inside[from] && role.isSource) outside.sources += size;
    if (!inside[from] && role.isDestination) outside.destinations += size;
    for (const { role: to } of roles.row(from))
      connected += pairsOf(size, all[to]?.peers.length ?? 0, from === to, groupBy === 'namespace');
  }
  const selves = groupBy === 'namespace' ? 0 : both;
  const shown = all.flatMap((role) => role.peers);
  return words.counts({
    groupBy,
    inside: shown.filter((at) => isInside(peers[at] ?? {})).length,
    blocks: shown.filter((at) => peers[at]?.id.startsWith('ipblock:')).length,
    pairs: sources * destinations - outside.sources * outside.destinations - selves,
    connected,
  });
};

/** Which peers no policy isolates: there everything is allowed that the other side lets through. */
const openLines = (matrix: ShownMatrix, form: MatrixForm): string[] => {
  const { peers, policies } = matrix;
  const { style, width, words } = form;
  if (policies === 0) return [style.label(words.noPolicies)];
  const names = namesFor(matrix, form);
  const lines = (['ingress', 'egress'] as const).flatMap((direction) => {
    const open = peers.flatMap(({ isolated }, at) => (isolated?.[direction] === false ? [at] : []));
    if (open.length === 0) return [];
    const head = words.open(direction);
    const [first = '', ...rest] = wrap(`${head} ${names.of(open)}`, width);
    const shown =
      columns(head) <= columns(first) ? style.label(head) + first.slice(head.length) : first;
    return [shown, ...rest];
  });
  if (lines.length > 0) return lines;
  return peers.some(isInside) ? [style.faint(words.allIsolated)] : [];
};

/** @returns lines with a newline at the end of each. */
export const matrixTable = (matrix: ShownMatrix, form: MatrixForm): string => {
  const parts = [
    wrap(countLine(matrix, form), form.width),
    matrixGrid(matrix, form) ?? matrixList(matrix, form),
    openLines(matrix, form),
    matrix.exposure ? exposureLines(matrix.exposure, matrix, form) : [],
    matrix.paths ? pathLines(matrix.paths, matrix, form) : [],
  ].filter((lines) => lines.length > 0);
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
};
