import { describe, expect, it } from 'vitest';
import { progressLine } from '../../src/cli/progress-line.ts';

const line = (isTTY: boolean, columns = 60) => {
  const written: string[] = [];
  let time = 0;
  const stderr = { isTTY, columns, write: (text: string) => void written.push(text) };
  const { show, clear } = progressLine({ stderr }, () => time);
  return {
    written,
    clear,
    at: (milliseconds: number, file: string, read: number, size?: number) => {
      time = milliseconds;
      show({ file, read, size });
    },
  };
};

describe('the progress line', () => {
  it('is silent for what is short, then says how far reading is, and is cleared', () => {
    const { at, clear, written } = line(true);
    at(400, 'a.json', 100_000_000, 1_400_000_000);
    expect(written).toEqual([]);
    at(600, 'a.json', 700_000_000, 1_400_000_000);
    at(650, 'a.json', 710_000_000, 1_400_000_000);
    at(800, '<stdin>', 5_500_000);
    clear();
    clear();
    expect(written).toEqual([
      '\r\x1b[2Kreading a.json  50 %  700 MB of 1400 MB',
      '\r\x1b[2Kreading <stdin>  5 MB',
      '\r\x1b[2K',
    ]);
  });

  it('does not wrap, and a name does nothing to the terminal', () => {
    const { at, written } = line(true, 20);
    at(600, `\x1b[31m${'a'.repeat(50)}`, 1, 2);
    expect(written).toEqual([`\r\x1b[2K${'reading \\u001b[31maaaaaa'.slice(0, 19)}`]);
  });

  it('is not there without a terminal', () => {
    const { at, clear, written } = line(false);
    at(5000, 'a.json', 1, 2);
    clear();
    expect(written).toEqual([]);
  });
});
