/** Names that iptables reads and prints for numbers. */
import type { Match, RejectWith } from '../../kernel/netfilter/ruleset.ts';

type Protocol = Extract<Match, { kind: 'protocol' }>['protocol'];

/** Protocols as `-p` prints them (/etc/protocols), beside those that the model speaks. */
const PROTOCOLS: readonly (readonly [string, number])[] = [
  ['igmp', 2],
  ['ipencap', 4],
  ['dccp', 33],
  ['ipv6', 41],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['ipv6-icmp', 58],
  ['ospf', 89],
  ['vrrp', 112],
  ['udplite', 136],
];

const SPOKEN: Readonly<Record<string, Protocol>> = {
  tcp: 'tcp',
  udp: 'udp',
  icmp: 'icmp',
  sctp: 'sctp',
  '1': 'icmp',
  '6': 'tcp',
  '17': 'udp',
  '132': 'sctp',
};

/** `undefined`: no such protocol. 0 stands for all of them. */
export const protocolFrom = (text: string): Protocol | 0 | undefined => {
  const lower = text.toLowerCase();
  const spoken = SPOKEN[lower];
  if (spoken !== undefined) return spoken;
  if (lower === 'all') return 0;
  const named = PROTOCOLS.find(([name]) => name === lower);
  if (named) return named[1];
  return /^\d{1,3}$/.test(lower) && Number(lower) < 256 ? Number(lower) : undefined;
};

export const protocolText = (protocol: Protocol): string =>
  typeof protocol === 'string'
    ? protocol
    : (PROTOCOLS.find(([, number]) => number === protocol)?.[0] ?? String(protocol));

/** Services that people write for a port (/etc/services). */
const PORTS: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  tftp: 69,
  http: 80,
  'http-alt': 8080,
  ntp: 123,
  snmp: 161,
  https: 443,
};

/** `undefined`: no port, and no service that is known here. */
export const portFrom = (text: string): number | undefined => {
  const named = PORTS[text];
  if (named !== undefined) return named;
  return /^\d{1,5}$/.test(text) && Number(text) < 65536 ? Number(text) : undefined;
};

/** Type and code by the name that `--icmp-type` takes (iptables, libxt_icmp). */
export const ICMP_NAMES: Readonly<Record<string, readonly [number, number?]>> = {
  any: [255],
  'echo-reply': [0],
  pong: [0],
  'destination-unreachable': [3],
  'network-unreachable': [3, 0],
  'host-unreachable': [3, 1],
  'protocol-unreachable': [3, 2],
  'port-unreachable': [3, 3],
  'fragmentation-needed': [3, 4],
  'source-route-failed': [3, 5],
  'network-unknown': [3, 6],
  'host-unknown': [3, 7],
  'network-prohibited': [3, 9],
  'host-prohibited': [3, 10],
  'communication-prohibited': [3, 13],
  'source-quench': [4],
  redirect: [5],
  'network-redirect': [5, 0],
  'host-redirect': [5, 1],
  'echo-request': [8],
  ping: [8],
  'time-exceeded': [11],
  'ttl-exceeded': [11],
  'ttl-zero-during-transit': [11, 0],
  'ttl-zero-during-reassembly': [11, 1],
  'parameter-problem': [12],
};

/** What `--reject-with` takes, short forms and all. */
export const REJECT_NAMES: Readonly<Record<string, RejectWith>> = {
  'icmp-net-unreachable': 'icmp-net-unreachable',
  'net-unreach': 'icmp-net-unreachable',
  'icmp-host-unreachable': 'icmp-host-unreachable',
  'host-unreach': 'icmp-host-unreachable',
  'icmp-port-unreachable': 'icmp-port-unreachable',
  'port-unreach': 'icmp-port-unreachable',
  'icmp-proto-unreachable': 'icmp-proto-unreachable',
  'proto-unreach': 'icmp-proto-unreachable',
  'icmp-net-prohibited': 'icmp-net-prohibited',
  'net-prohib': 'icmp-net-prohibited',
  'icmp-host-prohibited': 'icmp-host-prohibited',
  'host-prohib': 'icmp-host-prohibited',
  'icmp-admin-prohibited': 'icmp-admin-prohibited',
  'admin-prohib': 'icmp-admin-prohibited',
  'tcp-reset': 'tcp-reset',
  'tcp-rst': 'tcp-reset',
};

/** Targets of iptables 1.8.9 that are no chains and not modelled: kept word for word. */
export const OTHER_TARGETS: ReadonlySet<string> = new Set([
  'AUDIT',
  'CHECKSUM',
  'CLASSIFY',
  'CLUSTERIP',
  'CONNMARK',
  'CONNSECMARK',
  'CT',
  'DSCP',
  'ECN',
  'HMARK',
  'IDLETIMER',
  'LED',
  'NETMAP',
  'NFLOG',
  'NFQUEUE',
  'NOTRACK',
  'RATEEST',
  'REDIRECT',
  'SECMARK',
  'SET',
  'SYNPROXY',
  'TCPMSS',
  'TCPOPTSTRIP',
  'TEE',
  'TOS',
  'TPROXY',
  'TRACE',
  'TTL',
  'ULOG',
]);

const MODELLED: readonly string[] = ['MARK', 'LOG', 'REJECT', 'MASQUERADE', 'SNAT', 'DNAT'];

/** Whether no chain can have the name, since a target has it. */
export const isTarget = (name: string): boolean =>
  MODELLED.includes(name) || OTHER_TARGETS.has(name);

/** Commands and options of iptables that change no packet's way, or are not modelled. */
export const NOT_UNDERSTOOD: readonly string[] = [
  ...['-R', '--replace', '-E', '--rename-chain', '-C', '--check', '-L', '--list', '-S'],
  ...['--list-rules', '-h', '--help', '-V', '--version', '-6', '--ipv6', '-v', '--verbose'],
  ...['-n', '--numeric', '-x', '--exact', '-c', '--set-counters', '--line-numbers', '-M'],
  ...['--modprobe', '-W', '--wait-interval'],
];

/** Levels of `--log-level` (syslog). */
export const LOG_LEVELS: Readonly<Record<string, number>> = {
  emerg: 0,
  panic: 0,
  alert: 1,
  crit: 2,
  error: 3,
  err: 3,
  warning: 4,
  warn: 4,
  notice: 5,
  info: 6,
  debug: 7,
};
