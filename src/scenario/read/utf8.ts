/** Any text as UTF-8 without a byte order mark: what cutters and parsers look at. */
import type { Source } from './source.ts';
import type { ByteReader } from './window.ts';

/** The input is no text, or not in an encoding that Kubernetes' tools read. */
export class NotText extends Error {}

/** The longest byte order mark. */
const MARK_BYTES = 3;
const UTF16_BLOCK = 256 * 1024;
/** How far a NUL is looked for. */
const NUL_BYTES = 64 * 1024;

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws {NotText} where the bytes are no UTF-8 */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return STRICT.decode(bytes);
  } catch {
    throw new NotText();
  }
};

const fillUp = (reader: ByteReader, target: Uint8Array): number => {
  let length = 0;
  for (let count = 1; count > 0 && length < target.length; length += count)
    count = reader.read(target.subarray(length));
  return length;
};

/** Gives what is already there first. */
const withHead = (head: Uint8Array, { read, close }: ByteReader): ByteReader => {
  let rest = head;
  return {
    read: (target) => {
      if (rest.length === 0) return read(target);
      const part = rest.subarray(0, target.length);
      target.set(part);
      rest = rest.subarray(part.length);
      return part.length;
    },
    close,
  };
};

const fromUtf16 = (encoding: string, reader: ByteReader): ByteReader => {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const encoder = new TextEncoder();
  const block = new Uint8Array(UTF16_BLOCK);
  let ready = new Uint8Array(0);
  let ended = false;
  return {
    read: (target) => {
      while (ready.length === 0 && !ended) {
        const count = fillUp(reader, block);
        ended = count < block.length;
        try {
          ready = encoder.encode(decoder.decode(block.subarray(0, count), { stream: !ended }));
        } catch {
          throw new NotText();
        }
      }
      const part = ready.subarray(0, target.length);
      target.set(part);
      ready = ready.subarray(part.length);
      return part.length;
    },
    close: reader.close,
  };
};

/**
 * A program, an archive or a picture has a NUL early on. One that comes later is a syntax error
 * like any other.
 */
const withoutNul = ({ read, close }: ByteReader): ByteReader => {
  let looked = 0;
  return {
    read: (target) => {
      const count = read(target);
      if (looked < NUL_BYTES && target.subarray(0, count).includes(0)) throw new NotText();
      looked += count;
      return count;
    },
    close,
  };
};

export interface Utf8Input {
  readonly reader: ByteReader;
  /** A part of what `reader` gave, once more; undefined where it cannot be had. */
  again(start: number, end: number): Uint8Array | undefined;
}

/** Opens a source. Reading throws NotText for what is no text. */
export const openUtf8 = (source: Source): Utf8Input => {
  const reader = source.open();
  const head = new Uint8Array(MARK_BYTES);
  const length = fillUp(reader, head);
  const [a, b, c] = head;
  const utf16 = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : '';
  if (utf16 !== '') {
    const whole = withHead(head.subarray(0, length), reader);
    return { reader: withoutNul(fromUtf16(utf16, whole)), again: () => undefined };
  }
  const skipped = a === 0xef && b === 0xbb && c === 0xbf ? MARK_BYTES : 0;
  return {
    reader: withoutNul(withHead(head.subarray(skipped, length), reader)),
    again: (start, end) => source.again(start + skipped, end + skipped),
  };
};
