/** Writes what is made piece by piece, as fast as it is read. */
import type { Sink } from './io.ts';

/** Characters that are written at once. */
const BLOCK = 65_536;

/** Nothing more is made once nobody reads any more. */
export async function writePieces(sink: Sink, pieces: Iterable<string>): Promise<void> {
  let block = '';
  for (const piece of pieces) {
    block += piece;
    if (block.length < BLOCK) continue;
    sink.write(block);
    block = '';
    await sink.drained?.();
    if (sink.closed) return;
  }
  if (block !== '') sink.write(block);
}
