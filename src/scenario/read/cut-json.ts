/** Cuts JSON into items without parsing it: values in a row, and the items of lists inside them. */
import { MAX_DEPTH } from './json.ts';
import { headerOf } from './unfold.ts';
import {
  CutProblem,
  type ListNode,
  type Mark,
  MOST_NESTED_LISTS,
  MOST_UNIT_BYTES,
  type Shell,
  type Unit,
} from './unit.ts';
import { decodeUtf8 } from './utf8.ts';
import type { Window } from './window.ts';

const TAB = 9;
const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const DASH = 45;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const FIRST_NOT_ASCII = 0x80;

const ITEMS = new TextEncoder().encode('"items"');
const SCALAR_START = new Set(new TextEncoder().encode('"-0123456789tfn'));

const isSpace = (byte: number | undefined): boolean =>
  byte === SPACE || byte === LINE_FEED || byte === RETURN || byte === TAB;

const SPACES = 0x20202020;

/**
 * Whether none of four bytes of a string means anything: no quote or line break (nor anything else
 * below `#`), no backslash, nothing beyond ASCII. Bits of a word as in Bit Twiddling Hacks, hasless.
 */
const isPlain = (word: number): boolean => {
  const backslashes = word ^ 0x5c5c5c5c;
  const odd = ((word - 0x23232323) & ~word) | word | ((backslashes - 0x01010101) & ~backslashes);
  return (odd & 0x80808080) === 0;
};

/** Bytes that do not count in a column: it counts UTF-16 code units, of which four bytes are two. */
const uncounted = (byte: number): number => (byte >= 0xf0 ? -1 : byte < 0xc0 ? 1 : 0);

interface Skim {
  depth: number;
  deepest: number;
  inString: boolean;
  /** Lines that began in the block, and the index where the last of them did. */
  lines: number;
  lastLine: number;
  /** Bytes that do not count in a column, since then. */
  wide: number;
}

/**
 * Skims one block from an index on: all of a large input goes through here, byte by byte.
 * @param open stops behind a bracket `[` one level down
 * @returns the index behind what was looked at; negative for such a bracket, which is not counted
 */
const skimBlock = (block: Uint8Array, from: number, open: boolean, state: Skim): number => {
  const { length } = block;
  const view = new DataView(block.buffer, block.byteOffset, length);
  const lastWord = length - 4;
  let { depth, deepest, inString, lines, lastLine, wide } = state;
  let index = from;
  let bracket = false;
  while (index < length && depth > 0 && !bracket) {
    let byte = inString ? QUOTE : (block[index++] as number);
    if (byte === SPACE) {
      while (index <= lastWord && view.getInt32(index, true) === SPACES) index += 4;
      while (index < length && block[index] === SPACE) index++;
    } else if (byte === QUOTE) {
      inString = true;
      while (index <= lastWord && isPlain(view.getInt32(index, true))) index += 4;
      while (index < length) {
        byte = block[index++] as number;
        if (byte === BACKSLASH) index++;
        else if (byte >= FIRST_NOT_ASCII) wide += uncounted(byte);
        else if (byte === QUOTE || byte === LINE_FEED) {
          inString = false;
          break;
        }
      }
      // The string goes on in the next block.
      if (inString) break;
    }
    if (byte === LINE_FEED) {
      lines++;
      lastLine = index;
      wide = 0;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (open && depth === 1 && byte === OPEN_BRACKET) bracket = true;
      else if (++depth > deepest) deepest = depth;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    } else if (byte >= FIRST_NOT_ASCII) {
      wide += uncounted(byte);
    }
  }
  state.depth = depth;
  state.deepest = deepest;
  state.inString = inString;
  state.lines = lines;
  state.lastLine = lastLine;
  state.wide = wide;
  return bracket ? -index : index;
};

/** What stands before the items may say what they are. */
const earlyHeader = (head: Uint8Array): ListNode['header'] => {
  try {
    return headerOf(JSON.parse(`${decodeUtf8(head)}]}`), () => false);
  } catch {
    return undefined;
  }
};

/**
 * The units of a stream of JSON values, in order. Lists (objects with `items`, and bare arrays) are
 * opened, nested ones too. Only brackets and strings are looked at, so a unit may be wrong inside;
 * a line break ends a string, which no string has, so that a missing quote costs one line.
 * @throws {CutProblem} where the structure around items is wrong
 */
export function* cutJson(window: Window): Generator<Unit | Shell> {
  let { bytes } = window;
  let at = 0;
  /** Index of the first byte that is still needed. */
  let keep = 0;
  let line = 1;
  let lineStart = 0;
  let notCounted = 0;
  let deep = false;

  const mark = (index = at): Mark => {
    const offset = window.base + index;
    return { offset, line, column: offset - lineStart - notCounted + 1 };
  };
  const more = (): boolean => {
    if (bytes.length - keep > MOST_UNIT_BYTES) return false;
    if (!window.fill(keep)) return false;
    at -= keep;
    keep = 0;
    ({ bytes } = window);
    return at < bytes.length || more();
  };
  const lineBreak = (): void => {
    line++;
    lineStart = window.base + at;
    notCounted = 0;
  };
  const fail = (wanted: string): never => {
    const found = bytes[at];
    let what = 'the end of the text';
    if (found !== undefined) {
      while (bytes.length - at < 4 && window.fill(keep)) {
        at -= keep;
        keep = 0;
        ({ bytes } = window);
      }
      const size = found < FIRST_NOT_ASCII ? 1 : found < 0xe0 ? 2 : found < 0xf0 ? 3 : 4;
      what = JSON.stringify(decodeUtf8(bytes.subarray(at, at + size)).slice(0, 1));
    }
    throw new CutProblem('syntax', `expected ${wanted}, found ${what}`, mark());
  };

  /** Moves to the next byte that is no white space; undefined at the end. */
  const space = (): number | undefined => {
    for (;;) {
      keep = Math.min(at, bytes.length);
      if (at >= bytes.length && !more()) return undefined;
      const byte = bytes[at];
      if (!isSpace(byte)) return byte;
      at++;
      if (byte === LINE_FEED) lineBreak();
    }
  };

  /** Moves behind a string whose quote was passed. */
  const string = (): void => {
    while (at < bytes.length || more()) {
      const byte = bytes[at++] as number;
      if (byte === QUOTE) return;
      if (byte === BACKSLASH) at++;
      else if (byte === LINE_FEED) {
        lineBreak();
        return;
      } else if (byte >= FIRST_NOT_ASCII) notCounted += uncounted(byte);
    }
  };

  /** Whether what stands before the bracket that was passed is the key `items`. */
  const behindItems = (): boolean => {
    let index = at - 2;
    while (isSpace(bytes[index])) index--;
    if (bytes[index--] !== COLON) return false;
    while (isSpace(bytes[index])) index--;
    index -= ITEMS.length - 1;
    if (index <= keep || !ITEMS.every((byte, offset) => bytes[index + offset] === byte))
      return false;
    index--;
    while (isSpace(bytes[index])) index--;
    return bytes[index] === COMMA || bytes[index] === OPEN_BRACE;
  };

  /**
   * Moves behind the bracket that closes the one that was passed; with `open` only behind the one
   * that opens the items of the object.
   */
  const skim = (open: boolean): 'end' | 'items' => {
    const state = { depth: 1, deepest: 1, inString: false, lines: 0, lastLine: 0, wide: 0 };
    while (at < bytes.length || more()) {
      const bracket = skimBlock(bytes, at, open, state);
      const { lines, lastLine, wide } = state;
      at = Math.abs(bracket);
      line += lines;
      if (lines > 0) {
        lineStart = window.base + lastLine;
        notCounted = 0;
      }
      notCounted += wide;
      state.lines = 0;
      state.wide = 0;
      if (state.deepest > MAX_DEPTH) deep = true;
      if (state.depth === 0) return 'end';
      if (bracket > 0) continue;
      if (behindItems()) return 'items';
      state.depth++;
    }
    return 'end';
  };

  const word = (): void => {
    while (at < bytes.length || more()) {
      const byte = bytes[at] as number;
      if (isSpace(byte) || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return;
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET || byte === QUOTE) return;
      if (byte >= FIRST_NOT_ASCII) notCounted += uncounted(byte);
      at++;
    }
  };

  /** The unit from `start` up to here. */
  const unit = (start: Mark, list: ListNode | undefined): Unit => {
    at = Math.min(at, bytes.length);
    if (!window.done && at - keep > MOST_UNIT_BYTES)
      throw new CutProblem('too-large', `is longer than ${MOST_UNIT_BYTES >> 20} MiB`, start);
    const end = window.base + at;
    return { kind: 'json', start, end, list, deep };
  };

  function* value(list: ListNode | undefined, depth: number): Generator<Unit | Shell> {
    keep = at;
    deep = false;
    const start = mark();
    const byte = bytes[at] as number;
    const open = depth < MOST_NESTED_LISTS;
    if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET && !SCALAR_START.has(byte)) fail('a value');
    at++;
    if (byte === OPEN_BRACKET && open) {
      yield* elements({ parent: list, bare: true }, depth + 1);
      return;
    }
    if (byte === QUOTE) string();
    else if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) word();
    else if (skim(open && byte === OPEN_BRACE) === 'items') {
      const head = bytes.slice(keep, at);
      const node: ListNode = { parent: list, bare: false, header: earlyHeader(head) };
      yield* elements(node, depth + 1);
      keep = at - 1;
      const tailStart = mark(keep);
      skim(false);
      at = Math.min(at, bytes.length);
      const tail = bytes.slice(keep, at);
      yield { kind: 'shell', format: 'json', node, start, head, tailStart, tail };
      return;
    }
    yield unit(start, list);
  }

  /** The items of a list whose bracket was passed, and its end. */
  function* elements(list: ListNode, depth: number): Generator<Unit | Shell> {
    if (space() === CLOSE_BRACKET) {
      at++;
      return;
    }
    for (;;) {
      if (space() === undefined) fail('a value');
      yield* value(list, depth);
      const next = space();
      if (next !== COMMA && next !== CLOSE_BRACKET) fail('a comma or ]');
      at++;
      if (next === CLOSE_BRACKET) return;
    }
  }

  /** Whether a line `---` begins here; kubectl reads it between JSON values too. */
  const isMarker = (): boolean => {
    if (bytes[at] !== DASH || mark().column !== 1) return false;
    while (bytes.length - at < 4 && window.fill(keep)) {
      at -= keep;
      keep = 0;
      ({ bytes } = window);
    }
    const behind = bytes[at + 3];
    return (
      bytes[at + 1] === DASH && bytes[at + 2] === DASH && (behind === undefined || isSpace(behind))
    );
  };

  while (space() !== undefined) {
    if (isMarker()) at += 3;
    else yield* value(undefined, 0);
  }
}
