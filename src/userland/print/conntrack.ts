/** Connections as `conntrack -L` prints them (conntrack-tools 1.4.7, libnetfilter_conntrack 1.0.9). */
import type { ConntrackEntry, CtTuple } from '../../kernel/netfilter/conntrack.ts';
import type { Unknown } from '../../wire/packet.ts';

const NUMBERS = { icmp: 1, tcp: 6, udp: 17 } as const;

/** A port that only a running kernel knows is the range that it comes from. */
const port = (value: number | Unknown): string =>
  typeof value === 'number' ? String(value) : value.range.join('-');

const tuple = ({ src, dst, sport, dport, protocol }: CtTuple, type: number): string =>
  protocol === 'icmp'
    ? `src=${src} dst=${dst} type=${type} code=0 id=${port(sport)}`
    : `src=${src} dst=${dst} sport=${port(sport)} dport=${port(dport)}`;

const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;

/** One line, without the seconds that are left and the use count, which the model does not have. */
export const printConntrack = (entry: ConntrackEntry): string => {
  const { original, reply, tcpState, seenReply, assured } = entry;
  const { protocol } = original;
  return [
    `${protocol.padEnd(8)} ${NUMBERS[protocol]}`,
    tcpState ?? '',
    tuple(original, ECHO_REQUEST),
    seenReply ? '' : '[UNREPLIED]',
    tuple(reply, ECHO_REPLY),
    assured ? '[ASSURED]' : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
};
