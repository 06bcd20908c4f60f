/** Virtual servers as ipvsadm 1.31 prints them (print_service_entry). */
import type { VirtualServer, VirtualServers } from '../../kernel/ipvs/virtual-server.ts';
import { sortMembers } from '../ipset/order.ts';

/** NVERSION of Linux 6.1, and ip_vs_conn_tab_size as it is built. */
const HEAD = [
  'IP Virtual Server version 1.2.1 (size=4096)',
  'Prot LocalAddress:Port Scheduler Flags',
  '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
];

interface End {
  readonly ip: string;
  readonly port: number;
}

const endText = ({ ip, port }: End): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

/** By address as a number, then by port. */
const inOrder = <Row extends End>(rows: readonly Row[]): Row[] => {
  const keys = new Map(rows.map((row) => [row, `${row.ip},tcp:${row.port}`]));
  const order = new Map(sortMembers(keys.values()).map((key, at) => [key, at]));
  const place = (row: Row): number => order.get(keys.get(row) ?? '') ?? 0;
  return [...rows].sort((a, b) => place(a) - place(b));
};

/** ipvs_cmp_services: IPv4 first, then by protocol, address and port. */
const servicesInOrder = (servers: VirtualServers): VirtualServer[] =>
  [false, true].flatMap((six) =>
    PROTOCOLS.flatMap((protocol) =>
      inOrder(
        [...servers.values()].filter(
          (server) => server.protocol === protocol && server.ip.includes(':') === six,
        ),
      ),
    ),
  );

const NAME = 28;

/** `Forward`, `Weight`, and the connections, of which a namespace that nothing was sent through has none. */
const serverText = (weight: number): string =>
  ['Masq'.padEnd(7), String(weight).padEnd(6), '0'.padEnd(10), '0'.padEnd(10)].join(' ');

const lines = (server: VirtualServer): string[] => {
  const { protocol, scheduler, persistent, flags = [], servers } = server;
  const how = flags.length === 0 ? scheduler : `${scheduler} (${flags.join(',')})`;
  const stays = persistent === undefined ? '' : ` persistent ${persistent}`;
  return [
    `${protocol.toUpperCase().padEnd(4)} ${endText(server)} ${how}${stays}`,
    ...inOrder(servers).map(
      (real) => `  -> ${endText(real).padEnd(NAME)} ${serverText(real.weight)}`,
    ),
  ];
};

/** `ipvsadm -Ln`. */
export const ipvsadmList = (servers: VirtualServers): string[] => [
  ...HEAD,
  ...servicesInOrder(servers).flatMap(lines),
];
