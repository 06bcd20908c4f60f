/** A Kubernetes object as it was read: plain JSON, and where each of its fields stands. */
import type { Place } from './cluster.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export type Path = readonly (string | number)[];

/**
 * The place of a field, of its value or of its key. What has no place of its own (a field merged
 * from an anchor, or missing) has that of the nearest field around it.
 */
export type PlaceOf = (path: Path, of?: 'value' | 'key') => Place;

export interface KubeObject {
  readonly value: JsonObject;
  readonly place: PlaceOf;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `['spec', 'containers', 0, 'name']` → `spec.containers[0].name`. */
export const formatPath = (path: Path): string => {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
};

/** Own properties only: a key that is called `constructor` is a key like any other. */
export const valueBelow = (value: Json | undefined, key: string | number): Json | undefined =>
  value === null || typeof value !== 'object' || !Object.hasOwn(value, key)
    ? undefined
    : (value as { readonly [key: string | number]: Json })[key];

export const valueAt = (value: Json | undefined, path: Path): Json | undefined => {
  let found: Json | undefined = value;
  for (const key of path) found = valueBelow(found, key);
  return found;
};

/** The same text for equal values, whatever order their keys are in. */
export const canonicalJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isObject(value))
    return `{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`)
      .join(',')}}`;
  return JSON.stringify(value);
};
