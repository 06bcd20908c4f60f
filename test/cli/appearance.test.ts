import { describe, expect, it } from 'vitest';
import { glyphsFor, wantsColor, widthOf } from '../../src/cli/appearance.ts';
import { ASCII, UNICODE } from '../../src/explain/quote.ts';

const terminal = { isTTY: true };
const pipe = { isTTY: false };

describe('wantsColor', () => {
  it.each([
    ['a terminal has colour', undefined, {}, terminal, true],
    ['a pipe has none', undefined, {}, pipe, false],
    ['a dumb terminal has none', undefined, { TERM: 'dumb' }, terminal, false],
    ['FORCE_COLOR gives it to a pipe', undefined, { FORCE_COLOR: '1' }, pipe, true],
    ['an empty FORCE_COLOR does, too', undefined, { FORCE_COLOR: '' }, pipe, true],
    ['FORCE_COLOR=0 takes it away', undefined, { FORCE_COLOR: '0' }, terminal, false],
    [
      'FORCE_COLOR wins over a dumb terminal',
      undefined,
      { FORCE_COLOR: '3', TERM: 'dumb' },
      pipe,
      true,
    ],
    [
      'NO_COLOR wins over FORCE_COLOR',
      undefined,
      { NO_COLOR: '1', FORCE_COLOR: '1' },
      terminal,
      false,
    ],
    ['an empty NO_COLOR says nothing', undefined, { NO_COLOR: '' }, terminal, true],
    ['--color wins over NO_COLOR', true, { NO_COLOR: '1' }, pipe, true],
    ['--no-color wins over FORCE_COLOR', false, { FORCE_COLOR: '1' }, terminal, false],
  ])('%s', (_, option, env, sink, expected) => {
    expect(wantsColor(option, env, sink)).toBe(expected);
  });
});

describe('widthOf', () => {
  it.each([
    ['80 without a terminal', {}, undefined, 80],
    ["the terminal's", {}, 100, 100],
    ['COLUMNS before the terminal', { COLUMNS: '90' }, 100, 90],
    ['nonsense in COLUMNS is ignored', { COLUMNS: 'wide' }, 100, 100],
    ['at least 40', {}, 10, 40],
    ['at most 100', {}, 300, 100],
  ])('%s', (_, env, columns, expected) => {
    expect(widthOf(env, { columns })).toBe(expected);
  });
});

describe('glyphsFor', () => {
  it.each([
    [{}, UNICODE],
    [{ LANG: 'en_US.UTF-8' }, UNICODE],
    [{ LANG: 'C.utf8' }, UNICODE],
    [{ LANG: 'C' }, ASCII],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }, ASCII],
    [{ LC_CTYPE: 'en_US.UTF-8', LANG: 'C' }, UNICODE],
    [{ LC_ALL: '', LANG: 'de_DE.ISO-8859-1' }, ASCII],
  ])('%j', (env, expected) => {
    expect(glyphsFor(env)).toBe(expected);
  });
});
