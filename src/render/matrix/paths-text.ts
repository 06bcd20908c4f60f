/** Where packets fare otherwise than policies say, for people. */
import type { MatrixPath } from '../../check/matrix/matrix.ts';
import { harmless } from '../harmless.ts';
import { wrap } from '../width.ts';
import type { MatrixForm } from './form.ts';

const isConnected = ({ disposition }: MatrixPath): boolean => disposition === 'delivered';

const isUnsure = ({ disposition }: MatrixPath): boolean =>
  disposition === 'inconclusive' || disposition === 'ambiguous';

/** Pairs that fare alike for one cause are lines of one block. */
const blockOf = (paths: readonly MatrixPath[], head: string, form: MatrixForm): string[] => {
  if (paths.length === 0) return [];
  const { style, width, glyphs } = form;
  const lines = [style.bad(head)];
  for (const { from, to, protocol, port, disposition, symptom, cause } of paths) {
    const fate = [
      disposition,
      ...(symptom === 'connected' ? [] : [symptom]),
      ...(cause ? [cause] : []),
    ];
    const what = `${from} ${glyphs.to} ${to} ${protocol} ${port}`;
    lines.push(...wrap(harmless(what), width - 2).map((line) => `  ${line}`));
    lines.push(...wrap(fate.join(', '), width - 4).map((line) => `    ${style.faint(line)}`));
  }
  return lines;
};

export const pathLines = (paths: readonly MatrixPath[], form: MatrixForm): string[] => {
  const { style, words } = form;
  const unsure = paths.filter(isUnsure);
  const sure = paths.filter((path) => !isUnsure(path));
  const lost = sure.filter((path) => path.allowed && !isConnected(path));
  const leaks = sure.filter((path) => !path.allowed && isConnected(path));
  const ok = sure.length - lost.length - leaks.length;
  return [
    style.title(words.paths.head),
    words.paths.asAllowed(ok, paths.length),
    ...blockOf(lost, words.paths.cutOff, form),
    ...blockOf(leaks, words.paths.leak, form),
    ...blockOf(unsure, words.paths.unsure, form),
  ];
};
