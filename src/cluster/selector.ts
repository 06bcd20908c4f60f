/** Label selectors and node selector terms (k8s.io/apimachinery, labels; component-helpers). */
import {
  entriesOf,
  type Field,
  fieldAt,
  listOf,
  textMapOf,
  textOf,
  textsOf,
  warn,
} from './field.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values: readonly string[];
}

/** All requirements hold. */
export type Selector = readonly Requirement[];

const labelOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

const integer = (text: string | undefined): number =>
  text !== undefined && /^-?\d+$/.test(text) ? Number(text) : Number.NaN;

const holds = ({ key, operator, values }: Requirement, labels: Labels): boolean => {
  const label = labelOf(labels, key);
  switch (operator) {
    case 'In':
      return label !== undefined && values.includes(label);
    case 'NotIn':
      return label === undefined || !values.includes(label);
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
    case 'Gt':
      return integer(label) > integer(values[0]);
    case 'Lt':
      return integer(label) < integer(values[0]);
    default: {
      const never: never = operator;
      throw new TypeError(`not an operator: ${never}`);
    }
  }
};

/** An empty selector matches everything. */
export const matches = (selector: Selector, labels: Labels): boolean =>
  selector.every((requirement) => holds(requirement, labels));

export const equalities = (labels: Labels): Selector =>
  Object.entries(labels).map(([key, value]) => ({ key, operator: 'In', values: [value] }));

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;

/** `matchExpressions` or `matchFields`. An expression that makes no sense matches nothing. */
export const readRequirements = (field: Field): Selector =>
  listOf(field).map((item) => {
    const key = textOf(fieldAt(item, 'key')) ?? '';
    const text = textOf(fieldAt(item, 'operator'));
    const operator = OPERATORS.find((known) => known === text);
    const values = textsOf(fieldAt(item, 'values'));
    if (operator) return { key, operator, values };
    warn(
      fieldAt(item, 'operator'),
      'unknown-operator',
      text === undefined ? 'is missing' : `is ${JSON.stringify(text)}`,
      `Operators are ${OPERATORS.join(', ')}.`,
    );
    return { key, operator: 'In', values: [] };
  });

/** A LabelSelector: `matchLabels` and `matchExpressions` together. */
export const readLabelSelector = (field: Field): Selector => {
  const known = ['matchLabels', 'matchExpressions'];
  for (const [key, item] of entriesOf(field)) {
    if (!known.includes(key))
      warn(item, 'unknown-field', 'is no part of a selector', `Put it below matchLabels.`);
  }
  return [
    ...equalities(textMapOf(fieldAt(field, 'matchLabels'))),
    ...readRequirements(fieldAt(field, 'matchExpressions')),
  ];
};
