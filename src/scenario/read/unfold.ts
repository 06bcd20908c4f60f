/** A document → the objects in it: lists are unfolded, and what nobody reads is left out. */
import {
  isObject,
  type Json,
  type JsonObject,
  type Path,
  valueAt,
} from '../../cluster/kube-object.ts';
import { keepNeeded } from '../../cluster/needed.ts';
import { type ListHeader, MOST_NESTED_LISTS } from './unit.ts';

/** Something where a Kubernetes object belongs. */
export interface Found {
  /** An object, or what was found instead of one. */
  readonly value: JsonObject | string;
  /** Where it stands in its document. */
  readonly path: Path;
}

const OURS = 'k8snet/';

export const kindOf = (value: JsonObject): string | undefined =>
  typeof value['kind'] === 'string' ? value['kind'] : undefined;

const apiVersionOf = (value: JsonObject): string =>
  typeof value['apiVersion'] === 'string' ? value['apiVersion'] : '';

const OUR_KINDS: readonly (string | undefined)[] = ['Scenario', 'Expectations'];

/** A Scenario, Expectations, or anything else in a version of ours, which is then wrong in it. */
export const isOurs = (value: JsonObject): boolean =>
  apiVersionOf(value).startsWith(OURS) ||
  (OUR_KINDS.includes(kindOf(value)) && apiVersionOf(value) === '');

/** The ConfigMap that kubeadm mounts into kube-proxy: a document in another one. */
export const isProxyConfig = (value: JsonObject): boolean =>
  kindOf(value) === 'ConfigMap' &&
  valueAt(value, ['metadata', 'namespace']) === 'kube-system' &&
  valueAt(value, ['metadata', 'name']) === 'kube-proxy';

/**
 * What an object around items says about them; undefined where it is no list. Without a kind it is
 * one when its first item has one.
 * @param firstHasKind asked for only then
 */
export const headerOf = (value: unknown, firstHasKind: () => boolean): ListHeader | undefined => {
  if (!isObject(value)) return undefined;
  const kind = kindOf(value);
  if (kind === undefined) return firstHasKind() ? { apiVersion: '', itemKind: '' } : undefined;
  if (!kind.endsWith('List')) return undefined;
  return { apiVersion: apiVersionOf(value), itemKind: kind.slice(0, -'List'.length) };
};

/** Items of a PodList have no kind of their own. */
export const withKind = <Item>(item: Item, header: ListHeader | undefined): Item | JsonObject =>
  !header?.itemKind || !isObject(item) || kindOf(item) !== undefined
    ? item
    : { apiVersion: header.apiVersion, kind: header.itemKind, ...item };

/** `kind: List`, a typed list as the API gives it, or bare items as `jq .items` leaves them. */
const itemsOf = (
  value: unknown,
): { readonly items: readonly Json[]; readonly header: ListHeader | undefined } | undefined => {
  if (Array.isArray(value)) return { items: value as readonly Json[], header: undefined };
  if (!isObject(value) || !Array.isArray(value['items'])) return undefined;
  const items = value['items'] as readonly Json[];
  const [first] = items;
  const header = headerOf(value, () => isObject(first) && kindOf(first) !== undefined);
  return header && { items, header };
};

const unfoldInto = (value: unknown, path: Path, depth: number, found: Found[]): void => {
  const list = depth < MOST_NESTED_LISTS ? itemsOf(value) : undefined;
  if (list) {
    const inner = Array.isArray(value) ? path : [...path, 'items'];
    for (const [at, item] of list.items.entries())
      unfoldInto(withKind(item, list.header), [...inner, at], depth + 1, found);
  } else if (isObject(value)) {
    const whole = isOurs(value) || kindOf(value) === undefined;
    found.push({ value: whole ? value : keepNeeded(value), path });
  } else {
    const what = Array.isArray(value)
      ? 'a list'
      : `${typeof value} ${JSON.stringify(value)?.slice(0, 40)}`;
    found.push({ value: what, path });
  }
};

/**
 * Finds the objects of a document, in order. One without a kind keeps all: it may still get one.
 * @param header of the list that the document is an item of
 * @param pieces the document is a list of such items itself
 */
export const unfold = (
  value: unknown,
  header: ListHeader | undefined,
  pieces: boolean,
): Found[] => {
  const found: Found[] = [];
  if (!pieces || !Array.isArray(value)) unfoldInto(withKind(value, header), [], 0, found);
  else for (const [at, item] of value.entries()) unfoldInto(withKind(item, header), [at], 1, found);
  return found;
};
