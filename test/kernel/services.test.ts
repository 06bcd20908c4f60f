/**
 * Random Services over random clusters, from YAML to the last tap: the simulator and a real kernel
 * agree about who answers, which rules were met, what was translated and whom the server hears.
 * Budget: 3 minutes on two processors.
 *
 * One seed again: `K8SNET_SEED=17 npx vitest run test/kernel/services.test.ts`; many: `K8SNET_SEED=31-400`.
 */
import { describe, expect, it } from 'vitest';
import { buildLab } from '../../src/lab/build.ts';
import { probeLab } from '../../src/lab/probe.ts';
import { proveSecond } from '../../src/lab/prove-second.ts';
import { openScenario } from '../../src/scenario/open.ts';
import { lacking, privileged, suite, tell, WIDTH } from './lab-machine.ts';
import { aboutCase, claimed, type ProofCase, runProofs, runSeconds, summary } from './proof-run.ts';
import { random } from './random.ts';
import { type ProxyMode, serviceCase } from './random-services.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const SEEDS = 14;
/** Answers that are lost in nftables mode, packets that come twice in iptables mode. */
const MORE = [18];
const FLOWS = 10;
const COMMAND = 'npx vitest run test/kernel/services.test.ts';

function* cases(mode: ProxyMode, seeds: readonly number[]): Generator<Promise<ProofCase>> {
  for (const seed of seeds) {
    yield serviceCase(random(seed), FLOWS, mode).then((one) => ({
      ...one,
      name: `K8SNET_SEED=${seed} ${COMMAND} -t ${mode}`,
      about: aboutCase(one),
    }));
  }
}

/** Seeds of clusters through which each question is asked twice. */
const SECOND = [1, 2, 3];

const AFFINE = '10.96.0.50';

/** Three backends on two nodes, and a client that stays with the one that it met. */
const affinity = (mode: ProxyMode): string =>
  [
    {
      apiVersion: 'k8snet/v1',
      kind: 'Scenario',
      metadata: { name: 'affinity' },
      spec: { kubeProxy: { mode, clusterCIDR: '10.244.0.0/16' } },
    },
    ...['client', 'web-1', 'web-2', 'web-3'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        labels: { app: name.slice(0, 3) },
        annotations: { 'k8snet/listen': '8080/tcp' },
      },
      spec: {
        nodeName: name === 'web-3' ? 'node-2' : 'node-1',
        containers: [{ name: 'app', image: 'app' }],
      },
    })),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: {
        clusterIP: AFFINE,
        selector: { app: 'web' },
        sessionAffinity: 'ClientIP',
        ports: [{ port: 80, targetPort: 8080 }],
      },
    },
  ]
    .map((document) => JSON.stringify(document))
    .join('\n---\n');

describe.skipIf(lacking.length > 0)(suite('random Services'), () => {
  it.each(['iptables', 'nftables'] as const)('fare as in a real kernel: %s', async (mode) => {
    const total = await runProofs(cases(mode, seedsOf(SEEDS, MORE)), WIDTH, privileged);
    tell(`kernel proof, random Services, ${mode}: ${summary(total)}`);
    expect(total.failures.join('\n\n')).toBe('');
    if (ownSeeds) return;
    expect(claimed(total)).toBeGreaterThanOrEqual(130);
    expect(total.rules).toBeGreaterThan(1500);
    // Chance must not run dry: servers that say who called, and every kind of fate.
    expect(total.callers).toBeGreaterThan(40);
    expect([...total.dispositions.keys()]).toEqual(
      expect.arrayContaining(['delivered', 'refused', 'rejected', 'dropped', 'reply-lost']),
    );
  });

  it.each(['iptables', 'nftables'] as const)('find what the first left: %s', async (mode) => {
    const total = await runSeconds(cases(mode, SECOND), WIDTH, privileged);
    tell(`kernel proof, second probes to random Services, ${mode}: ${summary(total)}`);
    expect(total.failures.join('\n\n')).toBe('');
    if (ownSeeds) return;
    expect(claimed(total)).toBeGreaterThanOrEqual(25);
    expect(total.callers).toBeGreaterThan(5);
  });

  it.each(['iptables', 'nftables'] as const)('keep a client at its backend: %s', async (mode) => {
    const opened = await openScenario([{ file: 'affinity.yaml', text: affinity(mode) }]);
    if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
    const { world } = opened.scenario;
    const lab = await buildLab(world, privileged);
    try {
      const chosen = new Set<string>();
      for (let n = 0; n < 12; n++) {
        const from = { netns: 'node-1/default/client' };
        const asked = { from, protocol: 'tcp', dst: AFFINE, dport: 80 } as const;
        await probeLab(lab, { ...asked, sport: 41_000 + 2 * n });
        const second = { ...asked, sport: 41_001 + 2 * n };
        const { outcome, conntrack } = await probeLab(lab, second, { warm: true });
        expect(outcome).toBe('ok');
        const entries = conntrack.get('node-1/host') ?? [];
        const backends = entries.filter(({ original }) => original.dst === AFFINE);
        expect(backends).toHaveLength(2);
        expect(new Set(backends.map(({ reply }) => reply.src)).size).toBe(1);
        chosen.add(backends[0]?.reply.src ?? '');
      }
      // A cold start forgets the client, so that chance picks anew.
      expect(chosen.size).toBeGreaterThan(1);
      const proof = await proveSecond(lab, {
        from: { netns: 'node-1/default/client' },
        protocol: 'tcp',
        dst: AFFINE,
        dport: 80,
        sport: 42_000,
      });
      expect(proof.differences).toEqual([]);
    } finally {
      await lab.stop();
    }
  });
});
