/** Forwarding rows as `bridge fdb` of iproute2 6.1 prints them. */
import type { FdbEntry } from '../../kernel/fdb.ts';

/**
 * One row. `bridge` is the bridge whose table it stands in; a row with a remote is a tunnel's own
 * (`self`). A learned row has no state word (state_n2a, iproute2 6.1, bridge/fdb.c).
 */
export const printFdb = (row: FdbEntry, bridge?: string): string =>
  [
    row.mac,
    'dev',
    row.dev,
    ...(row.dst === undefined ? [] : ['dst', row.dst]),
    ...(row.dst !== undefined ? ['self'] : bridge === undefined ? [] : ['master', bridge]),
    ...(row.state === 'learned' ? [] : [row.state]),
  ].join(' ');
