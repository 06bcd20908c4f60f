/**
 * Random policies of all kinds over random clusters: every pair of Pods connects for real, and the
 * engine of policies, the matrix, the simulator and the kernel say the same about each connection.
 * Budget: 2 minutes on two processors.
 *
 * One seed again: `K8SNET_SEED=17 npx vitest run test/kernel/policies.test.ts`; many: `K8SNET_SEED=1-400`.
 */
import { describe, expect, it } from 'vitest';
import { lacking, privileged, suite, tell, WIDTH } from './lab-machine.ts';
import { policyCase, provePolicies, summary } from './policy-proof.ts';
import { claimed, runProofs, summary as summaryOfFlows } from './proof-run.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const SETS = 160;

/** One set of each of several topologies, whose flows are followed tap by tap. */
const FOLLOWED = [2, 10, 18, 26, 34, 42, 50, 58];
const FLOWS = 12;

describe.skipIf(lacking.length > 0)(suite('random policies'), () => {
  it('let through in a real kernel what the matrix and the trace say', async () => {
    const total = await provePolicies(seedsOf(SETS), WIDTH, privileged);
    tell(`kernel proof, random policies: ${summary(total)}`);
    expect(total.failures.slice(0, 20).join('\n\n')).toBe('');
    if (ownSeeds) return;
    expect(total.sets).toBeGreaterThanOrEqual(150);
    expect(total.cells).toBeGreaterThan(20_000);
    // Chance must not run dry: every tier allows and denies, in both directions.
    for (const decided of [
      'allow, not isolated',
      'allow, admin',
      'allow, network-policy',
      'allow, baseline',
      'allow, after a rule that passes',
      'deny, admin ingress',
      'deny, admin egress',
      'deny, default ingress',
      'deny, default egress',
      'deny, baseline ingress',
      'deny, baseline egress',
    ])
      expect(total.decided.get(decided) ?? 0, decided).toBeGreaterThan(100);
    for (const kind of [
      'pods',
      'self',
      'node to Pod',
      'Pod to node',
      'Pod to outside',
      'Service',
      'NodePort',
      'hostPort',
    ])
      expect(total.kinds.get(kind) ?? 0, kind).toBeGreaterThan(100);
    expect(total.escaped).toBeGreaterThan(100);
    // Rules about names stand before denials here, and none of these connections hangs on one.
    expect(total.undecided).toBe(0);
  });

  it('are met on the way by the same rules, and lose packets at the same devices', async () => {
    const seeds = ownSeeds ? seedsOf(1) : FOLLOWED;
    const cases = seeds.map((seed) => policyCase(seed, FLOWS));
    const total = await runProofs(cases, WIDTH, privileged);
    tell(`kernel proof, flows under random policies: ${summaryOfFlows(total)}`);
    expect(total.failures.join('\n\n')).toBe('');
    if (ownSeeds) return;
    expect(claimed(total)).toBeGreaterThanOrEqual(90);
    expect(total.rules).toBeGreaterThan(1000);
    expect(total.dispositions.get('dropped') ?? 0).toBeGreaterThan(10);
    expect(total.dispositions.get('delivered') ?? 0).toBeGreaterThan(30);
  });
});
