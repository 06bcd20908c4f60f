import { describe, expect, it } from 'vitest';
import { parsePeer } from '../../../src/check/expected-matrix/peer-text.ts';
import { connectionText } from '../../../src/policy/connection-set.ts';

const told = (text: string): string => {
  const parsed = parsePeer(text);
  if ('message' in parsed) return parsed.message;
  const { peer, ports } = parsed;
  const { form, ...rest } = peer;
  return [form, ...Object.values(rest), ...(ports ? [connectionText(ports)] : [])].join(' ');
};

describe('parsePeer', () => {
  it.each([
    ['deploy/cart', 'endpoint deploy/cart'],
    ['deploy/cart:7070', 'endpoint deploy/cart TCP 7070'],
    ['shop/sts/db:5432-5434,80/TCP', 'endpoint shop/sts/db TCP 80,5432-5434'],
    ['svc/dns:53/udp', 'endpoint svc/dns UDP 53'],
    ['db:9999/sctp', 'endpoint db SCTP 9999'],
    ['everything', 'everything'],
    ['everything:443', 'everything TCP 443'],
    ['external', 'external'],
    ['namespace/shop', 'namespace shop'],
    ['ns/shop:80', 'namespace shop TCP 80'],
    ['10.0.0.0/8:53/udp', 'block 10.0.0.0/8 UDP 53'],
    ['203.0.113.7', 'block 203.0.113.7/32'],
    ['fd00::/8', 'block fd00::/8'],
    ['[fd00::1]:443', 'block fd00::1/128 TCP 443'],
  ])('reads %s', (text, expected) => {
    expect(told(text)).toBe(expected);
  });

  it.each(['a:http', 'a:0', 'a:70000', 'a:90-80', 'a:80/icmp', 'a:80/tcp/udp', 'a:', 'a:80,'])(
    'refuses the ports of %s',
    (text) => {
      expect(told(text)).toMatch(/is no list of ports$/);
    },
  );

  it('refuses what names nobody', () => {
    expect(told(':80')).toBe('":80" names nobody');
  });
});
