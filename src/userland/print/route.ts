/** Routes as `ip route` of iproute2 6.1 prints them. */
import type { FibEntry, Nexthop } from '../../kernel/fib.ts';
import { TABLE_MAIN } from '../../kernel/fib.ts';
import { parseCidr } from '../../wire/ip.ts';
import type { Cidr } from '../../wire/packet.ts';
import { routeProtocolName, tableName } from './names.ts';

/** What a row's line depends on besides the row. */
export interface RouteContext {
  /** `ip route show table X` leaves the table's own name out; absent: the main table is shown. */
  readonly shown?: number | 'all';
  /** The device has no carrier: the kernel marks the next hop. */
  readonly linkdown?: boolean;
  /** The same of the devices of several next hops. */
  readonly linkdownHops?: ReadonlySet<string>;
}

/** A destination or selector: a host without its /32, everything by the name given for it. */
export const printPrefix = (cidr: Cidr, everything: string): string => {
  const slash = cidr.indexOf('/');
  const length = slash < 0 ? '32' : cidr.slice(slash + 1);
  if (length === '0') return cidr.startsWith('0.0.0.0') ? everything : cidr;
  return length === '32' ? cidr.slice(0, slash < 0 ? undefined : slash) : cidr;
};

/** One next hop (print_rta_multipath). */
const printHop = ({ via, dev, weight, onlink, dead }: Nexthop, linkdown: boolean): string => {
  const words = ['nexthop'];
  if (via !== undefined) words.push('via', via);
  words.push('dev', dev, 'weight', String(weight));
  if (dead) words.push('dead');
  if (onlink) words.push('onlink');
  if (linkdown || dead) words.push('linkdown');
  return words.join(' ');
};

/**
 * A route as `ip route` prints it: one line, and one more for each of several next hops; without the
 * blank that iproute2 leaves at the end of a line.
 */
export const routeLines = (row: FibEntry, context: RouteContext = {}): string[] => [
  printWay(row, context),
  ...(row.nexthops ?? []).map(
    (hop) => `\t${printHop(hop, context.linkdownHops?.has(hop.dev) ?? false)}`,
  ),
];

/** A route in one line, as `ip route add` takes it too. */
export const printRoute = (row: FibEntry, context: RouteContext = {}): string =>
  row.nexthops
    ? routeLines(row, context)
        .map((line) => line.trim())
        .join(' ')
    : printWay(row, context);

/** Fields stand in the order of print_route (iproute2 6.1, ip/iproute.c). */
const printWay = (row: FibEntry, context: RouteContext): string => {
  const { shown = TABLE_MAIN, linkdown = false } = context;
  const words: string[] = [];
  if (row.type !== 'unicast') words.push(row.type);
  words.push(printPrefix(row.dst, 'default'));
  if (row.via !== undefined) words.push('via', row.via);
  if (row.dev !== undefined) words.push('dev', row.dev);
  const named = shown === 'all' ? row.table !== TABLE_MAIN : row.table !== shown;
  if (named) words.push('table', tableName(row.table));
  const protocol =
    typeof row.protocol === 'number' ? routeProtocolName(row.protocol) : row.protocol;
  if (protocol !== 'boot') words.push('proto', protocol);
  if (row.scope !== 'global') words.push('scope', row.scope);
  if (row.src !== undefined) words.push('src', row.src);
  if (row.metric !== 0) words.push('metric', String(row.metric));
  if (row.onlink) words.push('onlink');
  if (linkdown && row.dev !== undefined) words.push('linkdown');
  if (row.mtu) words.push('mtu', String(row.mtu));
  return words.join(' ');
};

/** Buckets of a namespace's tables (FIB_TABLE_HASHSZ, include/net/ip_fib.h). */
const TABLE_BUCKETS = 256;

/**
 * Rows in the order in which the kernel dumps them: tables by bucket, in each bucket the newest
 * first (inet_dump_fib, net/ipv4/fib_frontend.c), rows by address, then the longest prefix, then
 * the metric, then age (fib_insert_alias, net/ipv4/fib_trie.c).
 */
export const inDumpOrder = (rows: readonly FibEntry[]): FibEntry[] => {
  const age = new Map<number, number>();
  for (const { table } of rows) if (!age.has(table)) age.set(table, age.size);
  return rows
    .map((row, position) => ({ row, position, dst: parseCidr(row.dst) }))
    .sort(
      (a, b) =>
        (a.row.table % TABLE_BUCKETS) - (b.row.table % TABLE_BUCKETS) ||
        (age.get(b.row.table) ?? 0) - (age.get(a.row.table) ?? 0) ||
        a.dst.address - b.dst.address ||
        b.dst.prefix - a.dst.prefix ||
        a.row.metric - b.row.metric ||
        a.position - b.position,
    )
    .map(({ row }) => row);
};
