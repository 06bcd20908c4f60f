/** The connections of a matrix as CSV (RFC 4180, lines end in a newline): a line a protocol. */
import type { MatrixConnection } from '../../check/matrix/matrix.ts';
import { harmless } from '../harmless.ts';

const field = (text: string): string => {
  const shown = harmless(text);
  return /[",]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
};

/** @param connections read once, in order, while the lines are taken */
export function* matrixCsv(connections: Iterable<MatrixConnection>): Generator<string> {
  yield 'src,dst,protocol,ports\n';
  for (const { src, dst, allowed } of connections)
    for (const { protocol, ports } of allowed)
      yield `${[src, dst, protocol, ports].map(field).join(',')}\n`;
}
