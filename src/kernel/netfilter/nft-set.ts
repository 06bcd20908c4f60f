/**
 * Lookups in sets and maps of nf_tables (net/netfilter/nft_set_hash.c, nft_set_rbtree.c): what is
 * written out is found by its key, and only intervals and wildcards are tried one by one.
 */
import { cidrContains, ipv4ToNumber } from '../../wire/ip.ts';
import type { Unknown } from '../../wire/packet.ts';
import type { Answer } from './match.ts';
import type { NftElement, NftRange, NftValue } from './nft-table.ts';

/** A value of the packet; one that only a running kernel knows is a range. */
export type Datum = string | number | Unknown;

const isUnknown = (datum: Datum): datum is Unknown => typeof datum === 'object';

const isExact = (value: NftValue): boolean =>
  typeof value === 'number' || (typeof value === 'string' && !/[/*]/.test(value));

const inNumbers = (low: number, high: number, from: number, to: number): Answer => {
  if (low >= from && high <= to) return true;
  return high < from || low > to ? false : 'unknown';
};

const numberOf = (value: string | number): number =>
  typeof value === 'number' ? value : ipv4ToNumber(value);

const isBetween = (datum: Datum, { from, to }: NftRange): Answer => {
  if (isUnknown(datum)) return inNumbers(...datum.range, numberOf(from), numberOf(to));
  const number = numberOf(datum);
  return number >= numberOf(from) && number <= numberOf(to);
};

/** Whether a value of the packet is the one, or within the one, that a rule or an element has. */
export const valueHolds = (value: NftValue, datum: Datum): Answer => {
  if (typeof value === 'object') return isBetween(datum, value);
  if (isUnknown(datum)) return inNumbers(...datum.range, Number(value), Number(value));
  if (typeof value === 'number' || isExact(value)) return value === datum;
  if (value.endsWith('*')) return `${datum}`.startsWith(value.slice(0, -1));
  return typeof datum === 'string' && cidrContains(value, datum);
};

const keyHolds = (key: readonly NftValue[], data: readonly Datum[]): Answer => {
  let answer: Answer = true;
  for (const [at, datum] of data.entries()) {
    const value = key[at];
    const one = value === undefined ? false : valueHolds(value, datum);
    if (one === false) return false;
    if (one === 'unknown') answer = 'unknown';
  }
  return answer;
};

interface Index {
  readonly exact: ReadonlyMap<string, NftElement>;
  /** Those with an interval, a prefix or a wildcard. */
  readonly loose: readonly NftElement[];
  /** Exact ones by all their values but one, for a packet of which that one is not known. */
  readonly without: Map<number, ReadonlyMap<string, readonly NftElement[]>>;
}

const indexes = new WeakMap<readonly NftElement[], Index>();

/** To be called when elements were added. */
export const forgetIndex = (elements: readonly NftElement[]): void => {
  indexes.delete(elements);
};

/** How a key is known among the others of its set. */
export const nftKey = (key: readonly (string | number)[]): string => key.join(' ');

const exactKey = (key: readonly NftValue[]): string | undefined =>
  key.every(isExact) ? key.join(' ') : undefined;

const indexOf = (elements: readonly NftElement[]): Index => {
  const known = indexes.get(elements);
  if (known) return known;
  const exact = new Map<string, NftElement>();
  const loose: NftElement[] = [];
  for (const element of elements) {
    const key = exactKey(element.key);
    if (key === undefined) loose.push(element);
    else exact.set(key, element);
  }
  const made: Index = { exact, loose, without: new Map() };
  indexes.set(elements, made);
  return made;
};

const restKey = (key: readonly (NftValue | Datum)[], but: number): string =>
  key.filter((_, at) => at !== but).join(' ');

const exactWithout = ({ exact, without }: Index, but: number) => {
  const known = without.get(but);
  if (known) return known;
  const made = new Map<string, NftElement[]>();
  for (const element of exact.values()) {
    const key = restKey(element.key, but);
    const same = made.get(key);
    if (same) same.push(element);
    else made.set(key, [element]);
  }
  without.set(but, made);
  return made;
};

const candidatesOf = (index: Index, data: readonly Datum[]): readonly NftElement[] => {
  const but = data.findIndex(isUnknown);
  if (but >= 0) {
    const exact = data.some((datum, at) => at !== but && isUnknown(datum))
      ? [...index.exact.values()]
      : (exactWithout(index, but).get(restKey(data, but)) ?? []);
    return [...exact, ...index.loose];
  }
  const exact = index.exact.get(data.join(' '));
  return exact ? [exact] : index.loose;
};

/**
 * The element that the data are in; `unknown` when a value that is not known decides which, or
 * whether there is one.
 */
export const lookUp = (
  elements: readonly NftElement[],
  data: readonly Datum[],
): NftElement | 'unknown' | undefined => {
  let unsure = false;
  for (const element of candidatesOf(indexOf(elements), data)) {
    const answer = keyHolds(element.key, data);
    if (answer === true) return element;
    if (answer === 'unknown') unsure = true;
  }
  return unsure ? 'unknown' : undefined;
};
