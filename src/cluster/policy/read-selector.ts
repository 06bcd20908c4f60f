/** Selectors of Pods, namespaces and nodes as policies have them. */
import {
  entriesOf,
  type Field,
  fieldAt,
  isObjectField,
  listOf,
  shown,
  textMapOf,
  warn,
} from '../field.ts';
import { LABEL_OPERATORS, readRequirements } from '../requirement.ts';
import { equalities, type Selector } from '../selector.ts';
import { isWritten } from './known-fields.ts';

/** Matches nothing. */
export const NOTHING: Selector = [{ key: '', operator: 'In', values: [] }];

/** apimachinery's IsValidLabelValue (v1.34). */
const LABEL_VALUE = /^(?:(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const LONGEST_VALUE = 63;

const checkValue = (field: Field): void => {
  const { value } = field;
  if (typeof value !== 'string' || (LABEL_VALUE.test(value) && value.length <= LONGEST_VALUE))
    return;
  warn(field, 'bad-label', `is ${shown(value)}, which no label can have`);
};

const WITH_VALUES = ['In', 'NotIn'];
const WITHOUT_VALUES = ['Exists', 'DoesNotExist'];

const checkExpression = (field: Field): void => {
  const operator = fieldAt(field, 'operator').value;
  const values = fieldAt(field, 'values');
  const count = Array.isArray(values.value) ? values.value.length : 0;
  if (fieldAt(field, 'key').value === undefined) warn(field, 'missing-field', 'has no key');
  if (typeof operator !== 'string') return;
  if (WITH_VALUES.includes(operator)) {
    if (count === 0)
      warn(
        field,
        'missing-field',
        `has no values, which ${operator} needs`,
        operator === 'In' ? 'It matches nothing.' : 'It matches everything.',
      );
    for (const value of Array.isArray(values.value) ? listOf(values) : []) checkValue(value);
  } else if (count > 0 && WITHOUT_VALUES.includes(operator)) {
    warn(values, 'not-used', `count for nothing with ${operator}`);
  }
};

/**
 * A LabelSelector of a policy (apimachinery v1.34, ValidateLabelSelector). Absent: it is empty and
 * matches everything. What is no object matches nothing.
 */
export const readSelector = (field: Field): Selector => {
  if (!isWritten(field)) return [];
  if (!isObjectField(field)) {
    warn(
      field,
      'wrong-type',
      `is ${shown(field.value)}; Kubernetes wants a selector`,
      'Write matchLabels: {app: web} below it; {} matches everything.',
    );
    return NOTHING;
  }
  for (const [key, item] of entriesOf(field))
    if (key !== 'matchLabels' && key !== 'matchExpressions')
      warn(item, 'unknown-field', 'is no part of a selector', 'Put it below matchLabels.', 'key');
  const labels = fieldAt(field, 'matchLabels');
  if (isObjectField(labels))
    for (const key of Object.keys(labels.value)) checkValue(fieldAt(labels, key));
  const expressions = fieldAt(field, 'matchExpressions');
  if (Array.isArray(expressions.value)) listOf(expressions).forEach(checkExpression);
  return [...equalities(textMapOf(labels)), ...readRequirements(expressions, LABEL_OPERATORS)];
};
