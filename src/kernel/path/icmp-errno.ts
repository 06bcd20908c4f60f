/** What a socket makes of an ICMP error (icmp_err_convert, net/ipv4/icmp.c). */
import type { Errno } from '../event.ts';
import type { FlowSocket } from './walk.ts';

type IcmpError = Parameters<FlowSocket['error']>[0];

const FRAG_NEEDED = 4;

/** By code of destination-unreachable: the errno, and whether it ends a connected UDP socket. */
const CONVERT: Readonly<Record<number, { readonly errno: Errno; readonly fatal: boolean }>> = {
  0: { errno: 'ENETUNREACH', fatal: false },
  1: { errno: 'EHOSTUNREACH', fatal: false },
  2: { errno: 'ENOPROTOOPT', fatal: true },
  3: { errno: 'ECONNREFUSED', fatal: true },
  4: { errno: 'EMSGSIZE', fatal: false },
  9: { errno: 'ENETUNREACH', fatal: true },
  10: { errno: 'EHOSTUNREACH', fatal: true },
  13: { errno: 'EHOSTUNREACH', fatal: true },
};

const errnoOf = ({ kind, code }: IcmpError): { errno: Errno; fatal: boolean } | undefined => {
  if (kind === 'destination-unreachable') return CONVERT[code];
  return kind === 'time-exceeded' ? { errno: 'EHOSTUNREACH', fatal: false } : undefined;
};

const isPmtu = ({ kind, code }: IcmpError): boolean =>
  kind === 'destination-unreachable' && code === FRAG_NEEDED;

/** tcp_v4_err: a socket that connects fails with any error; one that is connected goes on. */
export const tcpError = (icmp: IcmpError, connected: boolean): Errno | undefined =>
  connected || isPmtu(icmp) ? undefined : errnoOf(icmp)?.errno;

/** __udp4_lib_err: a connected socket hears the fatal errors only, and MTUs. */
export const udpError = (icmp: IcmpError): Errno | undefined => {
  const known = errnoOf(icmp);
  return known?.fatal || isPmtu(icmp) ? known?.errno : undefined;
};

/** raw_err with IP_RECVERR, which is how ping(8) listens: every error is heard. */
export const pingError = (icmp: IcmpError): Errno | undefined => errnoOf(icmp)?.errno;
