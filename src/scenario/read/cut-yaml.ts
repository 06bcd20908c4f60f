/** Cuts YAML into documents without parsing it, and a document that is a long list into items. */
import {
  CutProblem,
  type ListNode,
  type Mark,
  MOST_UNIT_BYTES,
  type Shell,
  type Unit,
} from './unit.ts';
import { BLOCK_BYTES, type Window } from './window.ts';

/** A document up to this long stays whole: anchors hold all through it. */
const MOST_WHOLE_BYTES = BLOCK_BYTES;
/** Items of a longer one that are parsed together are about this long. */
const PIECE_BYTES = 64 * 1024;

const TAB = 9;
const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 32;
const HASH = 35;
const PERCENT = 37;
const DASH = 45;

const ITEMS = new TextEncoder().encode('items:');

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;
const isBreak = (byte: number | undefined): boolean =>
  byte === undefined || byte === LINE_FEED || byte === RETURN;

/** A document while it is read. */
interface Open {
  readonly start: Mark;
  content: boolean;
  directive: boolean;
  /** Where items are looked for: not yet, behind `items:`, between items, behind them. */
  phase: 'before' | 'key' | 'items' | 'behind';
  /** Offset behind the line `items:`. */
  headEnd: number;
  indent: number;
  /** Where the items begin that are not cut off yet. */
  piece: Mark;
  /** Once the first items were cut off. */
  list?: { readonly node: ListNode; readonly head: Uint8Array; tailStart?: Mark };
}

/**
 * The units of a stream of YAML documents, in order. A line that begins with `---` always starts a
 * document, inside quotes and block scalars too (YAML 1.2.2, 9.1.2), so an error ends with its
 * document. A document that is longer than `whole` and has `items:` as kubectl writes it, at the
 * left and with all its items at one indent, is cut between items.
 * @throws {CutProblem} for a document that is longer than any can be
 */
export function* cutYaml(
  window: Window,
  whole = MOST_WHOLE_BYTES,
  piece = PIECE_BYTES,
): Generator<Unit | Shell> {
  let { bytes } = window;
  /** Index where the current line begins, and behind its end. */
  let at = 0;
  let next = 0;
  /** Index of the first byte that is still needed. */
  let keep = 0;
  let line = 1;

  const mark = (): Mark => ({ offset: window.base + at, line, column: 1 });
  const begin = (): Open => ({
    start: mark(),
    content: false,
    directive: false,
    phase: 'before',
    headEnd: 0,
    indent: 0,
    piece: mark(),
  });

  /** Finds the end of the line that begins at `at`; false where the text ends. */
  const readLine = (): boolean => {
    let from = at;
    for (;;) {
      const end = bytes.indexOf(LINE_FEED, from);
      if (end >= 0) {
        next = end + 1;
        return true;
      }
      const known = bytes.length;
      if (bytes.length - keep > MOST_UNIT_BYTES || !window.fill(keep)) break;
      at -= keep;
      from = known - keep;
      keep = 0;
      ({ bytes } = window);
    }
    next = bytes.length;
    return at < next;
  };

  /** Whether there is more than blanks and a comment from an index on. */
  const hasContent = (index: number): boolean => {
    let found = index;
    while (isBlank(bytes[found])) found++;
    return !isBreak(bytes[found]) && bytes[found] !== HASH && found < next;
  };
  const isMarker = (): boolean => {
    if (bytes[at] !== DASH || bytes[at + 1] !== DASH || bytes[at + 2] !== DASH) return false;
    const behind = at + 3 < next ? bytes[at + 3] : undefined;
    return isBlank(behind) || isBreak(behind);
  };
  const isItemsKey = (): boolean =>
    ITEMS.every((byte, offset) => bytes[at + offset] === byte) && !hasContent(at + ITEMS.length);
  /** Spaces before an entry of a list; undefined where the line begins with something else. */
  const indentOfEntry = (): number | undefined => {
    let index = at;
    while (bytes[index] === SPACE) index++;
    if (bytes[index] !== DASH) return undefined;
    const behind = index + 1 < next ? bytes[index + 1] : undefined;
    return isBlank(behind) || isBreak(behind) ? index - at : undefined;
  };
  const isLeftOf = (indent: number): boolean => {
    let index = at;
    while (bytes[index] === SPACE) index++;
    return index - at <= indent;
  };

  /** Items up to here. */
  const cutItems = (open: Open): Unit => {
    open.list ??= {
      node: { parent: undefined, bare: false },
      head: bytes.slice(open.start.offset - window.base, open.headEnd - window.base),
    };
    const unit: Unit = {
      kind: 'items',
      start: open.piece,
      end: window.base + at,
      list: open.list.node,
      deep: false,
    };
    open.piece = mark();
    keep = at;
    return unit;
  };

  function* lookForItems(open: Open): Generator<Unit | Shell> {
    if (open.phase === 'before') {
      if (!isItemsKey()) return;
      open.phase = 'key';
      open.headEnd = window.base + next;
    } else if (open.phase === 'key') {
      if (!hasContent(at)) return;
      const indent = indentOfEntry();
      open.phase = indent === undefined ? 'before' : 'items';
      open.indent = indent ?? 0;
      open.piece = mark();
    } else if (open.phase === 'items') {
      if (!hasContent(at) || !isLeftOf(open.indent)) return;
      const offset = window.base + at;
      if (indentOfEntry() === open.indent) {
        const long = offset - open.start.offset > whole && offset - open.piece.offset > piece;
        if (long) yield cutItems(open);
        return;
      }
      open.phase = 'behind';
      if (!open.list) return;
      yield cutItems(open);
      open.list.tailStart = mark();
    }
  }

  function* close(open: Open): Generator<Unit | Shell> {
    if (!open.content && !open.directive) return;
    const { start, list } = open;
    if (!list) {
      yield { kind: 'yaml', start, end: window.base + at, list: undefined, deep: false };
      return;
    }
    if (!list.tailStart) yield cutItems(open);
    const tailStart = list.tailStart ?? mark();
    const { node, head } = list;
    const tail = bytes.slice(tailStart.offset - window.base, at);
    yield { kind: 'shell', format: 'yaml', node, start, head, tailStart, tail };
  }

  let open = begin();
  while (readLine()) {
    if (bytes.length - keep > MOST_UNIT_BYTES)
      throw new CutProblem('too-large', `is longer than ${MOST_UNIT_BYTES >> 20} MiB`, open.start);
    if (isMarker()) {
      // Directives belong to the document behind the marker.
      if (open.content || !open.directive) {
        yield* close(open);
        open = begin();
        keep = at;
      }
      open.content = hasContent(at + 3);
    } else {
      const first = bytes[at];
      if (first === PERCENT) open.directive = true;
      else if (!open.content) open.content = hasContent(at);
      yield* lookForItems(open);
    }
    at = next;
    line++;
  }
  yield* close(open);
}
