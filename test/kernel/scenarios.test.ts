/** Every scenario of the package, each question it asks: the simulator and a real kernel agree. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readyFor } from '../../src/check/ask.ts';
import { unsupportedIn } from '../../src/lab/unsupported.ts';
import { openScenario } from '../../src/scenario/open.ts';
import { lacking, privileged, suite, tell, WIDTH } from './lab-machine.ts';
import { type ProofCase, runProofs, summary } from './proof-run.ts';
import { probesOf } from './scenario-probes.ts';

const FOLDER = 'scenarios';

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => `${FOLDER}/${name}`)
  .sort();

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
