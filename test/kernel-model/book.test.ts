/** Who an address was given to, and which range it is from. */
import { describe, expect, it } from 'vitest';
import { createBook, type LateOwner } from '../../src/kernel/book.ts';
import type { BookRange } from '../../src/kernel/world.ts';

const owner = (ip: string, name: string): LateOwner => ({
  ip,
  owner: () => ({ ip, netns: `node-1/${name}`, host: 'node-1', name, invented: false }),
});

const ranges: readonly BookRange[] = [
  { cidr: '10.244.0.0/16', kind: 'pod' },
  { cidr: '10.244.1.0/24', kind: 'node-pods', host: 'node-1' },
  { cidr: '0.0.0.0/0', kind: 'external' },
];

describe('a book', () => {
  const book = createBook(ranges, [
    owner('10.244.1.2', 'default/a'),
    owner('10.244.1.3', 'default/b'),
    owner('10.244.1.2', 'default/c'),
  ]);

  it('names everybody an address was given to', () => {
    expect(book.owners('10.244.1.2').map(({ name }) => name)).toEqual(['default/a', 'default/c']);
    expect(book.owners('10.244.1.9')).toEqual([]);
  });

  it('knows the smallest range of an address', () => {
    expect(['10.244.1.2', '10.244.2.2', '192.0.2.1'].map((ip) => book.rangeOf(ip)?.kind)).toEqual([
      'node-pods',
      'pod',
      'external',
    ]);
    expect(createBook([], []).rangeOf('10.244.1.2')).toBeUndefined();
  });
});
