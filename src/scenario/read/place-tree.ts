/** Where the fields of one document stand, as offsets into its file. */
import type { Place } from '../../cluster/cluster.ts';
import type { Path } from '../../cluster/kube-object.ts';

/** A place in a text has a line. */
export type TextPlace = Required<Place>;

export interface PlaceNode {
  /** Offset of the value; of the key where the value is left empty. */
  value: number;
  /** Offset of the key, or of the value where there is none (items of a list, the root). */
  readonly key: number;
  readonly children: Map<string | number, PlaceNode>;
}

export const placeNode = (value: number, key: number): PlaceNode => ({
  value,
  key,
  children: new Map(),
});

/** The offset of the field, or of the nearest one around it that has a place. */
export const offsetOf = (root: PlaceNode, path: Path, of: 'value' | 'key'): number => {
  let node = root;
  for (const key of path) {
    const child = node.children.get(key);
    if (!child) return node[of];
    node = child;
  }
  return node[of];
};

/**
 * Turns offsets into lines and columns; the lines of a text are found when first needed.
 * @param start where the text begins in its file
 */
export const createLocator = (start: TextPlace, text: string): ((offset: number) => TextPlace) => {
  const { file } = start;
  let starts: number[] | undefined;
  const lineStarts = (): number[] => {
    const found = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      found.push(at + 1);
    return found;
  };
  return (offset) => {
    starts ??= lineStarts();
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const column = offset - (starts[low] ?? 0);
    return { file, line: start.line + low, column: column + (low === 0 ? start.column : 1) };
  };
};
