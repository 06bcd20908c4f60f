/** Worlds for the walk: a cluster made by hand, and what an operator did to it. */
import { socketAdd } from '../../../src/kernel/netlink.ts';
import type { Probe } from '../../../src/kernel/probe.ts';
import type { NetnsId, World } from '../../../src/kernel/world.ts';
import { withCuts } from '../../../src/kernel/world-build.ts';
import type { TraceMeta } from '../../../src/trace/trace-probe.ts';
import { applyCommand } from '../../../src/userland/edit/apply-command.ts';
import {
  type ClusterSpec,
  cluster,
  type Draft,
  podIp,
  podName,
  worldOf,
} from '../../kernel/hand-made.ts';

export const POD = podName(1, 1);
export const NEIGHBOUR = podName(1, 2);
export const OTHER = podName(2, 1);
export const NODE = 'node-1/host';
export const NODE_2 = 'node-2/host';

export const POD_IP = podIp(1, 1);
export const NEIGHBOUR_IP = podIp(1, 2);
export const OTHER_IP = podIp(2, 1);

export const VXLAN: ClusterSpec = { nodes: 2, pods: 2, join: 'vxlan', podMtu: 1450 };
export const ROUTES: ClusterSpec = { nodes: 2, pods: 2, join: 'routes' };

/** What is typed where, in order. */
export type Typed = readonly (readonly [NetnsId, string])[];

/**
 * The World after commands.
 * @throws {Error} when a command fails
 */
export const after = (world: World, typed: Typed): World => {
  let now = world;
  for (const [netns, command] of typed) {
    const outcome = applyCommand(now, netns, command);
    if (!outcome.ok) throw new Error(`${netns}: ${command}: ${JSON.stringify(outcome)}`);
    now = outcome.world;
  }
  return now;
};

export const build = (
  spec: ClusterSpec,
  typed: Typed = [],
  change?: (made: Draft) => void,
): World => {
  const made = cluster(spec);
  change?.(made);
  return after(worldOf(made), typed);
};

/** A listener that is not the one that every Pod has. */
export const listen = (made: Draft, id: NetnsId, socket: Parameters<typeof socketAdd>[1]): void => {
  const netns = made.get(id);
  if (!netns) throw new RangeError(id);
  socketAdd(netns, socket);
};

/** A wire that loses what it carries, one way. */
export const cut = (
  world: World,
  from: string,
  to: string,
  drop: Parameters<typeof withCuts>[2][number]['drop'],
): World => withCuts(world, 'underlay', [{ from, to, drop }]);

export const tcp = (from: NetnsId, dst: string, more: Partial<Probe> = {}): Probe => ({
  from: { netns: from },
  protocol: 'tcp',
  dst,
  dport: 8080,
  sport: 40000,
  ...more,
});

export const udp = (from: NetnsId, dst: string, more: Partial<Probe> = {}): Probe => ({
  from: { netns: from },
  protocol: 'udp',
  dst,
  dport: 5353,
  sport: 40000,
  ...more,
});

export const ping = (from: NetnsId, dst: string, more: Partial<Probe> = {}): Probe => ({
  from: { netns: from },
  protocol: 'icmp',
  dst,
  sport: 4711,
  ...more,
});

export const META: TraceMeta = {
  scenario: 'hand-made',
  probe: {
    from: { text: 'from', kind: 'ip' },
    to: { text: 'to', kind: 'ip' },
    protocol: 'any',
  },
  assumptions: [],
};
