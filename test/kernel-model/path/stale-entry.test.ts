/** What a connection's entry decides after the rules have changed. */
import { describe, expect, it } from 'vitest';
import type { Probe } from '../../../src/kernel/probe.ts';
import type { World } from '../../../src/kernel/world.ts';
import { traceProbe } from '../../../src/trace/trace-probe.ts';
import { podIp } from '../../kernel/hand-made.ts';
import { after, build, META, NEIGHBOUR_IP, NODE, POD, ROUTES, tcp, udp } from './worlds.ts';

const SERVICE = '10.96.0.1';
const OLD = NEIGHBOUR_IP;
const NEW = podIp(1, 3);

const rule = (verb: string, to: string, protocol: string, port: number): string =>
  `iptables -t nat ${verb} PREROUTING -d ${SERVICE} -p ${protocol} -j DNAT --to-destination ${to}:${port}`;

/** The address that the first packet had when it came to a Pod. */
const backendOf = (world: World, probe: Probe): string | undefined => {
  const { facts } = traceProbe(world, probe, META);
  const steps = facts.legs[0]?.hops.flatMap((hop) => hop.steps) ?? [];
  const deliver = steps.findLast(({ kind }) => kind === 'deliver');
  return deliver && 'ip' in deliver.detail ? deliver.detail.ip : undefined;
};

describe('a backend that is no longer in the rules', () => {
  it.each([
    ['udp', udp(POD, SERVICE, { dport: 80, size: 5 }), 5353],
    ['tcp', tcp(POD, SERVICE, { dport: 80 }), 8080],
  ] as const)('still gets the packets of its connection: %s', (protocol, probe, port) => {
    const before = build({ ...ROUTES, pods: 3, bridgeNf: true }, [
      [NODE, rule('-A', OLD, protocol, port)],
    ]);
    const { world } = traceProbe(before, probe, META);
    const changed = after(world, [
      [NODE, rule('-D', OLD, protocol, port)],
      [NODE, rule('-A', NEW, protocol, port)],
    ]);
    expect(backendOf(changed, probe)).toBe(OLD);
    expect(backendOf(changed, { ...probe, sport: 40001 })).toBe(NEW);
  });
});
