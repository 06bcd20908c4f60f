/** The walk, held to a table written by hand, and to what must hold for every walk. */
import { describe, expect, it } from 'vitest';
import { shapeViolations } from '../../../src/trace/shape.ts';
import { tapsOf } from '../../../src/trace/taps.ts';
import type { TraceFacts } from '../../../src/trace/trace.ts';
import { traceProbe } from '../../../src/trace/trace-probe.ts';
import type { Case } from './case.ts';
import { CASES } from './cases.ts';
import { META } from './worlds.ts';

const dropsOf = ({ legs }: TraceFacts): string[] =>
  legs.flatMap(({ hops }) =>
    hops.flatMap(({ steps }) =>
      steps.flatMap(({ kind, detail, device }) =>
        kind === 'drop' && 'reason' in detail ? [`${detail.reason} ${device ?? '-'}`] : [],
      ),
    ),
  );

const requestDevices = (facts: TraceFacts): string[] =>
  tapsOf({ legs: facts.legs.slice(0, 1) }).own.map(({ device }) => device);

/** Whether one list has another's items in their order. */
const holds = (list: readonly string[], part: readonly string[]): boolean => {
  let at = 0;
  for (const item of list) if (item === part[at]) at += 1;
  return at === part.length;
};

const trace = ({ world, probe }: Case): TraceFacts => traceProbe(world(), probe, META).facts;

describe('the walk of a packet', () => {
  it.each(CASES)('$name', (given) => {
    const facts = trace(given);
    expect({
      disposition: facts.disposition,
      symptom: facts.symptom,
      legs: facts.legs.map(({ packet }) => packet),
    }).toEqual({
      disposition: given.disposition,
      symptom: given.symptom,
      legs: given.legs,
    });
    const { drop, via } = given;
    if (drop) expect(dropsOf(facts)).toContain(`${drop[0]} ${drop[1] ?? '-'}`);
    if (via) {
      const devices = requestDevices(facts);
      expect(holds(devices, via), devices.join()).toBe(true);
    }
    expect(shapeViolations(facts)).toEqual([]);
  });

  it.each(CASES)('twice is the same: $name', (given) => {
    expect(JSON.stringify(trace(given))).toBe(JSON.stringify(trace(given)));
  });
});

describe('taps', () => {
  it.each(CASES)('alternate between leaving one device and reaching the next: $name', (given) => {
    for (const leg of trace(given).legs) {
      const taps = tapsOf({ legs: [leg] }).own;
      for (const [at, tap] of taps.entries()) {
        const next = taps[at + 1];
        // What leaves by a veth, a wire or lo comes in somewhere; by a bridge or tunnel it goes on.
        if (tap.direction === 'receive' && next?.direction === 'receive')
          expect(['cni0', 'flannel.1']).toContain(next.device);
        if (tap.direction === 'transmit' && next?.direction === 'transmit')
          expect(['cni0', 'flannel.1']).toContain(tap.device);
      }
    }
  });
});
