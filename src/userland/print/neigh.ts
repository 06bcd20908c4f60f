/** Neighbours as `ip neigh` of iproute2 6.1 prints them. */
import type { Neigh } from '../../kernel/neigh.ts';

/**
 * One neighbour, without the blank at the end of iproute2's line. `ip neigh` leaves NOARP out unless
 * it is asked for it (`nud all`); the caller decides.
 */
export const printNeigh = (row: Neigh): string =>
  [
    row.ip,
    'dev',
    row.dev,
    ...(row.lladdr === undefined ? [] : ['lladdr', row.lladdr]),
    row.state,
  ].join(' ');
