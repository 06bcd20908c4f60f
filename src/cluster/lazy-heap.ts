/** Which of many candidates has the smallest key, where keys only ever grow. */

/**
 * A binary heap whose keys may be out of date: too small, never too large. The candidate on top is
 * looked at again until its key holds; then nobody else's can be smaller. Of equal keys the first
 * candidate's counts.
 */
export class LazyHeap {
  readonly #heap: Int32Array;
  /** By candidate. */
  readonly #keys: Float64Array;

  private constructor(heap: Int32Array, keys: Float64Array) {
    this.#heap = heap;
    this.#keys = keys;
  }

  /** Candidates 0 to `count`, with keys of which 0 is the smallest. */
  static of(count: number): LazyHeap {
    return new LazyHeap(
      Int32Array.from({ length: count }, (_, at) => at),
      new Float64Array(count),
    );
  }

  copy(): LazyHeap {
    return new LazyHeap(this.#heap.slice(), this.#keys.slice());
  }

  /** @param keyOf the key that a candidate has by now */
  top(keyOf: (candidate: number) => number): number | undefined {
    for (;;) {
      const candidate = this.#heap[0];
      if (candidate === undefined) return undefined;
      const key = keyOf(candidate);
      if (key === this.#keys[candidate]) return candidate;
      this.#keys[candidate] = key;
      this.#sink();
    }
  }

  #isBefore(a: number, b: number): boolean {
    const left = this.#keys[a] ?? 0;
    const right = this.#keys[b] ?? 0;
    return left < right || (left === right && a < b);
  }

  /** Moves the candidate on top to where it belongs. */
  #sink(): void {
    const heap = this.#heap;
    const moved = heap[0] ?? 0;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const left = heap[below];
      const right = heap[below + 1];
      if (left === undefined) break;
      let least = left;
      if (right !== undefined && this.#isBefore(right, left)) {
        least = right;
        below++;
      }
      if (!this.#isBefore(least, moved)) break;
      heap[at] = least;
      at = below;
    }
    heap[at] = moved;
  }
}
