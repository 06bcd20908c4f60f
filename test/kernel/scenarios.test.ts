/** Every scenario of the package, each question it asks: the simulator and a real kernel agree. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readyFor } from '../../src/check/ask.ts';
import { resolveName } from '../../src/check/resolve-name.ts';
import type { Target } from '../../src/cluster/cluster.ts';
import { resolveEndpoint } from '../../src/cluster/endpoint.ts';
import { probeFor } from '../../src/compile/probe.ts';
import type { ProbeOptions, ProbePlan } from '../../src/compile/probe-plan.ts';
import { unsupportedIn } from '../../src/lab/unsupported.ts';
import type { Expectation } from '../../src/scenario/expectation.ts';
import { type OpenedScenario, openScenario } from '../../src/scenario/open.ts';
import { lacking, privileged, suite, tell, WIDTH } from './lab-machine.ts';
import { type ProofCase, runProofs, summary } from './proof-run.ts';

const FOLDER = 'scenarios';

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => `${FOLDER}/${name}`)
  .sort();

type ProbeIn = ProofCase['probes'][number];

const planned = (plan: ProbePlan): ProbeIn[] => {
  if (plan.kind !== 'probe') return [];
  const { probe, others = [] } = plan;
  const probes = [probe, ...others.map((other) => other.probe)];
  return probes.map((one) => ({ ...one, in: plan.world }));
};

/** The queries of a name, each by itself, then the connections to what it stands for. */
const probesOfName = (
  { name, cluster, world }: OpenedScenario,
  source: Target,
  target: Extract<Target, { kind: 'name' }>,
  options: ProbeOptions,
): ProbeIn[] => {
  const sender = probeFor(cluster, world, source, { kind: 'external', port: 53 });
  if (sender.kind !== 'probe') return [];
  const { from, to, protocol } = sender;
  const meta = { scenario: name, probe: { from, to, protocol }, assumptions: [] };
  const asker = { from: sender.probe.from, meta };
  const question = { cluster, world, asker, source, name: target.name, port: target.port };
  const { probes, targets } = resolveName({ ...question, packets: true });
  return [
    ...probes.map((probe) => ({ ...probe, in: world })),
    ...targets.flatMap((one) => planned(probeFor(cluster, world, source, one, options))),
  ];
};

/**
 * The probes of an expectation, several where the client may choose; none where nothing is sent (a
 * Pod that does not run).
 */
const probesOf = (
  scenario: OpenedScenario,
  { from, to, port, protocol, size }: Expectation,
): ProbeIn[] => {
  const { cluster, world } = scenario;
  const source = resolveEndpoint(cluster, from, { side: 'from' });
  const target = resolveEndpoint(cluster, to, { side: 'to' });
  if ('diagnostic' in source || 'diagnostic' in target) return [];
  const options: ProbeOptions = {
    ...(port !== undefined && { port }),
    ...(protocol !== undefined && { protocol }),
    ...(size !== undefined && { size }),
  };
  if (target.target.kind === 'name')
    return probesOfName(scenario, source.target, target.target, options);
  return planned(probeFor(cluster, world, source.target, target.target, options));
};

const opened = async (file: string): Promise<ProofCase> => {
  const result = await openScenario([file]);
  if (!result.ok) throw new Error(`${file}: ${JSON.stringify(result.diagnostics)}`);
  // The DNS that a name needs is there for all questions of the file.
  const scenario = result.scenario.expectations.reduce(readyFor, result.scenario);
  const unsupported = unsupportedIn(scenario.world);
  return {
    ...(unsupported !== undefined && { skip: `${unsupported} (not in this kernel)` }),
    name: file,
    about: '',
    world: scenario.world,
    probes: scenario.expectations.flatMap((expectation) => probesOf(scenario, expectation)),
  };
};

describe.skipIf(lacking.length > 0)(suite('scenarios'), () => {
  it('fare in the simulator as in a real kernel', async () => {
    const total = await runProofs(files.map(opened), WIDTH, privileged);
    tell(`kernel proof, scenarios: ${summary(total)}`);
    expect(total.failures.join('\n\n')).toBe('');
    const skipped = [...total.skipped.values()].reduce((sum, n) => sum + n, 0);
    expect(total.labs + skipped).toBe(files.length);
    expect(total.flows).toBeGreaterThan(files.length);
  });
});
