import { describe, expect, it } from 'vitest';
import {
  mergeSpans,
  type Span,
  spanOf,
  spanValue,
  withoutSpans,
} from '../../../src/kernel/netfilter/address-span.ts';

const four = (cidr: string): Span => spanOf('ipv4_addr', cidr);
const texts = (spans: readonly Span[]) => spans.map((span) => spanValue('ipv4_addr', span));

describe('addresses as intervals', () => {
  it('are written as an address, a prefix or both ends', () => {
    expect(texts([four('10.0.0.1'), four('10.0.0.0/8'), four('0.0.0.0/0')])).toEqual([
      '10.0.0.1',
      '10.0.0.0/8',
      '0.0.0.0/0',
    ]);
    const { from } = four('10.0.0.1');
    expect(texts([{ from, to: from + 2n }])).toEqual([{ from: '10.0.0.1', to: '10.0.0.3' }]);
    expect(spanValue('ipv6_addr', spanOf('ipv6_addr', 'fd00::/8'))).toBe('fd00::/8');
  });

  it('become one where they overlap or touch', () => {
    const merged = mergeSpans(['10.0.1.0/24', '10.0.0.0/24', '10.0.0.7', '10.9.0.0/16'].map(four));
    expect(texts(merged)).toEqual(['10.0.0.0/23', '10.9.0.0/16']);
  });

  it('lose what is cut out, and nothing else', () => {
    const cut = (cidr: string, ...holes: string[]) =>
      texts(withoutSpans(four(cidr), holes.map(four)));
    expect(cut('10.0.0.0/24', '10.0.0.0/25')).toEqual(['10.0.0.128/25']);
    expect(cut('10.0.0.0/24', '10.0.0.128/25', '10.0.0.0/26')).toEqual(['10.0.0.64/26']);
    expect(cut('10.0.0.0/30', '10.0.0.1')).toEqual(['10.0.0.0', '10.0.0.2/31']);
    expect(cut('10.0.0.0/24', '10.0.1.0/24', '9.0.0.0/8')).toEqual(['10.0.0.0/24']);
    expect(cut('10.0.0.0/24', '10.0.0.0/8')).toEqual([]);
    expect(cut('0.0.0.0/0', '255.255.255.255', '0.0.0.0/1')).toEqual([
      { from: '128.0.0.0', to: '255.255.255.254' },
    ]);
  });
});
