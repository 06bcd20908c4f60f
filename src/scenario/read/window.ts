/** A moving window over the bytes of one input: what cutters look at, never the whole of it. */

/** Bytes from somewhere, in order. */
export interface ByteReader {
  /** Fills `target` from its start, as far as there is something; 0 is the end. */
  read(target: Uint8Array): number;
  close(): void;
}

export interface Window {
  /** What is here now. Filling replaces it and leaves the old array as it is. */
  readonly bytes: Uint8Array;
  /** Offset of `bytes[0]` in the input. */
  readonly base: number;
  /** Nothing comes behind `bytes`. */
  readonly done: boolean;
  /**
   * Goes on: keeps what begins at index `keep`, and puts more behind it. Indexes move down by
   * `keep`.
   * @returns false at the end of the input, where nothing changes
   */
  fill(keep: number): boolean;
}

/** Bytes that are read at once, and about what is parsed at once. */
export const BLOCK_BYTES = 1024 * 1024;

/** @param block bytes to read at once; more where more is kept, so that long items do not cost */
export const openWindow = (reader: ByteReader, block = BLOCK_BYTES): Window => {
  let bytes = new Uint8Array(0);
  let base = 0;
  let done = false;
  const fill = (keep: number): boolean => {
    if (done) return false;
    const kept = bytes.length - keep;
    const next = new Uint8Array(kept + Math.max(block, kept));
    next.set(bytes.subarray(keep));
    let length = kept;
    while (length < next.length && !done) {
      const count = reader.read(next.subarray(length));
      length += count;
      done = count === 0;
    }
    if (length === kept) return false;
    base += keep;
    bytes = next.subarray(0, length);
    return true;
  };
  return {
    get bytes() {
      return bytes;
    },
    get base() {
      return base;
    },
    get done() {
      return done;
    },
    fill,
  };
};
