/** Flows through a router with several next hops: each takes one that the model holds possible, and stays on it. */
import { describe, expect, it } from 'vitest';
import { addrAdd, routeAdd } from '../../src/kernel/netlink.ts';
import type { Probe } from '../../src/kernel/probe.ts';
import { cluster, netnsOf, nodeIp, nodeName, podName, worldOf } from './hand-made.ts';
import { lacking, privileged, suite, tell, WIDTH } from './lab-machine.ts';
import { runProofs, summary } from './proof-run.ts';

const NODES = [2, 3];
const SHARED = [1, 2, 3, 4].map((n) => `10.99.0.${n}`);

const world = () => {
  const made = cluster({ nodes: 3, pods: 1, join: 'routes', gatewayRoutes: true });
  for (const node of NODES)
    for (const ip of SHARED)
      addrAdd(netnsOf(made, `${nodeName(node)}/host`), 'lo', { ip, prefix: 32, scope: 'global' });
  routeAdd(netnsOf(made, 'gw/host'), {
    dst: '10.99.0.0/24',
    nexthops: NODES.map((node) => ({ via: nodeIp(node), dev: 'eth0', weight: node })),
  });
  return worldOf(made);
};

const probes: Probe[] = SHARED.flatMap((dst) => {
  const from = { netns: podName(1, 1) };
  return [
    { from, protocol: 'tcp', dst, dport: 10250, sport: 40000 },
    { from, protocol: 'tcp', dst, dport: 81, sport: 40001 },
    { from, protocol: 'icmp', dst, sport: 40002 },
  ] satisfies Probe[];
});

describe.skipIf(lacking.length > 0)(suite('several next hops'), () => {
  it('agrees with the simulator about every flow', async () => {
    const about = 'a router between a Pod and two nodes that share addresses';
    const total = await runProofs(
      [{ name: 'multipath', about, world: world(), probes }],
      WIDTH,
      privileged,
    );
    tell(`kernel proof, several next hops: ${summary(total)}`);
    expect(total.failures.join('\n\n')).toBe('');
    expect(total.flows).toBe(probes.length);
    expect([...total.inconclusive]).toEqual([]);
  });
});
