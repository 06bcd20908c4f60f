/** A document of ours held against its schema: every problem at its place, in words. */
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import { shown } from '../cluster/field.ts';
import {
  formatPath,
  type Json,
  type KubeObject,
  type Path,
  valueAt,
} from '../cluster/kube-object.ts';
import { didYouMean, nearest } from '../cluster/nearest.ts';
import type { z } from './zod.ts';

type Issue = z.core.$ZodIssue;

const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['string', 'a string'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['tuple', 'a list of two'],
  ['object', 'an object'],
  ['record', 'an object'],
]);

const pathOf = (issue: Issue): Path =>
  issue.path.filter((key) => typeof key === 'string' || typeof key === 'number');

/** The fields that the schema knows at a path: what an unknown one may have been meant to be. */
const knownKeys = (schema: z.core.$ZodType, path: Path): string[] => {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const [head, ...rest] = path;
  switch (def.type) {
    case 'optional':
      return knownKeys(def.innerType, path);
    case 'object': {
      if (head === undefined) return Object.keys(def.shape);
      const inner = Object.hasOwn(def.shape, head) ? def.shape[head] : undefined;
      return inner ? knownKeys(inner, rest) : [];
    }
    case 'array':
      return knownKeys(def.element, rest);
    case 'union':
      return def.options.flatMap((option) => knownKeys(option, path));
    default:
      return [];
  }
};

interface Problem {
  readonly code: string;
  readonly path: Path;
  readonly of: 'key' | 'value';
  readonly message: string;
  readonly hint?: string | undefined;
}

/** More are only listed where none of them is near to what was written. */
const MOST_LISTED = 12;

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? shown(values[0]) : `one of ${values.map(String).join(', ')}`;

/** What is checked, and what messages call it. */
interface Checked {
  readonly schema: z.core.$ZodType;
  readonly title: string;
}

/** What an issue of zod means to a person; `value` is what is found at its path. */
const explain = (
  { schema, title }: Checked,
  issue: Issue,
  path: Path,
  value: Json | undefined,
): Problem[] => {
  const field = formatPath(path) || `the ${title}`;
  const bad = (expected: string, hint?: string): Problem[] =>
    value === undefined
      ? [
          {
            code: 'missing-field',
            path,
            of: 'value',
            message: `${field} is missing; expected ${expected}`,
          },
        ]
      : [
          {
            code: 'bad-value',
            path,
            of: 'value',
            message: `${field} is ${shown(value)}; expected ${expected}`,
            hint,
          },
        ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        code: 'unknown-field',
        path: [...path, key],
        of: 'key',
        message: `${path.length === 0 ? `a document of kind ${title}` : field} has no field ${JSON.stringify(key)}`,
        hint: didYouMean(nearest(key, knownKeys(schema, path))),
      }));
    case 'invalid_type':
      return bad(TYPE_NAMES.get(issue.expected) ?? issue.expected);
    case 'invalid_value': {
      // KubeProxyConfiguration takes an empty string for its default: nothing to offer.
      const values = issue.values.filter((one) => one !== '');
      const hint =
        typeof value === 'string' ? didYouMean(nearest(value, values.map(String))) : undefined;
      const isLong = hint !== undefined && values.length > MOST_LISTED;
      return bad(isLong ? `one of ${values.length} others` : oneOf(values), hint);
    }
    case 'too_small':
      return bad(
        issue.origin === 'array'
          ? `a list of ${String(issue.minimum)} or more`
          : `${String(issue.minimum)} or more`,
      );
    case 'too_big':
      return bad(
        issue.origin === 'array'
          ? `a list of ${String(issue.maximum)} or fewer`
          : `${String(issue.maximum)} or less`,
      );
    case 'invalid_union': {
      // The alternative that fits best is the one that was meant.
      const [best] = issue.errors.toSorted((a, b) => weigh(a) - weigh(b));
      return (best ?? []).flatMap((inner) => {
        const below = pathOf(inner);
        return explain({ schema, title }, inner, [...path, ...below], valueAt(value, below));
      });
    }
    default:
      return bad(issue.message);
  }
};

/** Wrong fields weigh more than missing ones: they show that another alternative was meant. */
const weigh = (issues: readonly Issue[]): number =>
  issues.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length * 2 : 1),
    0,
  );

/**
 * Checks a document; every problem is reported, and undefined is returned if there is any.
 * @param title its kind, as messages name it
 */
export const checkFields = <Schema extends z.ZodType>(
  schema: Schema,
  title: string,
  object: KubeObject,
  report: Report,
): z.output<Schema> | undefined => {
  const result = schema.safeParse(object.value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = pathOf(issue);
    const value = path.length === 0 ? object.value : valueAt(object.value, path);
    for (const problem of explain({ schema, title }, issue, path, value))
      report({
        severity: 'error',
        code: problem.code,
        message: problem.message,
        path: formatPath(problem.path),
        ...atPlace(object.place(problem.path, problem.of)),
        ...(problem.hint !== undefined && { hint: problem.hint }),
      });
  }
  return undefined;
};
