/** Whatever addresses the Pods of a live cluster have, every one of them is reached from every other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { openScenario } from '../../src/scenario/open.ts';

interface LivePod {
  readonly ip: string;
  readonly node: number;
}

const POOLS = ['10.244.0', '10.244.1', '192.168.10', '10.0.7'] as const;
/** Of the nodes, in 192.168.10.0/24: no Pod has one. */
const NODES = ['192.168.10.250', '192.168.10.251', '192.168.10.252'] as const;

const livePods = fc
  .uniqueArray(
    fc.record({
      pool: fc.constantFrom(...POOLS),
      host: fc.oneof(
        fc.integer({ min: 0, max: 8 }),
        fc.constantFrom(63, 64, 127, 128, 130, 249, 254, 255),
      ),
      node: fc.integer({ min: 0, max: 2 }),
    }),
    { selector: ({ pool, host }) => `${pool}.${host}`, minLength: 2, maxLength: 9 },
  )
  .map((pods) => pods.map(({ pool, host, node }): LivePod => ({ ip: `${pool}.${host}`, node })));

const dumpOf = (pods: readonly LivePod[], ranges: boolean): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      ...NODES.map((address, at) => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: `n${at}` },
        ...(ranges && { spec: { podCIDR: `10.244.${at}.0/25` } }),
        status: { addresses: [{ type: 'InternalIP', address }] },
      })),
      ...pods.map(({ ip, node }, at) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `p${at}` },
        spec: {
          nodeName: `n${node}`,
          containers: [{ name: 'app', ports: [{ containerPort: 80 }] }],
        },
        status: { phase: 'Running', podIP: ip, hostIP: NODES[node] },
      })),
    ],
  });

/** The smallest block of n2 has two addresses, and its Pods have both. */
const NO_ROOM: LivePod[] = [
  { ip: '10.244.1.4', node: 0 },
  { ip: '10.244.1.1', node: 2 },
  { ip: '10.244.0.0', node: 0 },
  { ip: '10.244.1.2', node: 2 },
];

describe.each(['bridge', 'flannel'])('a live cluster, traced as %s', (plugin) => {
  it.each([false, true])('reaches all its Pods; nodes have ranges: %s', async (ranges) => {
    await fc.assert(
      fc.asyncProperty(livePods, async (pods) => {
        const text = dumpOf(pods, ranges);
        const opened = await openScenario([{ file: 'dump.json', text }], {
          set: [`network.plugin=${plugin}`],
        });
        if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
        for (const [from] of pods.entries()) {
          const to = `p${(from + 1) % pods.length}`;
          const answer = ask(opened.scenario, { from: `p${from}`, to });
          expect(answer.ok && [answer.facts.disposition, answer.facts.cause?.code]).toEqual([
            'delivered',
            undefined,
          ]);
        }
      }),
      { numRuns: 60, examples: [[NO_ROOM]] },
    );
  });
});
