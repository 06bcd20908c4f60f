/** The order in which nft 1.0.6 lists elements (expr_msort_cmp, src/mergesort.c). */
import { ipv4ToNumber } from '../../wire/ip.ts';
import { ipv6ToBytes } from '../../wire/parse-ip.ts';
import { type AddressType, mergeSpans, spanOf, spanValue } from './address-span.ts';
import type { NftElement, NftOperand, NftValue } from './nft-table.ts';
import type { typeOf } from './nft-text.ts';

type Type = ReturnType<typeof typeOf>;

const IFNAMSIZ = 16;

const CT_STATES = ['invalid', 'established', 'related', 'new', 'untracked'];
const ADDRESS_TYPES = ['unspec', 'unicast', 'local', 'broadcast', 'anycast', 'multicast'];

/** Bytes of one value as the kernel holds it: numbers of the network with the high byte first. */
const bytesOf = (type: Type, value: string | number): number[] => {
  switch (type) {
    case 'ipv4_addr': {
      const number = ipv4ToNumber(`${value}`);
      return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff);
    }
    case 'ipv6_addr':
      return [...ipv6ToBytes(`${value}`)];
    case 'inet_service':
      return [Number(value) >>> 8, Number(value) & 0xff];
    case 'inet_proto':
      return [Number(value)];
    case 'ifname':
      return Array.from({ length: IFNAMSIZ }, (_, at) => `${value}`.charCodeAt(at) || 0);
    default:
      return [];
  }
};

const numberOf = (type: Type, value: string | number): bigint => {
  switch (type) {
    case 'ct_state':
      return BigInt(CT_STATES.indexOf(`${value}`));
    case 'fib_addrtype':
      return BigInt(ADDRESS_TYPES.indexOf(`${value}`));
    case 'mark':
    case 'integer':
    case 'ct_status':
      return BigInt(Number(value) || 0);
    case 'ifname':
      return fromBytes(bytesOf(type, value).reverse());
    default:
      return fromBytes(bytesOf(type, value));
  }
};

const fromBytes = (bytes: readonly number[]): bigint =>
  bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n);

/** The first value of an interval. */
const lowOf = (value: NftValue): string | number => {
  if (typeof value === 'object') return value.from;
  return typeof value === 'string' ? value.replace(/\/.*$/, '') : value;
};

const isInterval = (value: NftValue): boolean =>
  typeof value === 'object' || (typeof value === 'string' && value.includes('/'));

/** A concatenation is read as one number of the machine: its last byte counts most. */
const weightOf = (types: readonly Type[], key: readonly NftValue[]): bigint => {
  const [first] = key;
  if (key.length === 1)
    return first === undefined ? 0n : numberOf(types[0] ?? 'integer', lowOf(first));
  const bytes = key.flatMap((value, at) => bytesOf(types[at] ?? 'integer', lowOf(value)));
  return fromBytes(bytes.reverse());
};

/** Elements in the order in which they are listed; concatenations with intervals stay as they are. */
export const inListedOrder = (
  types: readonly Type[],
  elements: readonly NftElement[],
): readonly NftElement[] => {
  if (types.length > 1 && elements.some(({ key }) => key.some(isInterval))) return elements;
  return elements
    .map((element) => ({ element, weight: weightOf(types, element.key) }))
    .sort((a, b) => (a.weight < b.weight ? -1 : a.weight > b.weight ? 1 : 0))
    .map(({ element }) => element);
};

/**
 * `{ … }` of addresses and ranges as it is stored: one is no set, and with a range among them those
 * that overlap or touch become one.
 */
export const addressSet = (type: AddressType, cidrs: readonly string[]): NftOperand => {
  const [first = '', ...more] = cidrs;
  const values: readonly NftValue[] = cidrs.some((cidr) => cidr.includes('/'))
    ? mergeSpans(cidrs.map((cidr) => spanOf(type, cidr))).map((span) => spanValue(type, span))
    : [...new Set(cidrs)];
  if (more.length === 0) return { kind: 'value', value: values[0] ?? first };
  return {
    kind: 'set',
    elements: inListedOrder(
      [type],
      values.map((value) => ({ key: [value] })),
    ),
  };
};
