/** Rules as programs hand them to iptables, in the order in which it prints their parts. */
import type { Match, Rule, Target } from '../kernel/netfilter/ruleset.ts';
import type { Origin } from '../kernel/origin.ts';
import type { Cidr } from '../wire/packet.ts';

export const from = (cidr: Cidr): Match => ({ kind: 'src', cidr, negate: false });
export const notFrom = (cidr: Cidr): Match => ({ kind: 'src', cidr, negate: true });
export const to = (cidr: Cidr): Match => ({ kind: 'dst', cidr, negate: false });
export const notTo = (cidr: Cidr): Match => ({ kind: 'dst', cidr, negate: true });

export const ofProtocol = (protocol: 'tcp' | 'udp' | 'sctp'): Match => ({
  kind: 'protocol',
  protocol,
  negate: false,
});
export const toPort = (port: number): Match => ({
  kind: 'dport',
  from: port,
  to: port,
  negate: false,
});
export const typed = (which: 'src' | 'dst', type: 'LOCAL'): Match => ({
  kind: 'addrtype',
  which,
  type,
  negate: false,
});
export const marked = (mark: number): Match => ({
  kind: 'mark',
  value: mark,
  mask: mark,
  negate: false,
});

export const ACCEPT: Target = { kind: 'ACCEPT' };
export const DROP: Target = { kind: 'DROP' };
export const RETURN: Target = { kind: 'RETURN' };
export const masquerade = (randomFully: boolean): Target => ({ kind: 'MASQUERADE', randomFully });
export const jump = (chain: string): Target => ({ kind: 'jump', chain });

/**
 * A rule with its comment.
 * @param extensions matches written with `-m` before the comment
 */
export const ruleOf = (
  comment: string,
  origin: Origin,
  matches: readonly Match[],
  target: Target,
  extensions: readonly Match[] = [],
): Rule => ({
  matches: [...matches, ...extensions],
  target,
  comment,
  ...(extensions.length > 0 && { commentAt: matches.length + extensions.length }),
  origin,
});

/** A rule with its comment, if it has one, before all extensions. */
export const plainRule = (
  origin: Origin,
  matches: readonly Match[],
  target: Target,
  comment?: string,
): Rule =>
  comment === undefined ? { matches, target, origin } : { matches, target, comment, origin };
