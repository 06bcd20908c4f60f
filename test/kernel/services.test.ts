/**
 * Random Services over random clusters, from YAML to the last tap: the simulator and a real kernel
 * agree about who answers, which rules were met, what was translated and whom the server hears.
 * Budget: 3 minutes on two processors.
 *
 * One seed again: `K8SNET_SEED=17 npx vitest run test/kernel/services.test.ts`; many: `K8SNET_SEED=31-400`.
 */
import { describe, expect, it } from 'vitest';
import { lacking, privileged, suite, tell, WIDTH } from './lab-machine.ts';
import { aboutCase, claimed, type ProofCase, runProofs, runSeconds, summary } from './proof-run.ts';
import { random } from './random.ts';
import { type ProxyMode, serviceCase } from './random-services.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const SEEDS = 14;
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

describe.skipIf(lacking.length > 0)(suite('random Services'), () => {
  it.each(['iptables', 'nftables'] as const)('fare as in a real kernel: %s', async (mode) => {
    const total = await runProofs(cases(mode, seedsOf(SEEDS)), WIDTH, privileged);
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
});
