/** Rows of the model and of `ip -j` as comparable text. */
import { createBook } from '../../src/kernel/book.ts';
import type { FibEntry } from '../../src/kernel/fib.ts';
import type { Netns, World } from '../../src/kernel/world.ts';
import { createHost, createWorld } from '../../src/kernel/world-build.ts';

/** A World of the one namespace. */
export const worldOf = (netns: Netns): World =>
  createWorld({
    name: 'test',
    hostNames: ['h'],
    compile: (name) => createHost(name, [netns]),
    segments: [],
    book: createBook([], []),
  });

const TABLES: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };

/** The number of a table as `ip` names it. */
export const tableNumber = (name: unknown): number =>
  name === undefined ? 254 : (TABLES[String(name)] ?? Number(name));

export interface RowText {
  readonly table: number;
  readonly dst: string;
  readonly text: string;
}

/** Rows as text, in the order that matters: within one prefix of one table. */
export const inGroups = (rows: readonly RowText[]): string[] => {
  const groups = new Map<string, string[]>();
  for (const { table, dst, text } of rows) {
    const key = `${table} ${dst}`;
    groups.set(key, [...(groups.get(key) ?? []), text]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, texts]) => `${key}: ${texts}`);
};

const fullPrefix = (dst: unknown): string =>
  dst === 'default' ? '0.0.0.0/0' : String(dst).includes('/') ? String(dst) : `${dst}/32`;

/** A row of `ip -j route show`. */
export const realRow = (row: Record<string, unknown>): RowText => ({
  table: tableNumber(row['table']),
  dst: fullPrefix(row['dst']),
  text: [
    row['type'] ?? 'unicast',
    row['gateway'] ?? '',
    row['dev'] ?? '',
    row['scope'] ?? 'global',
    row['metric'] ?? 0,
    row['prefsrc'] ?? '',
    row['protocol'] ?? 'boot',
    (row['flags'] as string[]).includes('onlink') ? 'onlink' : '',
    row['metrics'] === undefined ? '' : JSON.stringify(row['metrics']),
    ...((row['nexthops'] as Record<string, unknown>[] | undefined) ?? []).map((hop) => {
      const flags = hop['flags'] as string[];
      const marks = ['dead', 'onlink'].filter((flag) => flags.includes(flag));
      return [hop['gateway'] ?? '', hop['dev'], hop['weight'], ...marks].join(' ');
    }),
  ].join(' '),
});

export const ourRow = (row: FibEntry): RowText => ({
  table: row.table,
  dst: row.dst,
  text: [
    row.type,
    row.via ?? '',
    row.dev ?? '',
    row.scope,
    row.metric,
    row.src ?? '',
    row.protocol,
    row.onlink ? 'onlink' : '',
    row.mtu ? JSON.stringify([{ mtu: row.mtu }]) : '',
    ...(row.nexthops ?? []).map(({ via = '', dev, weight, dead, onlink }) =>
      [via, dev, weight, ...(dead ? ['dead'] : []), ...(onlink ? ['onlink'] : [])].join(' '),
    ),
  ].join(' '),
});
