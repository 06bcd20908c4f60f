/** Random scenarios as text, opened as any input is, with random faults and probes. */
import { openScenario } from '../../src/scenario/open.ts';
import type { Random } from './random.ts';
import type { RandomCase } from './random-cluster.ts';
import { randomProbe, withFaults } from './random-fault.ts';
import { NETWORKS } from './random-networks.ts';

const LISTEN = [
  '8080/tcp, 5353/udp',
  '8080/tcp, 5353/udp',
  '8080/tcp',
  '127.0.0.1:8080/tcp, 5353/udp',
  '127.0.0.1:5353/udp',
  '',
];

const configOf = (plugin: 'bridge' | 'flannel', { chance, pick }: Random): object => {
  if (plugin === 'flannel') return {};
  return {
    ...(chance(0.4) && { ipMasq: true }),
    ...(chance(0.3) &&
      pick([{ hairpinMode: true }, { promiscMode: true }, { portIsolation: true }])),
    ...(chance(0.3) && { mtu: pick([1400, 1300, 9000]) }),
  };
};

const document = (random: Random): object => {
  const { below, chance, pick } = random;
  const network = pick(NETWORKS);
  const nodes = Array.from({ length: 1 + below(4) }, (_, n) => ({
    name: `node-${n + 1}`,
    sysctl: {
      ...(chance(0.5) && { 'net.bridge.bridge-nf-call-iptables': pick([0, 1]) }),
      ...(chance(0.1) && { 'net.ipv4.ip_forward': 0 }),
      ...(chance(0.15) && { 'net.ipv4.conf.all.rp_filter': pick([1, 2]) }),
    },
  }));
  return {
    apiVersion: 'k8snet/v1',
    kind: 'Scenario',
    metadata: { name: 'random' },
    spec: {
      network: { ...network, config: configOf(network.plugin, random) },
      underlay: { mtu: pick([1500, 1500, 1500, 1400, 9000]) },
      nodes,
    },
  };
};

const pods = (nodes: number, { below, chance, pick }: Random): object[] =>
  Array.from({ length: nodes }, (_, node) =>
    Array.from({ length: 1 + below(pick([2, 3, 8])) }, (__, pod) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `pod-${node + 1}-${pod + 1}`,
        annotations: { 'k8snet/listen': pick(LISTEN) },
      },
      spec: {
        nodeName: `node-${node + 1}`,
        ...(pod > 0 && chance(0.1) && { hostNetwork: true }),
        containers: [{ name: 'app', image: 'app' }],
      },
    })),
  ).flat();

const PORTS = { tcp: [8080, 8080, 8080, 10250, 81], udp: [5353, 5353, 54] };

/** A scenario of 1 to 4 nodes with 1 to 8 Pods each, of any plugin and back end. */
export const scenarioCase = async (random: Random, flows: number): Promise<RandomCase> => {
  const scenario = document(random);
  const { nodes } = (scenario as { spec: { nodes: object[] } }).spec;
  const items = [scenario, ...pods(nodes.length, random)];
  const text = items.map((item) => JSON.stringify(item)).join('\n---\n');
  const opened = await openScenario([{ file: 'random.yaml', text }]);
  if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
  const sound = opened.scenario.world;
  const { world, faults } = withFaults(sound, random);
  return {
    about: JSON.stringify((scenario as { spec: object }).spec),
    faults,
    world,
    probes: Array.from({ length: flows }, (_, n) => randomProbe(sound, random, 40000 + n, PORTS)),
  };
};
