/** What cutters cut: pieces of a text that can be parsed on their own, and the lists they stand in. */

/** A place in a text, while it is read. */
export interface Mark {
  /** In bytes. */
  readonly offset: number;
  readonly line: number;
  /** In UTF-16 code units. */
  readonly column: number;
}

/** A list whose items are cut one by one. What it is shows when it ends. */
export interface ListNode {
  readonly parent: ListNode | undefined;
  /** Items in brackets and nothing around them. */
  readonly bare: boolean;
  /**
   * Of the object around the items: what stands before them, then all of it. Undefined in the end:
   * no list after all.
   */
  header?: ListHeader | undefined;
}

export interface ListHeader {
  readonly apiVersion: string;
  /** Of an item that has none: `Pod` in a PodList; empty in a List. */
  readonly itemKind: string;
}

export interface Unit {
  /** `items`: entries of a YAML list. */
  readonly kind: 'json' | 'yaml' | 'items';
  readonly start: Mark;
  /** Offset behind it, in bytes. */
  readonly end: number;
  readonly list: ListNode | undefined;
  /** Brackets that are nested too deep to be parsed without counting them. */
  readonly deep: boolean;
}

/** The object around a list that was cut out of it. */
export interface Shell {
  readonly kind: 'shell';
  readonly format: 'json' | 'yaml';
  readonly node: ListNode;
  readonly start: Mark;
  /** What stands before its items. */
  readonly head: Uint8Array;
  readonly tailStart: Mark;
  /** What stands behind them. */
  readonly tail: Uint8Array;
}

/** Cutting ends here: what comes cannot be told apart. */
export class CutProblem extends Error {
  readonly code: 'syntax' | 'too-large';
  readonly at: Mark;
  constructor(code: 'syntax' | 'too-large', message: string, at: Mark) {
    super(message);
    this.code = code;
    this.at = at;
  }
}

/**
 * Longer than any object: etcd takes 1.5 MiB. While one grows, what is read lies in memory twice and
 * more, so that this bounds what an item that never ends takes.
 */
export const MOST_UNIT_BYTES = 128 * 1024 * 1024;

export const MOST_NESTED_LISTS = 8;
