/** Read documents as plain JSON and back: the built-in scenario needs no parser when it is used. */
import type { Place } from '../cluster/cluster.ts';
import type { KubeObject, Path } from '../cluster/kube-object.ts';
import { isObject, type Json, type JsonObject } from '../cluster/kube-object.ts';

/** Line and column of the value, then of the key. */
type FrozenPlace = readonly [number, number, number, number];

export interface FrozenObject {
  readonly file: string;
  readonly value: JsonObject;
  /** By path, its keys joined with line feeds, which no field name has. */
  readonly places: Readonly<Record<string, FrozenPlace>>;
}

const joined = (path: Path): string => path.join('\n');

const pathsOf = (value: Json, path: Path): Path[] => {
  if (Array.isArray(value))
    return [path, ...value.flatMap((item: Json, at) => pathsOf(item, [...path, at]))];
  if (!isObject(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]))];
};

export const freezeObject = (object: KubeObject): FrozenObject => ({
  file: object.place([]).file,
  value: object.value,
  places: Object.fromEntries(
    pathsOf(object.value, []).map((path): [string, FrozenPlace] => {
      const value = object.place(path, 'value');
      const key = object.place(path, 'key');
      return [joined(path), [value.line ?? 1, value.column ?? 1, key.line ?? 1, key.column ?? 1]];
    }),
  ),
});

export const thawObject = ({ file, value, places }: FrozenObject): KubeObject => ({
  value,
  place: (path, of = 'value'): Place => {
    for (let length = path.length; length >= 0; length--) {
      const key = joined(path.slice(0, length));
      const found = Object.hasOwn(places, key) ? places[key] : undefined;
      if (!found) continue;
      const [line, column, keyLine, keyColumn] = found;
      return of === 'value' ? { file, line, column } : { file, line: keyLine, column: keyColumn };
    }
    return { file, line: 1, column: 1 };
  },
});
