import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import {
  cidrAt,
  cidrBroadcast,
  cidrContains,
  cidrOf,
  cidrOverlaps,
  cidrSize,
  ipv4ToNumber,
  isIpv4,
  isIpv4Cidr,
  isLinkLocal,
  isLoopback,
  isMulticast,
  numberToIpv4,
  parseCidr,
  prefixMask,
} from '../../src/wire/ip.ts';

const address = fc.ipV4();
const prefix = fc.integer({ min: 0, max: 32 });
const cidr = fc.tuple(address, prefix).map(([ip, bits]) => `${ip}/${bits}`);

/** Strings close to an address, where a parser goes wrong. */
const nearAddress = fc
  .array(fc.constantFrom('0', '1', '9', '00', '255', '256', '.', '..', 'x', '-', ' ', '/'), {
    maxLength: 9,
  })
  .map((parts) => parts.join(''));

describe('addresses', () => {
  it('count as ipaddr.js counts', () => {
    fc.assert(
      fc.property(address, (ip) => {
        const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(ip).toByteArray();
        expect(ipv4ToNumber(ip)).toBe(a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d);
        expect(numberToIpv4(ipv4ToNumber(ip))).toBe(ip);
      }),
    );
  });

  it('accept exactly what ipaddr.js calls four-part decimal', () => {
    fc.assert(
      fc.property(fc.oneof(address, nearAddress, fc.string()), (text) => {
        expect(isIpv4(text)).toBe(ipaddr.IPv4.isValidFourPartDecimal(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '',
    '10.1',
    '010.0.0.1',
    '0x0a.0.0.1',
    '167772161',
    '1.2.3.256',
    '1.2.3.4.',
    '1..2.3',
    ' 1.2.3.4',
  ])('refuse %j, which some programs read as an address', (text) => {
    expect(isIpv4(text)).toBe(false);
    expect(() => ipv4ToNumber(text)).toThrow(RangeError);
  });

  it('know their own kinds', () => {
    fc.assert(
      fc.property(address, (ip) => {
        const range = ipaddr.IPv4.parse(ip).range();
        expect(isMulticast(ip)).toBe(range === 'multicast');
        expect(isLoopback(ip)).toBe(range === 'loopback');
        expect(isLinkLocal(ip)).toBe(range === 'linkLocal');
      }),
    );
    expect(isMulticast('224.0.0.1')).toBe(true);
    expect(isMulticast('240.0.0.1')).toBe(false);
    expect(isLoopback('127.255.255.255')).toBe(true);
    expect(isLinkLocal('169.254.255.255')).toBe(true);
  });
});

describe('ranges', () => {
  it('have the network, broadcast address and mask of ipaddr.js', () => {
    fc.assert(
      fc.property(cidr, (text) => {
        const { address: first, prefix: bits, mask } = parseCidr(text);
        expect(numberToIpv4(first)).toBe(ipaddr.IPv4.networkAddressFromCIDR(text).toString());
        expect(cidrBroadcast(text)).toBe(ipaddr.IPv4.broadcastAddressFromCIDR(text).toString());
        expect(numberToIpv4(mask)).toBe(ipaddr.IPv4.subnetMaskFromPrefixLength(bits).toString());
        expect(prefixMask(bits)).toBe(mask);
        expect(cidrOf(text.split('/')[0] ?? '', bits)).toBe(`${numberToIpv4(first)}/${bits}`);
      }),
    );
  });

  it('contain what ipaddr.js matches', () => {
    const near = fc.tuple(cidr, fc.nat()).map(([text, n]) => ({
      text,
      ip: numberToIpv4(parseCidr(text).address + (n % (2 * cidrSize(text)))),
    }));
    fc.assert(
      fc.property(fc.oneof(near, fc.record({ text: cidr, ip: address })), ({ text, ip }) => {
        const expected = ipaddr.IPv4.parse(ip).match(ipaddr.IPv4.parseCIDR(text));
        expect(cidrContains(text, ip)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('overlap where one contains the start of the other', () => {
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        const expected = cidrContains(a, cidrAt(b, 0)) || cidrContains(b, cidrAt(a, 0));
        expect(cidrOverlaps(a, b)).toBe(expected);
        expect(cidrOverlaps(b, a)).toBe(expected);
      }),
    );
    expect(cidrOverlaps('10.244.0.0/16', '10.244.7.0/24')).toBe(true);
    expect(cidrOverlaps('10.244.0.0/24', '10.244.1.0/24')).toBe(false);
  });

  it('number their addresses, and have no more than they have', () => {
    expect(cidrSize('10.244.1.0/24')).toBe(256);
    expect(cidrSize('0.0.0.0/0')).toBe(2 ** 32);
    expect(cidrAt('10.244.1.0/24', 1)).toBe('10.244.1.1');
    expect(cidrAt('0.0.0.0/0', 2 ** 32 - 1)).toBe('255.255.255.255');
    expect(cidrAt('10.244.1.7/24', 0)).toBe('10.244.1.0');
    for (const n of [256, -1, 1.5, Number.NaN])
      expect(() => cidrAt('10.244.1.0/24', n)).toThrow(RangeError);
    fc.assert(
      fc.property(cidr, (text) => {
        expect(cidrAt(text, cidrSize(text) - 1)).toBe(cidrBroadcast(text));
      }),
    );
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0/8',
    '/8',
    '::/0',
  ])('refuse %j', (text) => {
    expect(isIpv4Cidr(text)).toBe(false);
    expect(() => parseCidr(text)).toThrow(RangeError);
  });

  it('are parsed once', () => {
    expect(parseCidr('10.9.8.0/24')).toBe(parseCidr('10.9.8.0/24'));
  });
});
