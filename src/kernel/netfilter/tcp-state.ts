/** The states of a tracked TCP connection (net/netfilter/nf_conntrack_proto_tcp.c). */
import type { TcpFlag } from '../../wire/packet.ts';
import type { CtDir, TcpState } from './conntrack.ts';

type Segment = 'syn' | 'syn-ack' | 'fin' | 'ack' | 'rst' | 'none';

/** Combinations that a TCP may send (tcp_error): without PSH, which says nothing. */
const VALID: readonly string[] = ['syn', 'syn+ack', 'rst', 'rst+ack', 'fin+ack', 'ack'];

/** get_conntrack_index; `undefined` for flags that no TCP sends together. */
const segmentOf = (flags: readonly TcpFlag[]): Segment | undefined => {
  if (!VALID.includes(flags.filter((flag) => flag !== 'psh').join('+'))) return undefined;
  if (flags.includes('rst')) return 'rst';
  if (flags.includes('syn')) return flags.includes('ack') ? 'syn-ack' : 'syn';
  if (flags.includes('fin')) return 'fin';
  return flags.includes('ack') ? 'ack' : 'none';
};

type Next = TcpState | 'invalid' | 'ignored';

const afterSyn = (state: TcpState, dir: CtDir): Next => {
  switch (state) {
    case 'SYN_SENT':
      return dir === 'original' ? 'SYN_SENT' : 'SYN_SENT2';
    case 'SYN_SENT2':
      return 'SYN_SENT2';
    case 'TIME_WAIT':
      return 'SYN_SENT';
    case 'CLOSE':
      return dir === 'original' ? 'SYN_SENT' : 'invalid';
    default:
      return dir === 'original' ? 'ignored' : 'invalid';
  }
};

const afterSynAck = (state: TcpState, dir: CtDir): Next => {
  if (dir === 'reply')
    return state === 'SYN_SENT' || state === 'SYN_SENT2' ? 'SYN_RECV' : 'ignored';
  return state === 'SYN_RECV' || state === 'SYN_SENT2' ? 'SYN_RECV' : 'invalid';
};

const afterFin = (state: TcpState): Next => {
  switch (state) {
    case 'SYN_SENT':
    case 'SYN_SENT2':
      return 'invalid';
    case 'SYN_RECV':
    case 'ESTABLISHED':
      return 'FIN_WAIT';
    case 'FIN_WAIT':
    case 'CLOSE_WAIT':
    case 'LAST_ACK':
      return 'LAST_ACK';
    case 'TIME_WAIT':
    case 'CLOSE':
      return state;
    default: {
      const never: never = state;
      return never;
    }
  }
};

const afterAck = (state: TcpState, dir: CtDir): Next => {
  switch (state) {
    case 'SYN_SENT':
    case 'SYN_SENT2':
      return dir === 'original' ? 'invalid' : 'ignored';
    case 'SYN_RECV':
      return dir === 'original' ? 'ESTABLISHED' : 'SYN_RECV';
    case 'ESTABLISHED':
      return 'ESTABLISHED';
    case 'FIN_WAIT':
    case 'CLOSE_WAIT':
      return 'CLOSE_WAIT';
    case 'LAST_ACK':
    case 'TIME_WAIT':
      return 'TIME_WAIT';
    case 'CLOSE':
      return 'CLOSE';
    default: {
      const never: never = state;
      return never;
    }
  }
};

/**
 * What a segment does to a connection in a state (nf_conntrack_tcp_packet). Windows and sequence
 * numbers are taken to be right. `ignored`: it passes and changes nothing.
 */
export const tcpNext = (state: TcpState, dir: CtDir, flags: readonly TcpFlag[]): Next => {
  const segment = segmentOf(flags);
  switch (segment) {
    case undefined:
    case 'none':
      return 'invalid';
    case 'rst':
      return 'CLOSE';
    case 'syn':
      return afterSyn(state, dir);
    case 'syn-ack':
      return afterSynAck(state, dir);
    case 'fin':
      return afterFin(state);
    case 'ack':
      return afterAck(state, dir);
    default: {
      const never: never = segment;
      return never;
    }
  }
};

/**
 * The state that the first segment of a connection makes (tcp_new). With `loose`
 * (net.netfilter.nf_conntrack_tcp_loose) a bare ACK is taken for one whose start was not seen.
 */
export const tcpFirst = (flags: readonly TcpFlag[], loose: boolean): TcpState | 'invalid' => {
  switch (segmentOf(flags)) {
    case 'syn':
      return 'SYN_SENT';
    case 'ack':
      return loose ? 'ESTABLISHED' : 'invalid';
    default:
      return 'invalid';
  }
};
