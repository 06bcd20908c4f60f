/** What `conntrack -L -o extended` prints, as entries. */
import type { ConntrackEntry, CtTuple, TcpState } from '../kernel/netfilter/conntrack.ts';

type Protocol = CtTuple['protocol'];

const isProtocol = (text: string | undefined): text is Protocol =>
  text === 'tcp' || text === 'udp' || text === 'icmp';

/** The nth `key=value` of a line: the original direction is printed first, the reply second. */
const nth = (line: string, key: string, n: number): string | undefined =>
  [...line.matchAll(new RegExp(`\\b${key}=(\\S+)`, 'g'))][n]?.[1];

const tuple = (line: string, protocol: Protocol, n: 0 | 1): CtTuple => {
  const port = (key: string): number =>
    Number(nth(line, protocol === 'icmp' ? 'id' : key, n) ?? Number.NaN);
  return {
    src: nth(line, 'src', n) ?? '',
    dst: nth(line, 'dst', n) ?? '',
    protocol,
    sport: port('sport'),
    dport: port('dport'),
  };
};

const entry = (line: string): ConntrackEntry[] => {
  const [, , protocol, , , state] = line.trim().split(/\s+/);
  if (!isProtocol(protocol)) return [];
  const original = tuple(line, protocol, 0);
  const reply = tuple(line, protocol, 1);
  return [
    {
      original,
      reply,
      seenReply: !line.includes('[UNREPLIED]'),
      assured: line.includes('[ASSURED]'),
      snat: reply.dst !== original.src || reply.dport !== original.sport,
      dnat: reply.src !== original.dst || reply.sport !== original.dport,
      ...(protocol === 'tcp' && state !== undefined && { tcpState: state as TcpState }),
      confirmed: true,
      srcNatDone: true,
      dstNatDone: true,
    },
  ];
};

/** One entry a line of IPv4 TCP, UDP and ICMP; anything else is left out. */
export const parseConntrack = (text: string): ConntrackEntry[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('ipv4'))
    .flatMap(entry);
