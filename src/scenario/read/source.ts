/** What there is to read: files, standard input and texts, all as bytes in order. */
import type { ByteReader } from './window.ts';

export interface SourceText {
  /** As the user named it. */
  readonly file: string;
  readonly text: string;
}

export interface Source {
  /** As the user named it. */
  readonly file: string;
  /** In bytes, where it is known before it is read. */
  readonly size?: number | undefined;
  /** @throws what the disk says */
  open(): ByteReader;
  /** The bytes from `start` up to `end` once more; undefined where they are gone. */
  again(start: number, end: number): Uint8Array | undefined;
}

/** Bytes that are here already, as a source. */
export const bytesSource = (file: string, bytes: Uint8Array): Source => ({
  file,
  size: bytes.length,
  open: () => {
    let at = 0;
    return {
      read: (target) => {
        const part = bytes.subarray(at, at + target.length);
        target.set(part);
        at += part.length;
        return part.length;
      },
      close: () => {},
    };
  },
  again: (start, end) => bytes.subarray(start, end),
});

/** A text as a source. */
export const textSource = ({ file, text }: SourceText): Source =>
  bytesSource(file, new TextEncoder().encode(text));
