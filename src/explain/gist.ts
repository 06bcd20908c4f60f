/** A trace in one sentence: which of the basic stories it tells. */
import type { Leg, TraceFacts } from '../trace/trace.ts';
import { eventOf } from './event-of.ts';

/**
 * loopback: within one namespace. bridge: switched, no router. veth: between a node and a Pod of its
 * own. node: through the routing of one node. routed: over the nodes' network as it is. tunnel:
 * inside another packet. outside: to or from a host that is not of the cluster.
 */
export type Gist = 'loopback' | 'bridge' | 'veth' | 'node' | 'routed' | 'tunnel' | 'outside';

/** What a host is to the cluster. */
export type Machine = 'node' | 'router' | 'outside';

/** @returns undefined where the packet did not arrive: then the story is why. */
export function gistOf(
  { legs: [leg] }: TraceFacts,
  machine: (name: string) => Machine,
): Gist | undefined {
  if (leg === undefined || leg.disposition !== 'delivered') return undefined;
  const nodes = new Set(leg.hops.map(({ node }) => node));
  if (leg.hops.length === 1) return 'loopback';
  if ([...nodes].some((name) => machine(name) === 'outside')) return 'outside';
  if (passes(leg, 'encapsulate')) return 'tunnel';
  if (nodes.size > 1) return 'routed';
  if (passes(leg, 'forward')) return 'node';
  if (leg.hops.length === 2) return 'veth';
  return switched(leg) ? 'bridge' : 'node';
}

function passes({ hops }: Leg, kind: string): boolean {
  return hops.some(({ steps }) => steps.some((step) => step.kind === kind));
}

/** A bridge sent it from port to port. */
function switched({ hops }: Leg): boolean {
  return hops.some(({ steps }) =>
    steps.some((step) => {
      const event = eventOf(step);
      return event.kind === 'bridge' && event.detail.outPort !== undefined;
    }),
  );
}
