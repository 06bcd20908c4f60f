import { describe, expect, it } from 'vitest';
import { abbreviated, commandWords, wordsOf } from '../../../src/userland/edit/words.ts';

describe('the words of a command', () => {
  it('are parted at blanks, kept together by quotes', () => {
    expect(commandWords('  ip  link set\teth0 down ')).toEqual([
      'ip',
      'link',
      'set',
      'eth0',
      'down',
    ]);
    expect(commandWords(`sysctl -w "a=1 2" 'b;c'`)).toEqual(['sysctl', '-w', 'a=1 2', 'b;c']);
    expect(commandWords('iptables ! -s 10.0.0.1 -i cali+')).toContain('!');
  });

  it.each([';', '|', '&', '>', '<', '$', '`', '(', '*', '?', '#', '~', '\n'])(
    'are refused with %j, which a shell would act on',
    (char) => {
      expect(() => commandWords(`ip link ${char} x`)).toThrow('is for a shell');
      expect(commandWords(`ip '${char}'`)).toEqual(['ip', char]);
    },
  );

  it('must have their quotes closed', () => {
    expect(() => commandWords('ip "link')).toThrow('not closed');
    expect(() => commandWords("ip 'link")).toThrow('not closed');
    expect(() => commandWords('ip "a\\"')).toThrow('not closed');
  });

  it('end before an option has its value', () => {
    expect(() => wordsOf([]).value('dev')).toThrow('Command line is not complete');
  });
});

describe('an abbreviation', () => {
  it('is the first name that it starts, and the whole name before that', () => {
    expect(abbreviated('r', ['address', 'route', 'rule'])).toBe('route');
    expect(abbreviated('ru', ['address', 'route', 'rule'])).toBe('rule');
    expect(abbreviated('add', ['address', 'add'])).toBe('add');
    expect(abbreviated('x', ['address'])).toBeUndefined();
    expect(abbreviated('', ['address'])).toBeUndefined();
  });
});
