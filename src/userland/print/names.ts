/** Names for numbers, as Debian 12 ships them in /etc/iproute2 (rt_tables, rt_protos). */

const TABLES: readonly (readonly [number, string])[] = [
  [0, 'unspec'],
  [253, 'default'],
  [254, 'main'],
  [255, 'local'],
];

const PROTOCOLS: readonly (readonly [number, string])[] = [
  [0, 'unspec'],
  [1, 'redirect'],
  [2, 'kernel'],
  [3, 'boot'],
  [4, 'static'],
  [8, 'gated'],
  [9, 'ra'],
  [10, 'mrt'],
  [11, 'zebra'],
  [12, 'bird'],
  [13, 'dnrouted'],
  [14, 'xorp'],
  [15, 'ntk'],
  [16, 'dhcp'],
  [18, 'keepalived'],
  [42, 'babel'],
  [99, 'openr'],
  [186, 'bgp'],
  [187, 'isis'],
  [188, 'ospf'],
  [189, 'rip'],
  [192, 'eigrp'],
];

const tableNames = new Map(TABLES);
const tableNumbers = new Map(TABLES.map(([number, name]) => [name, number]));
const protocolNames = new Map(PROTOCOLS);
const protocolNumbers = new Map(PROTOCOLS.map(([number, name]) => [name, number]));

/** `main`, or the number where a table has no name. */
export const tableName = (table: number): string => tableNames.get(table) ?? String(table);

/** The table of that name; undefined where it has none. Numbers are not read here. */
export const tableNumber = (name: string): number | undefined => tableNumbers.get(name);

/** `bird` for 12, or the number where a routing protocol has no name. */
export const routeProtocolName = (protocol: number): string =>
  protocolNames.get(protocol) ?? String(protocol);

/** The routing protocol of that name; undefined where there is none. */
export const routeProtocolNumber = (name: string): number | undefined => protocolNumbers.get(name);
