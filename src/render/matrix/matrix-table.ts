/** A matrix for people: what there is, a grid where it fits and a list where it does not, and notes. */
import type { MatrixPeer } from '../../check/matrix/matrix.ts';
import { columns, wrap } from '../width.ts';
import { exposureLines } from './exposure-text.ts';
import { type MatrixForm, namesOf, type ShownMatrix } from './form.ts';
import { matrixGrid } from './matrix-grid.ts';
import { matrixList } from './matrix-list.ts';
import { pathLines } from './paths-text.ts';

const isInside = ({ pods }: MatrixPeer): boolean => pods !== undefined;

/** Pairs of peers of two roles; a peer of its own kind is no pair with itself. */
const pairsOf = (from: number, to: number, same: boolean): number =>
  same ? from * (from - 1) : from * to;

const countLine = ({ peers, roles }: ShownMatrix, { words }: MatrixForm): string => {
  const { roles: all, cell } = roles;
  let pairs = 0;
  let connected = 0;
  for (const [from, { peers: own, isSource }] of all.entries())
    for (const [to, { peers: others, isDestination }] of all.entries()) {
      if (!isSource || !isDestination) continue;
      const outside = [own, others].every((some) =>
        some.every((at) => !isInside(peers[at] ?? { id: '' })),
      );
      const count = outside ? 0 : pairsOf(own.length, others.length, from === to);
      pairs += count;
      if (cell(from, to).length > 0) connected += count;
    }
  const shown = all.flatMap((role) => role.peers);
  const workloads = shown.filter((at) => isInside(peers[at] ?? { id: '' })).length;
  return words.counts({
    workloads,
    blocks: shown.filter((at) => peers[at]?.id.startsWith('ipblock:')).length,
    pairs,
    connected,
  });
};

/** Which peers no policy isolates: there everything is allowed that the other side lets through. */
const openLines = (matrix: ShownMatrix, form: MatrixForm): string[] => {
  const { peers } = matrix;
  const { style, width, words } = form;
  const lines = (['ingress', 'egress'] as const).flatMap((direction) => {
    const open = peers.flatMap(({ isolated }, at) => (isolated?.[direction] === false ? [at] : []));
    if (open.length === 0) return [];
    const head = words.open(direction);
    const [first = '', ...rest] = wrap(`${head} ${namesOf(matrix, open, form)}`, width);
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
    matrix.paths ? pathLines(matrix.paths, form) : [],
  ].filter((lines) => lines.length > 0);
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
};
