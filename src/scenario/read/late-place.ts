/** Objects and places of large inputs: nothing is kept of them but where they can be found again. */
import type { JsonObject, KubeObject, Path, PlaceOf } from '../../cluster/kube-object.ts';
import { documentOf, type Pack, unitOf, unpack } from './pack.ts';
import { type ParseYaml, parseUnit } from './parse-unit.ts';
import { createLocator, offsetOf, type PlaceNode, type TextPlace } from './place-tree.ts';
import { withKind } from './unfold.ts';
import type { Unit } from './unit.ts';
import { decodeUtf8 } from './utf8.ts';

/** Fields whose places are looked up by reading their object again; then its own place will do. */
const MOST_LOOKUPS = 2000;

/** Finds places of one input by reading parts of it again. */
export interface PlaceFinder {
  readonly file: string;
  /** Equal paths once: every Pod has the same ones. */
  shared(path: Path): Path;
  find(unit: Unit, document: number, path: Path, of: 'value' | 'key'): TextPlace;
}

interface Known {
  readonly unit: Unit;
  readonly trees: readonly (() => PlaceNode)[];
  readonly locate: (offset: number) => TextPlace;
}

/** @param again a part of the input as UTF-8; undefined where it is gone */
export const createFinder = (
  file: string,
  again: (start: number, end: number) => Uint8Array | undefined,
  parseYaml: ParseYaml | undefined,
): PlaceFinder => {
  let known: Known | undefined;
  let lookups = 0;
  const look = (unit: Unit): Known | undefined => {
    const bytes = again(unit.start.offset, unit.end);
    if (!bytes) return undefined;
    try {
      const text = decodeUtf8(bytes);
      const { documents } = parseUnit(unit, text, parseYaml, true);
      const start = { file, line: unit.start.line, column: unit.start.column };
      return {
        unit,
        trees: documents.map(({ places }) => places),
        locate: createLocator(start, text),
      };
    } catch {
      // The file is another one by now.
      return undefined;
    }
  };
  const paths = new Map<string, Path>();
  return {
    file,
    shared: (path) => {
      const key = path.join('\n');
      const found = paths.get(key);
      if (found) return found;
      paths.set(key, path);
      return path;
    },
    find: (unit, document, path, of) => {
      const { line, column } = unit.start;
      // A JSON value begins where its unit does.
      if (unit.kind === 'json' && path.length === 0) return { file, line, column };
      if (known?.unit !== unit) {
        known = lookups < MOST_LOOKUPS ? look(unit) : undefined;
        lookups++;
      }
      const tree = known?.trees[document];
      return known && tree ? known.locate(offsetOf(tree(), path, of)) : { file, line, column };
    },
  };
};

/** A place that is found when somebody looks at it. */
class LatePlace implements TextPlace {
  readonly #object: PackedObject;
  readonly #path: Path;
  readonly #of: 'value' | 'key';
  constructor(object: PackedObject, path: Path, of: 'value' | 'key') {
    this.#object = object;
    this.#path = path;
    this.#of = of;
  }
  get file(): string {
    return this.#object.home.finder.file;
  }
  get line(): number {
    return this.toJSON().line;
  }
  get column(): number {
    return this.toJSON().column;
  }
  toJSON(): TextPlace {
    return this.#object.find(this.#path, this.#of);
  }
}

/** The units of a batch, and what was found in them. */
export interface PackHome {
  /** Without its values when nobody asks for them any more. */
  pack: Pack;
  readonly units: readonly Unit[];
  readonly finder: PlaceFinder;
}

const WHOLE: Path = [];

/** An object that is taken out of its pack, and found in its file, each time it is looked at. */
export class PackedObject implements KubeObject {
  readonly home: PackHome;
  readonly #index: number;
  /** @param index of its entry in the pack */
  constructor(home: PackHome, index: number) {
    this.home = home;
    this.#index = index;
  }

  get unit(): Unit {
    const { pack, units } = this.home;
    const unit = units[unitOf(pack, this.#index)];
    if (!unit) throw new RangeError('a packed object without a unit');
    return unit;
  }

  /** A text where no object was found. */
  get found(): unknown {
    return unpack(this.home.pack, this.#index);
  }

  get value(): JsonObject {
    return withKind(this.found, this.unit.list?.header) as JsonObject;
  }

  /** Of its own for everybody who asks, so that it can be passed on. */
  get place(): PlaceOf {
    return (path, of = 'value') => new LatePlace(this, this.home.finder.shared(path), of);
  }

  find(path: Path, of: 'value' | 'key'): TextPlace {
    const { pack, finder } = this.home;
    const above = pack.paths.get(this.#index) ?? WHOLE;
    return finder.find(this.unit, documentOf(pack, this.#index), [...above, ...path], of);
  }
}
