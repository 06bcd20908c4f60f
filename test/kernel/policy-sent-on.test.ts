/**
 * The output chain of the policies' table in IPVS mode, judged by a real kernel. It has no IPVS: raw
 * packets with sources of Pods, of the node and of the outside stand for what IPVS would send on.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster, Pod } from '../../src/cluster/cluster.ts';
import type { Party, PolicyQuestion } from '../../src/policy/verdict.ts';
import { openScenario } from '../../src/scenario/open.ts';
import { nftListRuleset } from '../../src/userland/nft/print.ts';
import { tableOn } from '../compile/policy/policed.ts';
import { tell } from './lab-machine.ts';
import { openPrivateNetwork, type PrivateNetwork } from './private-network.ts';
import { random } from './random.ts';
import { CLOSED, OPEN, randomPolicies, randomTopology } from './random-policies.ts';
import { missing } from './requirements.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const lacking = missing(['unshare', 'nsenter', 'ip', 'nft', 'python3']);

const NODE = 'node-1';
const VIP = '10.96.0.10';
const CLIENT = '203.0.113.10';
const AGENT = join(import.meta.dirname, 'sent-on-agent.py');

interface Cell {
  readonly src: string;
  readonly dst: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly expected: 'passed' | 'dropped' | 'unknown';
}

type Judge = (question: PolicyQuestion) => 'allow' | 'deny' | 'unknown';

const hasOwnIp = ({ ip, hostNetwork, phase }: Pod): boolean =>
  ip !== undefined && !hostNetwork && phase === 'Running';

const PORTS = [
  ...[...OPEN.tcp, CLOSED.tcp].map((port) => ({ protocol: 'tcp', port }) as const),
  ...[...OPEN.udp, CLOSED.udp].map((port) => ({ protocol: 'udp', port }) as const),
];

/** Both sides, each asked of the node's own Pods only. */
const expectedOf = (answers: readonly ReturnType<Judge>[]): Cell['expected'] => {
  if (answers.includes('deny')) return 'dropped';
  return answers.includes('unknown') ? 'unknown' : 'passed';
};

const cellsOf = ({ pods }: Cluster, judge: Judge, nodeIps: readonly string[]): Cell[] => {
  const all = pods.flatMap((pod, index) =>
    hasOwnIp(pod) && pod.ip !== undefined ? [{ ip: pod.ip, index, own: pod.node === NODE }] : [],
  );
  const others = [...nodeIps, CLIENT].map((ip) => ({ ip, index: undefined, own: false }));
  return [...all, ...others].flatMap((from) =>
    all.flatMap((to) =>
      PORTS.map(({ protocol, port }): Cell => {
        const party = ({ ip, index }: { ip: string; index: number | undefined }): Party => {
          if (index !== undefined) return { kind: 'pod', pod: index };
          return nodeIps.includes(ip) ? { kind: 'node', node: NODE } : { kind: 'address', ip };
        };
        const ask = (direction: PolicyQuestion['direction']) => {
          const [subject, peer] = direction === 'egress' ? [from, to] : [to, from];
          if (!subject.own || subject.index === undefined) return [];
          const ends = { subject: subject.index, peer: party(peer), peerIp: peer.ip };
          return [judge({ direction, ...ends, protocol, port })];
        };
        const expected = expectedOf([...ask('egress'), ...ask('ingress')]);
        return { src: from.ip, dst: to.ip, protocol, port, expected };
      }),
    ),
  );
};

describe.skipIf(lacking.length > 0)(`policies of what IPVS sends on${lacking.join(', ')}`, () => {
  const met = { passed: 0, dropped: 0, unknown: 0 };
  let network: PrivateNetwork;

  beforeAll(async () => {
    network = await openPrivateNetwork();
    await network.root.run(`
      ip link add eth0 type veth peer name wire
      ip addr add 192.168.10.11/24 dev eth0
      ip addr add 10.244.1.1/24 dev eth0
      ip addr add ${VIP}/32 dev lo
      ip link set eth0 up
      ip link set wire up
      ip route add 10.244.0.0/16 dev eth0`);
  });

  afterAll(async () => {
    await network?.close();
  });

  it.each(seedsOf(24))('of random set %i', async (seed) => {
    const source = random(seed);
    const documents = randomPolicies(randomTopology(source, true), source);
    const text = documents.map((one) => JSON.stringify(one)).join('\n---\n');
    const opened = await openScenario([{ file: 'sent-on.yaml', text }], {
      set: ['kubeProxy.mode=ipvs'],
    });
    if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
    const { scenario } = opened;
    const engine = scenario.engineOf?.(scenario.cluster);
    if (!engine) throw new Error('no policies');
    const judge: Judge = (question) => engine.judge(question).decision;
    const cells = cellsOf(scenario.cluster, judge, ['192.168.10.11', '10.244.1.1', VIP]);
    const table = tableOn(scenario, NODE);
    await network.root.run(
      'nft flush ruleset; nft -f -',
      nftListRuleset(table ? [table] : []).join('\n'),
    );
    const lines = cells.map(({ src, dst, protocol, port }, n) =>
      JSON.stringify([src, dst, protocol, 20_000 + n, port]),
    );
    const seen = (await network.root.run(`python3 ${AGENT}`, lines.join('\n'))).trim().split('\n');
    const differences = cells.flatMap((cell, n) => {
      met[cell.expected] += 1;
      return cell.expected === 'unknown' || cell.expected === seen[n]
        ? []
        : [`${JSON.stringify(cell)}: ${seen[n]}`];
    });
    expect(seen).toHaveLength(cells.length);
    expect(differences).toEqual([]);
  });

  it('met both answers often', () => {
    tell(`kernel proof, policies of what IPVS sends on: ${JSON.stringify(met)}`);
    if (ownSeeds) return;
    expect(met.passed).toBeGreaterThan(1000);
    expect(met.dropped).toBeGreaterThan(500);
  });
});
