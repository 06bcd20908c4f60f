/** The second probe, which finds what the first one left behind: the simulator and a real kernel. */
import { describe, expect, it } from 'vitest';
import { resolveEndpoint } from '../../src/cluster/endpoint.ts';
import { probeFor } from '../../src/compile/probe.ts';
import { buildLab } from '../../src/lab/build.ts';
import { proveSecond } from '../../src/lab/prove-second.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';
import { commandWords } from '../../src/userland/edit/words.ts';
import {
  after,
  build,
  NEIGHBOUR_IP,
  NODE,
  POD,
  ROUTES,
  tcp,
  udp,
} from '../kernel-model/path/worlds.ts';
import { podIp } from './hand-made.ts';
import { lacking, privileged, suite } from './lab-machine.ts';
import { random } from './random.ts';
import { scenarioCase } from './random-scenario.ts';

describe.skipIf(lacking.length > 0)(suite('the second probe'), () => {
  it.each([
    ['basics/two-nodes', 'pod-a', 'pod-b', 'tcp'],
    ['basics/two-nodes', 'pod-a', 'pod-b', 'icmp'],
    ['basics/one-node', 'pod-a', 'pod-b', 'tcp'],
    ['bridge/static-routes', 'pod-a', 'pod-b', 'icmp'],
    ['outside/pod-to-outside', 'pod-a', 'external', 'icmp'],
    ['outside/pod-to-outside', 'pod-a', 'external:53', 'udp'],
  ] as const)('of %s from %s to %s, %s', async (name, from, to, protocol) => {
    const opened = await openBuiltIn(name);
    if (!opened.ok) throw new Error('does not open');
    const { cluster, world } = opened.scenario;
    const source = resolveEndpoint(cluster, from, { side: 'from' });
    const target = resolveEndpoint(cluster, to, { side: 'to' });
    if ('diagnostic' in source || 'diagnostic' in target) throw new Error('unknown endpoint');
    const plan = probeFor(cluster, world, source.target, target.target, { protocol });
    if (plan.kind !== 'probe') throw new Error(plan.kind);
    const lab = await buildLab(plan.world, privileged);
    try {
      const { differences, taps } = await proveSecond(lab, plan.probe);
      expect(differences).toEqual([]);
      expect(taps).toBeGreaterThan(0);
    } finally {
      await lab.stop();
    }
  });

  it.each([
    ['datagram stays with the backend that it had', 'udp', 5353, NEIGHBOUR_IP],
    ['connection goes where the rules lead now', 'tcp', 8080, podIp(1, 3)],
  ] as const)('after the rules changed: a %s', async (_, protocol, port, backend) => {
    const rule = (verb: string, to: string): string =>
      `iptables -t nat ${verb} PREROUTING -d 10.96.0.1 -p ${protocol} -j DNAT --to-destination ${to}:${port}`;
    const lab = await buildLab(
      build({ ...ROUTES, pods: 3, bridgeNf: true }, [[NODE, rule('-A', NEIGHBOUR_IP)]]),
      privileged,
    );
    const ns = lab.plan.names.get(NODE) ?? '';
    const commands = [rule('-A', podIp(1, 3)), rule('-D', NEIGHBOUR_IP)];
    const probe = { ...(protocol === 'tcp' ? tcp : udp)(POD, '10.96.0.1'), dport: 80 };
    try {
      const { facts, differences } = await proveSecond(lab, probe, {
        jobs: commands.map((command) => ({ ns, argv: commandWords(command) })),
        change: (world) =>
          after(
            world,
            commands.map((command) => [NODE, command]),
          ),
      });
      expect(differences).toEqual([]);
      const steps = facts.legs[0]?.hops.flatMap((hop) => hop.steps) ?? [];
      const delivered = steps.findLast(({ kind }) => kind === 'deliver')?.detail;
      expect(delivered && 'ip' in delivered && delivered.ip).toBe(backend);
    } finally {
      await lab.stop();
    }
  });

  it('of random flows over random clusters', async () => {
    const differing: string[] = [];
    let proved = 0;
    for (const seed of [1, 5]) {
      const one = await scenarioCase(random(seed), 6);
      for (const probe of one.probes) {
        const lab = await buildLab(one.world, privileged);
        try {
          const { facts, differences } = await proveSecond(lab, probe);
          if (facts.disposition === 'inconclusive') continue;
          proved += 1;
          if (differences.length > 0)
            differing.push([`seed ${seed}`, JSON.stringify(probe), ...differences].join('\n  '));
        } finally {
          await lab.stop();
        }
      }
    }
    expect(differing).toEqual([]);
    expect(proved).toBeGreaterThan(8);
  });
});
