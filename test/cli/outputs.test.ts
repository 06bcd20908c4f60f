/** The forms of one trace as the command line prints them, against test/golden/outputs (-u updates). */
import { describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { columns } from '../../src/render/width.ts';
import { runHere } from './run-here.ts';

const printed = async (
  args: readonly string[],
  env: Io['env'] = {},
  [from, to]: readonly [string, string] = ['pod-a', 'pod-b'],
): Promise<string> => (await runHere(['trace', from, to, ...args], env)).stdout;

const BREAK = ['--break', 'node/node-1: ip route replace blackhole 10.244.2.0/24'];

interface Form {
  readonly name: string;
  readonly args: readonly string[];
  readonly ends?: readonly [from: string, to: string];
  /** Made to be run or read by something else: lines are as long as they are. */
  readonly isWide?: boolean;
  /** Held to a file; not where most of the text is another part's. */
  readonly golden?: string;
}

const FORMS: readonly Form[] = [
  { name: 'a second connection', args: ['--warm'], golden: 'warm-tcp.txt' },
  { name: 'a second echo', args: ['--warm', '--proto', 'icmp'], golden: 'warm-echo.txt' },
  { name: 'a second echo, with -v', args: ['--warm', '--proto', 'icmp', '-v'] },
  { name: 'before and now', args: BREAK },
  { name: 'a table', args: ['-o', 'table', '--set', 'network.backend=host-gw'] },
  {
    name: 'a small scenario',
    args: ['-o', 'scenario', ...BREAK],
    isWide: true,
    golden: 'small.yaml',
  },
  {
    name: 'a redacted scenario',
    args: ['-o', 'scenario', '--redact', '-s', 'failures/firewall-drop'],
    isWide: true,
    golden: 'redacted.yaml',
  },
  {
    name: 'several probes',
    args: ['--repeat', '4', '-s', 'services/affinity'],
    ends: ['client', 'svc/free'],
    golden: 'repeat.txt',
  },
  {
    name: 'several probes that are pinned, as a table',
    args: ['--repeat', '4', '-s', 'services/affinity', '-o', 'table'],
    ends: ['external', 'svc/sticky'],
    golden: 'repeat.table.txt',
  },
  {
    name: 'several probes, minimal',
    args: ['--repeat', '3', '-s', 'services/affinity', '--minimal'],
    ends: ['client', 'svc/sticky'],
    isWide: true,
    golden: 'repeat.minimal.txt',
  },
  {
    name: 'several probes without a choice',
    args: ['--repeat', '2', '-s', 'services/no-endpoints'],
    ends: ['client', 'shop/svc/web'],
  },
  { name: 'a runbook', args: ['-o', 'runbook'], isWide: true, golden: 'runbook.sh' },
];

// Whichever comes first loads the commands as well.
describe.each(FORMS)('$name', { timeout: 30_000 }, ({ args, ends, isWide = false, golden }) => {
  it('looks as it always did, and the same twice', async () => {
    const text = await printed(args, {}, ends);
    expect(await printed(args, {}, ends)).toBe(text);
    if (golden) await expect(text).toMatchFileSnapshot(`../golden/outputs/${golden}`);
    if (!isWide) expect(text.split('\n').filter((line) => columns(line) > 80)).toEqual([]);
  });

  it('is ASCII where the locale is, and without colour where nobody wants it', async () => {
    const text = await printed(args, { LC_ALL: 'C', NO_COLOR: '1', COLUMNS: '60' }, ends);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    if (!isWide) expect(text.split('\n').filter((line) => columns(line) > 60)).toEqual([]);
  });

  it('says the same in colour', async () => {
    const colored = await printed(['--color', ...args], {}, ends);
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
    expect(colored.replaceAll(escapes, '')).toBe(await printed(args, {}, ends));
  });
});
