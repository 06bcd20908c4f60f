/** The engine gives what is written by hand in `cases/*.yaml`, over all ports and for single connections. */
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { addressNumber } from '../../src/policy/address-set.ts';
import { engineOf } from '../../src/policy/engine.ts';
import type { ConnectionSet, PolicyEngine } from '../../src/policy/policy-engine.ts';
import type { Party, PolicyProtocol } from '../../src/policy/verdict.ts';
import { type Cell, policyCases } from './policy-case.ts';

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

const podIndex = (cluster: Cluster, text: string): number => {
  const index = cluster.pods.findIndex(({ namespace, name }) => `${namespace}/${name}` === text);
  if (index < 0) throw new Error(`no Pod ${text}`);
  return index;
};

const partyOf = (cluster: Cluster, text: string): Party => {
  if (text.startsWith('node/')) return { kind: 'node', node: text.slice('node/'.length) };
  if (text.includes('/')) return { kind: 'pod', pod: podIndex(cluster, text) };
  return { kind: 'address', ip: text };
};

/** Both sides of one connection; a side that is no Pod has no policies. */
const decide = (
  engine: PolicyEngine,
  from: Party,
  to: Party,
  protocol: PolicyProtocol,
  port: number | undefined,
): string => {
  const decisions = [
    ...(from.kind === 'pod'
      ? [engine.judge({ direction: 'egress', subject: from.pod, peer: to, protocol, port })]
      : []),
    ...(to.kind === 'pod'
      ? [engine.judge({ direction: 'ingress', subject: to.pod, peer: from, protocol, port })]
      : []),
  ].map(({ decision }) => decision);
  return (['deny', 'unknown'] as const).find((one) => decisions.includes(one)) ?? 'allow';
};

/** The ends of all intervals, and their neighbours. */
const edges = (set: ConnectionSet): number[] => [
  ...new Set(
    [
      1,
      65_535,
      ...PROTOCOLS.flatMap((one) => set[one] ?? []).flatMap(({ from, to }) => [
        from - 1,
        from,
        to,
        to + 1,
      ]),
    ].filter((port) => port >= 1 && port <= 65_535),
  ),
];

const within = (set: ConnectionSet, protocol: (typeof PROTOCOLS)[number], port: number): boolean =>
  (set[protocol] ?? []).some(({ from, to }) => from <= port && port <= to);

/** The engine's sets leave out a Pod to itself, and the node of a Pod to it. */
const isLeftOut = ({ pods }: Cluster, from: Party, to: Party): boolean => {
  if (from.kind !== 'pod' || to.kind !== 'pod') return false;
  const [source, target] = [pods[from.pod], pods[to.pod]];
  return from.pod === to.pod || (source?.hostNetwork === true && source.node === target?.node);
};

/** The connections as the engine has them for classes and blocks; undefined: of neither. */
const setOf = (
  cluster: Cluster,
  engine: PolicyEngine,
  from: Party,
  to: Party,
): ConnectionSet | undefined => {
  const classOf = (party: Party): number | undefined =>
    party.kind === 'pod' ? engine.classOf(party.pod) : undefined;
  const blockOf = (party: Party): number | undefined => {
    if (party.kind !== 'address') return undefined;
    const at = engine.blocks.findIndex(
      (block) =>
        block.from.includes(':') === party.ip.includes(':') &&
        addressNumber(block.from) <= addressNumber(party.ip) &&
        addressNumber(party.ip) <= addressNumber(block.to),
    );
    return at < 0 ? undefined : at;
  };
  const [fromClass, toClass, fromBlock, toBlock] = [
    classOf(from),
    classOf(to),
    blockOf(from),
    blockOf(to),
  ];
  if (isLeftOut(cluster, from, to)) return undefined;
  if (fromClass !== undefined && toClass !== undefined) return engine.between(fromClass, toClass);
  if (fromBlock !== undefined && toClass !== undefined) return engine.fromBlock(fromBlock, toClass);
  if (fromClass !== undefined && toBlock !== undefined) return engine.toBlock(fromClass, toBlock);
  return undefined;
};

const differences = (cluster: Cluster, engine: PolicyEngine, cell: Cell): unknown[] => {
  const from = partyOf(cluster, cell.from);
  const to = partyOf(cluster, cell.to);
  if (cell.kind === 'one') {
    const decision = decide(engine, from, to, cell.protocol, cell.port);
    return decision === cell.decision ? [] : [`judged ${decision}`];
  }
  const { allowed } = cell;
  const set = setOf(cluster, engine, from, to);
  return [
    ...(set === undefined || JSON.stringify(set) === JSON.stringify(allowed) ? [] : [set]),
    ...PROTOCOLS.flatMap((protocol) =>
      edges(allowed).flatMap((port) => {
        const decision = decide(engine, from, to, protocol, port);
        const wanted = within(allowed, protocol, port) ? 'allow' : 'deny';
        return decision === wanted ? [] : [`${protocol}/${port} judged ${decision}`];
      }),
    ),
  ];
};

describe.each(policyCases)(
  '$file: $name',
  async ({ cluster: open, options, policies, without, cells }) => {
    const cluster = await open();
    const engine = engineOf(cluster, options);

    it('is read whole', () => {
      expect(cluster.policies.length).toBe(policies);
    });

    it('leaves out only Pods without a network', () => {
      const left = cluster.pods.flatMap(({ namespace, name }, pod) =>
        engine.classOf(pod) === undefined && !isOnNode(cluster, pod, options.hostNetwork)
          ? [`${namespace}/${name}`]
          : [],
      );
      expect(left).toEqual([...without].sort());
    });

    it.each(cells)('$text', (cell) => {
      expect(differences(cluster, engine, cell)).toEqual([]);
    });
  },
);

const isOnNode = (cluster: Cluster, pod: number, hostNetwork: string | undefined): boolean =>
  cluster.pods[pod]?.hostNetwork === true && hostNetwork !== 'pods';

it('has cases', () => {
  expect(policyCases.length).toBeGreaterThan(50);
  expect(policyCases.flatMap(({ cells }) => cells).length).toBeGreaterThan(170);
});
