/** Addresses as intervals, and what nft 1.0.6 makes of intervals that touch (src/intervals.c). */
import { ipv4ToNumber, numberToIpv4 } from '../../wire/ip.ts';
import { bytesToIpv6, ipv6ToBytes } from '../../wire/parse-ip.ts';
import type { NftValue } from './nft-table.ts';

export type AddressType = 'ipv4_addr' | 'ipv6_addr';

/** First and last address of an interval, as numbers of their family. */
export interface Span {
  readonly from: bigint;
  readonly to: bigint;
}

const BITS: Readonly<Record<AddressType, number>> = { ipv4_addr: 32, ipv6_addr: 128 };

/** An address as a number. */
export const addressNumber = (type: AddressType, address: string): bigint =>
  type === 'ipv4_addr'
    ? BigInt(ipv4ToNumber(address))
    : ipv6ToBytes(address).reduce((number, byte) => number * 256n + BigInt(byte), 0n);

const addressText = (type: AddressType, number: bigint): string =>
  type === 'ipv4_addr'
    ? numberToIpv4(Number(number))
    : bytesToIpv6(
        Uint8Array.from({ length: 16 }, (_, at) =>
          Number((number >> BigInt(8 * (15 - at))) & 255n),
        ),
      );

/** The interval of a range, or of one address. */
export const spanOf = (type: AddressType, cidr: string): Span => {
  const [address = '', prefix] = cidr.split('/');
  const number = addressNumber(type, address);
  const free = BigInt(BITS[type] - Number(prefix ?? BITS[type]));
  const from = (number >> free) << free;
  return { from, to: from + (1n << free) - 1n };
};

/** An interval as nft writes it: an address, a prefix where it is one, else both ends. */
export const spanValue = (type: AddressType, { from, to }: Span): NftValue => {
  const size = to - from + 1n;
  const bits = size.toString(2).length - 1;
  const aligned = size === 1n << BigInt(bits) && from % size === 0n;
  if (aligned) {
    const address = addressText(type, from);
    return bits === 0 ? address : `${address}/${BITS[type] - bits}`;
  }
  return { from: addressText(type, from), to: addressText(type, to) };
};

const byStart = (a: Span, b: Span): number => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0);

/** In order; those that overlap or touch are one. */
export const mergeSpans = (spans: readonly Span[]): Span[] => {
  const merged: Span[] = [];
  for (const span of [...spans].sort(byStart)) {
    const last = merged.at(-1);
    if (last && span.from <= last.to + 1n)
      merged[merged.length - 1] = { from: last.from, to: span.to > last.to ? span.to : last.to };
    else merged.push(span);
  }
  return merged;
};

/** What is left of an interval without others. */
export const withoutSpans = (span: Span, holes: readonly Span[]): Span[] => {
  const left: Span[] = [];
  let { from } = span;
  for (const hole of mergeSpans(holes)) {
    if (hole.to < from || hole.from > span.to) continue;
    if (hole.from > from) left.push({ from, to: hole.from - 1n });
    from = hole.to + 1n;
  }
  if (from <= span.to) left.push({ from, to: span.to });
  return left;
};
