/** What the rewriting of addresses comes to: the source that the server sees, the target reached. */
import type { NatEvent } from '../kernel/event.ts';
import type { Ip, Unknown } from '../wire/packet.ts';
import type { Hop, Leg, ReachedTarget, SeenSource, Step } from './trace.ts';

interface Placed {
  readonly hop: Hop;
  readonly step: Step;
}

const isTap = ({ kind }: Step): boolean => kind === 'transmit' || kind === 'receive';

/** The rewrites of one field, in order; conntrack's own of a later packet are among them. */
const rewrites = (placed: readonly Placed[], field: 'src' | 'dst'): Placed[] =>
  placed.filter(
    ({ step }) => step.kind === 'nat' && (step.detail as NatEvent['detail']).field === field,
  );

const stepsOf = ({ hops }: Leg): Placed[] =>
  hops.flatMap((hop) => hop.steps.map((step) => ({ hop, step })));

/** Source address and port of the flow's own header on a tap: the innermost one. */
const sourceOn = ({ packet = [] }: Step): { ip: Ip; port?: number | Unknown } | undefined => {
  const at = packet.findLastIndex((layer) => layer.type === 'ipv4');
  const header = packet[at];
  if (header?.type !== 'ipv4') return undefined;
  const above = packet[at + 1];
  const port = above?.type === 'tcp' || above?.type === 'udp' ? above.sport : undefined;
  return { ip: header.src, ...(port !== undefined && { port }) };
};

const isTaken = ({ hops }: Leg): boolean =>
  hops.at(-1)?.steps.some(({ kind }) => kind === 'deliver') === true;

/**
 * The source of the request as the socket at its end sees it. Undefined where nothing took the
 * packet.
 */
export const sourceSeen = (request: Leg | undefined): SeenSource | undefined => {
  if (request === undefined || !isTaken(request)) return undefined;
  const placed = stepsOf(request);
  const tap = placed.findLastIndex(({ step }) => isTap(step));
  const onWire = tap < 0 ? undefined : sourceOn((placed[tap] as Placed).step);
  const last = rewrites(placed, 'src').at(-1);
  if (last === undefined) return onWire;
  const { before, after } = last.step.detail as NatEvent['detail'];
  // A rewrite behind the last device (nat INPUT) shows on no capture.
  const seen = onWire === undefined || placed.indexOf(last) > tap ? after : onWire;
  return {
    ip: seen.ip,
    ...(seen.port !== undefined && { port: seen.port }),
    rewritten: { step: last.step.n, node: last.hop.node, netns: last.hop.netns, was: before },
  };
};

/** Where the last rewrite of the destination sends the request; undefined where nobody rewrote it. */
export const targetReached = (request: Leg | undefined): ReachedTarget | undefined => {
  const last = request && rewrites(stepsOf(request), 'dst').at(-1);
  if (!last) return undefined;
  const { ip, port } = (last.step.detail as NatEvent['detail']).after;
  return { ip, ...(port !== undefined && { port }), step: last.step.n };
};
