/** A matrix as JSON, piece by piece: one peer, connection or warning a line. */
import type { Matrix, MatrixConnection } from '../../check/matrix/matrix.ts';
import { harmlessQuoted } from '../harmless.ts';

/** All but the connections, which may be many. */
export type MatrixFrame = Omit<Matrix, 'connections'>;

const line = (value: unknown): string => harmlessQuoted(JSON.stringify(value));

function* items(name: string, values: Iterable<unknown>, isLast = false): Generator<string> {
  let first = true;
  yield `  ${JSON.stringify(name)}: [`;
  for (const value of values) {
    yield `${first ? '' : ','}\n    ${line(value)}`;
    first = false;
  }
  yield `${first ? '' : '\n  '}]${isLast ? '' : ','}\n`;
}

/** @param connections read once, in order, while the pieces are taken */
export function* matrixJson(
  { apiVersion, kind, peers, exposure, paths, warnings }: MatrixFrame,
  connections: Iterable<MatrixConnection>,
): Generator<string> {
  yield `{\n  "apiVersion": ${line(apiVersion)},\n  "kind": ${line(kind)},\n`;
  yield* items('peers', peers);
  yield* items('connections', connections);
  if (exposure) yield* items('exposure', exposure);
  if (paths) yield* items('paths', paths);
  yield* items('warnings', warnings, true);
  yield '}\n';
}
