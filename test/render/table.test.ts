import { describe, expect, it } from 'vitest';
import { twoColumns } from '../../src/render/table.ts';
import { columns } from '../../src/render/width.ts';

const same = (name: string) => name;

describe('two columns', () => {
  it('breaks the second, and aligns it under itself', () => {
    const text = twoColumns(
      [
        ['a', 'one two three four five six'],
        ['long', 'x'],
      ],
      26,
      same,
    );
    expect(text).toBe('a     one two three four\n      five six\nlong  x\n');
  });

  it('keeps every Chinese character, and stays within the width', () => {
    const about = '两个容器共享同一个网络命名空间，因此共享一个地址';
    const text = twoColumns([['基础', about]], 30, same);
    expect(text.replace(/[\s]|基础/g, '')).toBe(about);
    expect(Math.max(...text.split('\n').map(columns))).toBeLessThanOrEqual(30);
  });
});
