/** Documents → Kubernetes objects and Scenarios; lists are unfolded. */
import { atPlace, type Report } from '../../cluster/diagnostic.ts';
import {
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  type Path,
} from '../../cluster/kube-object.ts';
import type { SourceDocument } from './documents.ts';

export interface ReadObjects {
  readonly objects: readonly KubeObject[];
  readonly scenarios: readonly KubeObject[];
}

export const SCENARIO_API_VERSION = 'k8snet/v1';

const below = ({ place }: SourceDocument, path: Path): KubeObject['place'] =>
  path.length === 0 ? place : (inner, of) => place([...path, ...inner], of);

const kindOf = (value: JsonObject): string | undefined =>
  typeof value['kind'] === 'string' ? value['kind'] : undefined;

const apiVersionOf = (value: JsonObject): string =>
  typeof value['apiVersion'] === 'string' ? value['apiVersion'] : '';

/** `kind: List`, a typed list as the API gives it, or bare items as `jq .items` leaves them. */
const itemsOf = (value: unknown): readonly Json[] | undefined => {
  if (Array.isArray(value)) return value as readonly Json[];
  if (!isObject(value) || !Array.isArray(value['items'])) return undefined;
  return kindOf(value)?.endsWith('List') ? (value['items'] as readonly Json[]) : undefined;
};

/** Items of a PodList have no kind of their own. */
const withKind = (item: Json, list: unknown): Json => {
  if (!isObject(item) || !isObject(list) || kindOf(item) !== undefined) return item;
  const kind = kindOf(list)?.replace(/List$/, '');
  if (!kind) return item;
  return { apiVersion: apiVersionOf(list), kind, ...item };
};

const MOST_NESTED_LISTS = 8;

interface Found {
  readonly objects: KubeObject[];
  readonly scenarios: KubeObject[];
}

const unfold = (
  document: SourceDocument,
  value: unknown,
  path: Path,
  depth: number,
  found: Found,
  report: Report,
): void => {
  const complain = (
    severity: 'error' | 'warning',
    code: string,
    message: string,
    hint?: string,
  ): void =>
    report({
      severity,
      code,
      message,
      ...atPlace(document.place(path)),
      ...(hint !== undefined && { hint }),
    });
  const items = itemsOf(value);
  if (items && depth < MOST_NESTED_LISTS) {
    const inner = Array.isArray(value) ? path : [...path, 'items'];
    for (const [at, item] of items.entries())
      unfold(document, withKind(item, value), [...inner, at], depth + 1, found, report);
    return;
  }
  if (!isObject(value)) {
    const what = Array.isArray(value)
      ? 'a list'
      : `${typeof value} ${JSON.stringify(value)?.slice(0, 40)}`;
    complain('error', 'not-an-object', `found ${what} where a Kubernetes object belongs`);
    return;
  }
  const kind = kindOf(value);
  const object: KubeObject = { value, place: below(document, path) };
  if (
    apiVersionOf(value).startsWith('k8snet/') ||
    (kind === 'Scenario' && apiVersionOf(value) === '')
  ) {
    found.scenarios.push(object);
  } else if (kind === undefined) {
    complain(
      'warning',
      'no-kind',
      'has no kind, so it is no Kubernetes object; left out',
      'Every object needs apiVersion, kind and metadata.name.',
    );
  } else {
    found.objects.push(object);
  }
};

/** Sorts documents into Scenarios and Kubernetes objects, in the order of the text. */
export const readObjects = (documents: readonly SourceDocument[], report: Report): ReadObjects => {
  const found: Found = { objects: [], scenarios: [] };
  for (const document of documents) unfold(document, document.value, [], 0, found, report);
  return found;
};
