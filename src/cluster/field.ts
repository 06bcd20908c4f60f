/** Reading Kubernetes objects field by field: what has the wrong type is reported and left out. */
import { isIpv4, isIpv4Cidr, isUnicast, isUnicastCidr } from '../wire/ip.ts';
import type { Place } from './cluster.ts';
import { atPlace, type Report } from './diagnostic.ts';
import {
  formatPath,
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  type Path,
  valueAt,
  valueBelow,
} from './kube-object.ts';

/** Where a field is: enough to report on it, without its value. */
export interface Spot {
  readonly object: KubeObject;
  readonly path: Path;
  readonly report: Report;
  /** Kind and name of its object, as messages begin; the object's value may be gone by then. */
  readonly title: string;
}

export interface Field extends Spot {
  readonly value: Json | undefined;
}

/** A field below another one. Its path is put together when somebody asks for it. */
class InnerField implements Field {
  readonly object: KubeObject;
  readonly value: Json | undefined;
  readonly report: Report;
  readonly #above: Field;
  readonly #key: string | number;
  constructor(above: Field, key: string | number, value: Json | undefined) {
    this.object = above.object;
    this.value = value;
    this.report = above.report;
    this.#above = above;
    this.#key = key;
  }
  get path(): Path {
    return [...this.#above.path, this.#key];
  }
  get title(): string {
    return this.#above.title;
  }
}

const ROOT: Path = [];

class RootField implements Field {
  readonly object: KubeObject;
  readonly value: Json | undefined;
  readonly report: Report;
  constructor(object: KubeObject, report: Report) {
    this.object = object;
    this.value = object.value;
    this.report = report;
  }
  get path(): Path {
    return ROOT;
  }
  get title(): string {
    const { value } = this;
    const kind = valueAt(value, ['kind']);
    const name =
      valueAt(value, ['metadata', 'name']) ?? valueAt(value, ['metadata', 'generateName']);
    return [kind, name].filter((part) => typeof part === 'string').join(' ') || 'object';
  }
}

export const rootField = (object: KubeObject, report: Report): Field =>
  new RootField(object, report);

/** A field below this one; its value is undefined where it, or anything on the way, is missing. */
export const fieldAt = (field: Field, key: string | number, ...below: Path): Field => {
  let found: Field = new InnerField(field, key, valueBelow(field.value, key));
  for (const next of below) found = new InnerField(found, next, valueBelow(found.value, next));
  return found;
};

/** What is kept of a field when its value is no longer needed. */
export const spotOf = ({ object, path, report, title }: Field): Spot => ({
  object,
  path,
  report,
  title,
});

/** Where a field below this one stands in its file. */
export const placeBelow = ({ object, path }: Spot, ...below: Path): Place =>
  object.place([...path, ...below]);

/** Whether an object stands there, as opposed to a list, a text or nothing. */
export const isObjectField = (field: Field): field is Field & { readonly value: JsonObject } =>
  isObject(field.value);

/** What was found, short enough for a message. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  const kind = Array.isArray(value) ? 'a list' : isObject(value) ? 'an object' : undefined;
  if (kind) return text.length > 40 ? kind : `${kind} (${text})`;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** A warning about a field: `Pod web: spec.replicas <problem>`. `of`: where its place is. */
export const warn = (
  field: Spot,
  code: string,
  problem: string,
  hint?: string,
  of: 'value' | 'key' = 'value',
): void => {
  const path = formatPath(field.path);
  field.report({
    severity: 'warning',
    code,
    message: `${field.title}: ${path === '' ? '' : `${path} `}${problem}`,
    path,
    ...atPlace(field.object.place(field.path, of)),
    ...(hint !== undefined && { hint }),
  });
};

const wrongType = (field: Field, wanted: string): void => {
  const quotes =
    typeof field.value === 'boolean'
      ? 'Quote it: YAML reads y, n, yes, no, on and off as true and false.'
      : 'Quote it.';
  warn(
    field,
    'wrong-type',
    `is ${shown(field.value)}; Kubernetes wants ${wanted}`,
    wanted === 'a string' && typeof field.value !== 'object' ? quotes : undefined,
  );
};

/** null means absent, as it does to the API server. */
const isAbsent = (value: Json | undefined): value is null | undefined =>
  value === undefined || value === null;

/** A number or a boolean is taken as its text, with a warning: somebody forgot the quotes. */
export const textOf = (field: Field): string | undefined => {
  const { value } = field;
  if (isAbsent(value)) return undefined;
  if (typeof value === 'string') return value;
  wrongType(field, 'a string');
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
};

/**
 * The name of an object, or a reference to one. A name that cannot be part of a URL cannot exist
 * (ValidatePathSegmentName of k8s.io/apimachinery): it is reported and taken as missing.
 */
export const nameOf = (field: Field): string | undefined => {
  const text = textOf(field);
  if (text === undefined || !(/[/%]/.test(text) || text === '.' || text === '..')) return text;
  warn(field, 'bad-name', `is ${shown(text)}; no object can be called that`);
  return undefined;
};

export const booleanOf = (field: Field): boolean | undefined => {
  const { value } = field;
  if (isAbsent(value)) return undefined;
  if (typeof value === 'boolean') return value;
  wrongType(field, 'true or false');
  return value === 'true' ? true : value === 'false' ? false : undefined;
};

/** A whole number from `min` to `max`. */
export const integerOf = (
  field: Field,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined => {
  const { value } = field;
  if (isAbsent(value)) return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof value !== 'number') wrongType(field, 'a number');
  if (typeof number !== 'number') return undefined;
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  warn(
    field,
    'out-of-range',
    `is ${shown(value)}; Kubernetes wants a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${max}`}`,
  );
  return undefined;
};

export const portOf = (field: Field): number | undefined => integerOf(field, 1, 65535);

/** IntOrString: a port number, or the name of a port. */
export const portOrNameOf = (field: Field): number | string | undefined => {
  if (typeof field.value !== 'string') return portOf(field);
  return /^\d+$/.test(field.value)
    ? portOf({ ...spotOf(field), value: Number(field.value) })
    : field.value;
};

export const listOf = (field: Field): Field[] => {
  const { value } = field;
  if (isAbsent(value)) return [];
  if (Array.isArray(value)) return value.map((_, at) => fieldAt(field, at));
  wrongType(field, 'a list');
  return [];
};

/** The fields of an object, by key, in the order of the text. */
export const entriesOf = (field: Field): [string, Field][] => {
  const { value } = field;
  if (isAbsent(value)) return [];
  if (isObject(value)) return Object.keys(value).map((key) => [key, fieldAt(field, key)]);
  wrongType(field, 'an object');
  return [];
};

export const textsOf = (field: Field): string[] =>
  listOf(field).flatMap((item) => textOf(item) ?? []);

/** Whether a text of the field is an IPv4 address that a machine can have; a warning if not. */
export const isAddress = (field: Field, text: string): boolean => {
  if (isIpv4(text) && isUnicast(text)) return true;
  const problem = isIpv4(text) ? 'which no single machine can have' : 'which is no address';
  warn(field, 'bad-ip', `is ${JSON.stringify(text)}, ${problem}; it is left out`);
  return false;
};

/** Whether a text of the field is an IPv4 range that machines can be in; a warning if not. */
export const isRange = (field: Field, text: string): boolean => {
  if (isIpv4Cidr(text) && isUnicastCidr(text)) return true;
  const problem = isIpv4Cidr(text)
    ? 'which holds addresses that no machine can have; it is left out'
    : 'which is no range such as 10.244.1.0/24; it is left out';
  warn(field, 'bad-cidr', `is ${JSON.stringify(text)}, ${problem}`);
  return false;
};

const isTextMap = (value: Json | undefined): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((text) => typeof text === 'string');

/** Labels and their like: the object itself where nothing is wrong with it. */
export const textMapOf = (field: Field): Readonly<Record<string, string>> => {
  if (isTextMap(field.value)) return field.value;
  return Object.fromEntries(
    entriesOf(field).flatMap(([key, item]) => {
      const text = textOf(item);
      return text === undefined ? [] : [[key, text]];
    }),
  );
};
