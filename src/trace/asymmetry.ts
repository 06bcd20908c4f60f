/** Packets that are lost because the two directions of a connection take different ways. */
import type { RouteEvent, RuleEvent } from '../kernel/event.ts';
import { strayOf } from './stray.ts';
import type { Hop, Step, TraceFacts } from './trace.ts';
import type { Finding, Found, View } from './view.ts';

/** A rule against packets of no known connection, met by one: conntrack saw but one direction. */
export const isAgainstInvalid = (hop: Hop, { n, detail }: Step): boolean => {
  const { rule } = detail as RuleEvent['detail'];
  const names = rule?.matches.some(
    (match) => match.kind === 'ctstate' && !match.negate && match.states.includes('INVALID'),
  );
  const tracked = hop.steps.findLast((one) => one.kind === 'conntrack' && one.n < n);
  return names === true && tracked?.action === 'invalid';
};

/** The cause at such a rule: what to mend is where the packet left the way of the other direction. */
export const invalidFinding = (view: View, { leg, step }: Found): Finding => {
  const stray = strayOf(view, leg, step.n);
  return {
    code: 'CT_INVALID',
    ...(stray?.about && { about: stray.about }),
    ...(stray?.origin && { origin: stray.origin }),
  };
};

/** By which device the request left a namespace; undefined: it did not pass. */
const requestLeftBy = ({ legs }: TraceFacts, { node, netns }: Hop): string | undefined =>
  legs[0]?.hops
    .filter((one) => one.node === node && one.netns === netns)
    .flatMap(({ steps }) => steps.filter(({ kind }) => kind === 'route'))
    .map(({ detail }) => detail as RouteEvent['detail'])
    .filter(({ purpose }) => purpose === 'input' || purpose === 'output')
    .map(({ row, nexthop }) => (nexthop ?? row)?.dev)[0];

/** The code where the reverse path filter drops: the packet itself, or an answer that strayed. */
export const reversePathCode = (
  facts: TraceFacts,
  { leg, hop, step }: Found,
): 'REPLY_ASYMMETRIC' | 'RP_FILTER_DROP' => {
  if (leg.direction !== 'reply') return 'RP_FILTER_DROP';
  const left = requestLeftBy(facts, hop);
  return left !== undefined && left !== step.device ? 'REPLY_ASYMMETRIC' : 'RP_FILTER_DROP';
};
