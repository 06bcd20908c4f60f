/** Fields that a kind does not have: a slip of spelling or of indentation that changes the meaning. */
import { entriesOf, type Field, isObjectField, listOf, shown, warn } from '../field.ts';
import { didYouMean, nearest } from '../nearest.ts';

/**
 * Reports the fields of an object that are none of its kind's; the API server leaves them out.
 *
 * @param hints what to do about a field that is known from elsewhere
 */
export const reportUnknown = (
  field: Field,
  known: readonly string[],
  hints: Readonly<Record<string, string>> = {},
): void => {
  for (const [key, item] of entriesOf(field)) {
    if (known.includes(key)) continue;
    const hint = Object.hasOwn(hints, key) ? hints[key] : didYouMean(nearest(key, known, 1));
    warn(item, 'unknown-field', 'is no field of it, and counts for nothing', hint, 'key');
  }
};

/** Items of a list; an object in its place counts as its only item. */
export const itemsOf = (field: Field): Field[] => {
  if (!isObjectField(field)) return listOf(field);
  warn(
    field,
    'wrong-type',
    `is ${shown(field.value)}; Kubernetes wants a list`,
    'Put a dash before the first key of each item.',
  );
  return [field];
};

/** Whether the field is written at all; null is not. */
export const isWritten = ({ value }: Field): boolean => value !== undefined && value !== null;

/** More items than the API takes. */
export const reportLength = (field: Field, most: number): void => {
  const { value } = field;
  if (Array.isArray(value) && value.length > most)
    warn(field, 'too-many', `has ${value.length} items; the API takes ${most} at most`);
};
