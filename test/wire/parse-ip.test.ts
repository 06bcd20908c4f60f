import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUserCidr, parseUserIp } from '../../src/wire/parse-ip.ts';

describe('an address as typed', () => {
  it('is canonical IPv4, or IPv6 in the form of RFC 5952', () => {
    expect(parseUserIp('10.1.2.3')).toEqual({ family: 4, ip: '10.1.2.3' });
    expect(parseUserIp('FD00:0:0:0:0:0:0:1')).toEqual({ family: 6, ip: 'fd00::1' });
    expect(parseUserIp('::')).toEqual({ family: 6, ip: '::' });
  });

  it.each([
    '',
    '10.1',
    '010.0.0.1',
    '0x0a.0.0.1',
    '167772161',
    '10.0.0.1/8',
    'fe80::1%eth0',
    'pod-a',
    '1.2.3.4 ',
  ])('is not %j', (text) => {
    expect(parseUserIp(text)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), (text) => {
        parseUserIp(text);
        parseUserCidr(text);
        parseUserCidr(`${text}/8`);
      }),
    );
  });
});

describe('a range as typed', () => {
  it('loses its host bits and keeps the address', () => {
    expect(parseUserCidr('10.244.1.5/16')).toEqual({
      family: 4,
      cidr: '10.244.0.0/16',
      prefix: 16,
      ip: '10.244.1.5',
    });
    expect(parseUserCidr('fd00:0:0:5::7/48')).toEqual({
      family: 6,
      cidr: 'fd00::/48',
      prefix: 48,
      ip: 'fd00:0:0:5::7',
    });
    expect(parseUserCidr('0.0.0.0/0')?.cidr).toBe('0.0.0.0/0');
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/33',
    'fd00::/129',
    '10/8',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
  ])('is not %j', (text) => {
    expect(parseUserCidr(text)).toBeUndefined();
  });
});
