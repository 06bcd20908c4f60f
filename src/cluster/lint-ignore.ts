/** Annotations by which an object asks not to be told of a finding of `k8snet lint`. */
import type { ObjectRef, Place } from './cluster.ts';
import { type Field, fieldAt, placeBelow } from './field.ts';
import type { Path } from './kube-object.ts';
import { LINT_IGNORE } from './lint-annotation.ts';

export interface LintIgnore {
  readonly object: ObjectRef;
  /** `CODE: reason; CODE: reason`, as it is written. */
  readonly text: string;
  /** Where the annotation stands, and where its object begins. */
  readonly place: Place;
  readonly start: Place;
}

const PLACES: readonly Path[] = [
  ['metadata', 'annotations'],
  ['spec', 'template', 'metadata', 'annotations'],
];

/** Those of an object, and those of its template, which count for it all the same. */
export const readLintIgnores = (object: Field, ref: ObjectRef): LintIgnore[] =>
  PLACES.flatMap(([first = '', ...rest]) => {
    const field = fieldAt(object, first, ...rest, LINT_IGNORE);
    const { value } = field;
    if (typeof value !== 'string') return [];
    return [{ object: ref, text: value, place: placeBelow(field), start: placeBelow(object) }];
  });
