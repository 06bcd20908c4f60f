/** Every scenario of the package, each question it asks: the simulator and a real kernel agree. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resolveEndpoint } from '../../src/cluster/endpoint.ts';
import { probeFor } from '../../src/compile/probe.ts';
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

/** The probe of an expectation; none where nothing is sent (a Pod that does not run). */
const probesOf = (
  { cluster, world }: OpenedScenario,
  { from, to, port, protocol, size }: Expectation,
): ProbeIn[] => {
  const source = resolveEndpoint(cluster, from, { side: 'from' });
  const target = resolveEndpoint(cluster, to, { side: 'to' });
  if ('diagnostic' in source || 'diagnostic' in target) return [];
  const plan = probeFor(cluster, world, source.target, target.target, {
    ...(port !== undefined && { port }),
    ...(protocol !== undefined && { protocol }),
    ...(size !== undefined && { size }),
  });
  return plan.kind === 'probe' ? [{ ...plan.probe, in: plan.world }] : [];
};

const opened = async (file: string): Promise<ProofCase> => {
  const result = await openScenario([file]);
  if (!result.ok) throw new Error(`${file}: ${JSON.stringify(result.diagnostics)}`);
  const { scenario } = result;
  return {
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
    expect(total.labs).toBe(files.length);
    expect(total.flows).toBeGreaterThan(files.length);
  });
});
