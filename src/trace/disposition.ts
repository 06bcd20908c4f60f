/** How a leg ended, and what all legs together come to. */
import type { Story } from '../kernel/path/walk.ts';
import type { Disposition, LegPacket } from './trace.ts';

/** A packet ended one way: reached somebody, was answered with an error, or vanished. */
export const legDisposition = ({ fate, rejected, ambiguous }: Story): Disposition => {
  if (fate?.kind === 'inconclusive') return 'inconclusive';
  if (ambiguous || fate?.kind === 'ambiguous') return 'ambiguous';
  if (fate?.kind === 'delivered' || fate?.kind === 'refused') return fate.kind;
  if (fate?.kind === 'dropped' && fate.reason === 'looped') return 'looped';
  return rejected ? 'rejected' : 'dropped';
};

/** What the whole depends on: a leg's packet and how it ended. */
export interface Ended {
  readonly packet: LegPacket;
  readonly disposition: Disposition;
  /** Nobody but the kernels on the way hears of it: a redirect, an error about an answer. */
  readonly aside: boolean;
}

const RANK: readonly Disposition[] = ['inconclusive', 'ambiguous'];

/**
 * The disposition of a trace. What is not known of any leg that matters makes the whole unknown.
 * Otherwise the request decides, and once that was delivered, whether the answer came back and the
 * rest of the conversation went on.
 */
export const traceDisposition = (legs: readonly Ended[], answered: boolean): Disposition => {
  const told = legs.filter(({ aside }) => !aside);
  for (const unsure of RANK) if (told.some((leg) => leg.disposition === unsure)) return unsure;
  const [request, ...rest] = told;
  if (!request) return 'dropped';
  if (request.disposition !== 'delivered') return request.disposition;
  if (!answered) return 'reply-lost';
  const later = rest.filter(({ packet }) => packet === 'ack' || packet === 'data');
  return later.at(-1)?.disposition ?? 'delivered';
};
