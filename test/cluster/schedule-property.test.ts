import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeDraft } from '../../src/cluster/node.ts';
import type { PodDraft } from '../../src/cluster/pod-draft.ts';
import type { PodSpec } from '../../src/cluster/pod-spec.ts';
import { fits, schedule } from '../../src/cluster/schedule.ts';
import { equalities } from '../../src/cluster/selector.ts';

/** What the scheduler comes to, said in the plainest way: every node is looked at for every Pod. */
const plainly = (
  pods: readonly PodDraft[],
  nodes: readonly NodeDraft[],
  nodeOf: ReadonlyMap<PodDraft, string>,
): (string | undefined)[] => {
  const placed = pods.map((pod) => nodeOf.get(pod) ?? pod.boundTo);
  const isSibling = (a: PodDraft, b: PodDraft): boolean =>
    a === b || (a.owners[0] !== undefined && a.owners[0].name === b.owners[0]?.name);
  const load = (node: string, pod?: PodDraft): number =>
    pods.filter((other, at) => placed[at] === node && (!pod || isSibling(pod, other))).length;
  for (const [at, pod] of pods.entries()) {
    if (placed[at] !== undefined) continue;
    const [best] = nodes
      .filter((node) => fits(pod.spec, node))
      .map((node, index) => ({ node, key: [load(node.name, pod), load(node.name), index] }))
      .sort(({ key: a }, { key: b }) => {
        const first = a.findIndex((number, which) => number !== b[which]);
        return (a[first] ?? 0) - (b[first] ?? 0);
      });
    placed[at] = best?.node.name;
  }
  return placed;
};

const nodesOf = (zones: readonly { zone: string; tainted: boolean }[]): NodeDraft[] =>
  zones.map(({ zone, tainted }, at) => ({
    name: `node-${at}`,
    labels: { zone },
    taints: tainted ? [{ key: 'special', effect: 'NoSchedule' }] : [],
    sysctl: {},
    ready: true,
    annotations: [],
    made: false,
  }));

const specOf = (zone: string | undefined, tolerates: boolean): PodSpec => ({
  hostNetwork: false,
  nodeSelector: equalities(zone === undefined ? {} : { zone }),
  tolerations: tolerates ? [{ operator: 'Exists' }] : [],
  containers: [],
  initContainers: [],
  probes: [],
});

const podOf = (name: string, owner: number | undefined, spec: PodSpec): PodDraft => {
  const object = { value: {}, place: () => ({ file: 'a' }) };
  return {
    namespace: 'default',
    name,
    labels: {},
    annotations: [],
    owners:
      owner === undefined
        ? []
        : [{ kind: 'ReplicaSet', namespace: 'default', name: `set-${owner}` }],
    ordinal: 0,
    inventedName: false,
    spec,
    status: {},
    terminating: false,
    field: { object, path: [], report: () => undefined, title: name },
    place: { file: 'a' },
  };
};

const zone = fc.constantFrom('a', 'b', 'c');

describe('the scheduler', () => {
  it('puts Pods where looking at every node for every Pod puts them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ zone, tainted: fc.boolean() }), { minLength: 1, maxLength: 9 }),
        fc.array(
          fc.record({
            owner: fc.option(fc.nat(3), { nil: undefined }),
            zone: fc.option(zone, { nil: undefined }),
            tolerates: fc.boolean(),
            placed: fc.option(fc.nat(8), { freq: 3, nil: undefined }),
            bound: fc.boolean(),
          }),
          { maxLength: 60 },
        ),
        fc.boolean(),
        (zones, wanted, inOrder) => {
          const nodes = nodesOf(zones);
          const nodeOf = new Map<PodDraft, string>();
          const list = inOrder
            ? wanted.toSorted((a, b) => (a.owner ?? -1) - (b.owner ?? -1))
            : wanted;
          const pods = list.map(({ owner, zone: where, tolerates, placed, bound }, at) => {
            const pod = podOf(`pod-${at}`, owner, specOf(where, tolerates));
            const node = placed === undefined ? undefined : nodes[placed % nodes.length]?.name;
            if (node !== undefined && bound) return { ...pod, boundTo: node };
            if (node !== undefined) nodeOf.set(pod, node);
            return pod;
          });
          const placements = schedule(pods, nodes, nodeOf);
          expect(placements.map((one) => ('node' in one ? one.node : undefined))).toEqual(
            plainly(pods, nodes, nodeOf),
          );
          for (const [at, one] of placements.entries())
            if ('node' in one) expect(one.invented).toBe(!nodeOf.has(pods[at] as PodDraft));
            else expect(one.pendingReason).toMatch(/^0 of \d+ nodes fit: /);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('places many Pods on many nodes, whoever made them', () => {
    const nodes = nodesOf(
      Array.from({ length: 5000 }, (_, at) => ({ zone: 'abc'[at % 3] ?? '', tainted: at < 10 })),
    );
    const place = (owner: (at: number) => number | undefined) => {
      const pods = Array.from({ length: 50_000 }, (_, at) =>
        podOf(`pod-${at}`, owner(at), specOf(undefined, false)),
      );
      const counts = new Map<string, number>();
      for (const one of schedule(pods, nodes, new Map()))
        if ('node' in one) counts.set(one.node, (counts.get(one.node) ?? 0) + 1);
      return [...counts.values()];
    };
    for (const owner of [() => undefined, () => 1, (at: number) => Math.floor(at / 10)]) {
      const counts = place(owner);
      expect(counts).toHaveLength(4990);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });
});
