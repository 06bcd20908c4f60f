/** Label selectors and node selector terms (k8s.io/apimachinery, labels; component-helpers). */

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
