/** Reads the expressions of selectors of labels and of nodes' fields. */
import { type Field, fieldAt, listOf, textOf, textsOf, warn } from './field.ts';
import type { Requirement, Selector } from './selector.ts';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;

/** Those of a LabelSelector: only terms about nodes compare numbers. */
export const LABEL_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** `matchExpressions` or `matchFields`. An expression that makes no sense matches nothing. */
export const readRequirements = (
  field: Field,
  operators: readonly Requirement['operator'][] = OPERATORS,
): Selector =>
  listOf(field).map((item) => {
    const key = textOf(fieldAt(item, 'key')) ?? '';
    const text = textOf(fieldAt(item, 'operator'));
    const operator = operators.find((known) => known === text);
    const values = textsOf(fieldAt(item, 'values'));
    if (operator) return { key, operator, values };
    warn(
      fieldAt(item, 'operator'),
      'unknown-operator',
      text === undefined ? 'is missing' : `is ${JSON.stringify(text)}`,
      `Operators are ${operators.join(', ')}.`,
    );
    return { key, operator: 'In', values: [] };
  });
