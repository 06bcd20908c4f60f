/** What the application sees, from what its socket heard. */
import type { Errno } from '../kernel/event.ts';
import type { Disposition, Symptom } from './trace.ts';

const OF_ERRNO: Readonly<Record<Errno, Symptom>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EINVAL: 'invalid argument',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EMSGSIZE: 'message too long',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'timeout',
  ENOPROTOOPT: 'protocol not available',
};

/** What a sending socket knows when all is over. */
export interface Heard {
  /** TCP: the handshake is done. UDP and ICMP: the answer came. */
  readonly answered: boolean;
  readonly errno?: Errno;
  /** Data was sent after the handshake and nobody acknowledged it. */
  readonly stuck: boolean;
}

/** The symptom of a probe; nobody knows it where something that decides is not known. */
export const symptomOf = ({ answered, errno, stuck }: Heard, disposition: Disposition): Symptom => {
  if (disposition === 'inconclusive') return 'unknown';
  if (errno !== undefined) return OF_ERRNO[errno];
  if (stuck) return 'hangs on large data';
  return answered ? 'connected' : 'timeout';
};
