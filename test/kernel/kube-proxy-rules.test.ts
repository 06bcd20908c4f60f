/**
 * What `k8snet exec … iptables-save` prints is what the real tool prints of the same rules: they are
 * loaded with iptables-restore (nf_tables) and printed back, byte for byte the same.
 */
import { describe, expect, it } from 'vitest';
import type { Service, SliceEndpoint } from '../../src/cluster/cluster.ts';
import { compileWorld } from '../../src/compile/compile.ts';
import type { Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import type { Netns } from '../../src/kernel/world.ts';
import { startAgent } from '../../src/lab/agent.ts';
import { iptablesSave } from '../../src/userland/iptables/print.ts';
import { cluster } from '../compile/cluster.ts';
import {
  endpoint,
  proxyConfig,
  service,
  servicePort,
  slice,
  vip,
} from '../compile/kube-proxy/services.ts';
import { lacking, privileged, suite } from './lab-machine.ts';
import { type Random, random } from './random.ts';
import { seedsOf } from './seeds.ts';

const SEEDS = 12;
const COUNTERS = ['ct_state_invalid_dropped_pkts', 'localhost_nps_accepted_pkts'];

const endpointsOf = (family: 4 | 6, { below, chance, pick }: Random): SliceEndpoint[] =>
  Array.from({ length: pick([0, 1, 2, 3, 7]) }, (_, at) => {
    const ready = chance(0.8);
    return endpoint(
      family === 4 ? `10.244.${1 + below(2)}.${10 + at}` : `fd00::${10 + at}`,
      pick(['node-1', 'node-2']),
      {
        ready,
        serving: ready || chance(0.7),
        terminating: !ready && chance(0.7),
        ...(chance(0.3) && { hints: { zones: [pick(['a', 'b'])], nodes: [] } }),
      },
    );
  });

const serviceOf = (at: number, random: Random): Service => {
  const { chance, pick } = random;
  const type = pick(['ClusterIP', 'NodePort', 'LoadBalancer'] as const);
  const ports = ['http', 'dns'].slice(0, pick([1, 2])).map((name, n) =>
    servicePort(pick([80, 443, 53]) + n * 1000, {
      ...(n > 0 || chance(0.5) ? { name } : {}),
      protocol: pick(['tcp', 'udp', 'sctp']),
      ...(type !== 'ClusterIP' && { nodePort: 30000 + at * 4 + n }),
    }),
  );
  const slicesOf = (family: 4 | 6) =>
    slice(`s-${family}`, endpointsOf(family, random), {
      family,
      ports: ports.map(({ name, protocol }, n) => ({
        ...(name !== undefined && { name }),
        protocol,
        port: 8080 + n,
      })),
    });
  return service(`web-${at}`, {
    namespace: pick(['default', 'shop']),
    type,
    ports,
    clusterIPs: [
      { ip: `10.96.1.${at + 1}`, family: 4, invented: false },
      { ip: `fd00:10:96::${at + 1}`, family: 6, invented: false },
    ],
    externalIPs: chance(0.3) ? [`203.0.113.${100 + at}`, `2001:db8::${at + 1}`] : [],
    ingress: type === 'LoadBalancer' ? [vip(`198.51.100.${at + 1}`)] : [],
    sourceRanges: chance(0.4) ? ['192.168.10.0/24', '203.0.113.0/25', '2001:db8::/32'] : [],
    externalTrafficPolicy: pick(['Cluster', 'Local']),
    internalTrafficPolicy: pick(['Cluster', 'Cluster', 'Local']),
    healthCheckNodePort: 32000 + at,
    ...(chance(0.3) && { affinitySeconds: pick([10800, 60]) }),
    slices: [slicesOf(4), slicesOf(6)],
  });
};

const hostOf = (random: Random): Netns => {
  const { chance, pick } = random;
  const services = Array.from({ length: 12 }, (_, at) => serviceOf(at, random));
  const world = compileWorld(
    cluster({
      services,
      kubeProxy: proxyConfig({
        detectLocalMode: pick([
          'ClusterCIDR',
          'NodeCIDR',
          'BridgeInterface',
          'InterfaceNamePrefix',
          'none',
        ]),
        detectLocal: { bridgeInterface: 'cni0', interfaceNamePrefix: 'veth' },
        nodePortAddresses: pick([[], ['primary'], ['127.0.0.0/8', '192.168.0.0/16'], []]),
        masqueradeAll: chance(0.3),
        masqueradeBit: pick([14, 14, 0, 31]),
        localhostNodePorts: chance(0.7),
      }),
    }),
  );
  return netnsOf(world, 'node-1/host');
};

const text = (ruleset: Ruleset): string => iptablesSave(ruleset).join('\n');

const withoutComments = (printed: string): string =>
  printed
    .split('\n')
    .filter((line) => !line.startsWith('#') && line !== '')
    .join('\n');

describe.skipIf(lacking.length > 0)(suite('rules of kube-proxy'), () => {
  it('are printed as the real tools print them back', async () => {
    const seeds = [...seedsOf(SEEDS)];
    const agent = startAgent(privileged);
    try {
      await agent.ask('make', { names: seeds.map((seed) => `n${seed}`) });
      await agent.ask('account', {
        counters: Object.fromEntries(seeds.map((seed) => [`n${seed}`, COUNTERS])),
      });
      for (const seed of seeds) {
        const ns = `n${seed}`;
        const { netfilter, netfilter6 } = hostOf(random(seed));
        const families = [
          ['iptables', text(netfilter)],
          ['ip6tables', text(netfilter6)],
        ] as const;
        for (const [tool, rules] of families) {
          const [loaded] = await agent.ask('run', {
            jobs: [{ ns, argv: [`${tool}-restore`], input: `${rules}\n` }],
          });
          const [saved] = await agent.ask('run', { jobs: [{ ns, argv: [`${tool}-save`] }] });
          expect([loaded?.[0], loaded?.[2]], `seed ${seed}: ${tool}-restore`).toEqual([0, '']);
          expect(withoutComments(saved?.[1] ?? ''), `seed ${seed}: ${tool}-save`).toBe(rules);
        }
      }
    } finally {
      await agent.stop();
    }
  });
});
