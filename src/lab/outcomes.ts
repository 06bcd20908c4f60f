/** Every way in which a probe can fare, where the kernel leaves something to chance. */
import type { Probe } from '../kernel/probe.ts';
import type { NetnsId, World } from '../kernel/world.ts';
import type { TraceFacts } from '../trace/trace.ts';
import { traceProbe } from '../trace/trace-probe.ts';
import { createCounterSheet, type RuleCounters } from './counters.ts';

/** What the model says becomes of a probe, if chance picks so. */
export interface Outcome {
  readonly facts: TraceFacts;
  /** With what the packets left behind. */
  readonly world: World;
  readonly counters: ReadonlyMap<NetnsId, RuleCounters>;
  readonly picks: readonly number[];
}

const REF = { text: 'probe', kind: 'ip' } as const;

/** More ways than a proof's clusters have; a tree that is larger is a mistake. */
const LIMIT = 512;

/**
 * One outcome a leaf of the tree of choices, the one of all first options first. Lazily: whoever has
 * found the kernel's goes no further.
 * @throws {RangeError} when there are more than a proof should have
 */
export function* outcomesOf(world: World, probe: Probe): Generator<Outcome> {
  // Whose listener was meant is the asker's matter; a kernel connects to whoever holds the port.
  const { expect: _, ...sent } = probe;
  const { protocol } = probe;
  const waiting: (readonly number[])[] = [probe.picks ?? []];
  for (let taken = 0; waiting.length > 0; taken++) {
    if (taken === LIMIT) throw new RangeError(`a probe with more than ${LIMIT} outcomes`);
    const picks = waiting.shift() ?? [];
    const sheet = createCounterSheet();
    const traced = traceProbe(
      world,
      { ...sent, picks },
      {
        scenario: world.name,
        probe: { from: REF, to: REF, protocol },
        assumptions: [],
        count: sheet.count,
      },
    );
    const { facts, choices } = traced;
    const picked = choices.map((choice) => choice.picked);
    for (const [at, { options }] of choices.entries()) {
      if (at < picks.length) continue;
      for (let option = 1; option < options; option++)
        waiting.push([...picked.slice(0, at), option]);
    }
    yield { facts, world: traced.world, counters: sheet.byNetns, picks: picked };
  }
}

/** The ports that requests have when a socket takes them. */
export const portsTaken = (outcomes: readonly Outcome[]): number[] => [
  ...new Set(
    outcomes
      .flatMap(({ facts }) => facts.legs)
      .filter(({ direction }) => direction === 'request')
      .flatMap(({ hops }) => hops.flatMap(({ steps }) => steps))
      .flatMap(({ kind, detail }) =>
        kind === 'deliver' && 'port' in detail && typeof detail.port === 'number'
          ? [detail.port]
          : [],
      ),
  ),
];
