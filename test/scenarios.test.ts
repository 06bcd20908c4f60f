/**
 * Runs every file under scenarios/: its expectations, the shape and the published form of each
 * trace, and the minimal form against test/golden (`npx vitest run test/scenarios.test.ts -u`).
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { judge } from '../src/check/judge.ts';
import { explainTrace, renderTrace } from '../src/index.ts';
import { columns } from '../src/render/width.ts';
import { traceSchema } from '../src/trace/schema/trace.ts';
import { shapeViolations } from '../src/trace/shape.ts';
import { openFile, scenarioFiles } from './scenarios.ts';

const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(traceSchema());

it('finds the scenarios', () => {
  expect(scenarioFiles.length).toBeGreaterThanOrEqual(12);
});

describe.each(scenarioFiles)('%s', async (file) => {
  const scenario = await openFile(file);
  const judged = judge(scenario);
  const traced = judged.flatMap((one) => (one.kind === 'traced' ? [one] : []));

  it('describes itself and expects something', () => {
    expect(scenario.cluster.description).toBeTruthy();
    expect(judged.length).toBeGreaterThan(0);
    expect(judged.filter(({ kind }) => kind === 'unanswerable')).toEqual([]);
  });

  for (const { expectation, facts, differences } of traced) {
    const { n, from, to } = expectation;
    describe(`${n}: ${from} to ${to}`, () => {
      it('comes out as expected', () => {
        expect(differences, renderTrace(scenario, facts)).toEqual([]);
      });

      it('has the shape of a trace', () => {
        expect(shapeViolations(facts)).toEqual([]);
        const trace = JSON.parse(JSON.stringify(explainTrace(scenario, facts)));
        validate(trace);
        expect(validate.errors).toBeNull();
      });

      it('is told whole, and within 80 columns', () => {
        for (const depth of ['default', 'verbose', 'full'] as const) {
          const text = renderTrace(scenario, facts, { depth });
          expect(text).not.toMatch(/undefined|NaN|\[object/);
          expect(text.split('\n').filter((line) => columns(line) > 80)).toEqual([]);
        }
      });
    });
  }

  it('looks as it always did', async () => {
    const text = traced
      .map(({ facts }) => renderTrace(scenario, facts, { depth: 'minimal' }))
      .join('\n');
    const golden = file.replace(/^scenarios\//, 'golden/').replace(/\.\w+$/, '.txt');
    await expect(text).toMatchFileSnapshot(golden);
  });
});
