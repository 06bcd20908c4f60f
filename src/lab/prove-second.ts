/** The second probe through the simulator and through a real kernel: do the two agree? */
import type { ConntrackEntry } from '../kernel/netfilter/conntrack.ts';
import type { Probe } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import { withDynamic } from '../kernel/world-build.ts';
import { leftBehind, secondPort } from '../trace/second-probe.ts';
import type { Job } from './agent.ts';
import type { Lab } from './build.ts';
import { outcomesOf, portsTaken } from './outcomes.ts';
import { type Observation, probeLab } from './probe.ts';
import { compareOutcomes, type Proof } from './prove.ts';

/**
 * What tells of the second connection alone. The lab closes the first one when it has looked at it,
 * which no trace does.
 */
const isOfSecond = ({ original }: ConntrackEntry, { sport }: Probe): boolean =>
  original.sport === sport;

const worldOfSecond = (world: World, probe: Probe): World =>
  withDynamic(
    world,
    new Map(
      [...world.dynamic].map(([id, state]) => {
        const conntrack = state.conntrack.filter((row) => isOfSecond(row, probe));
        return [id, { ...state, conntrack }];
      }),
    ),
  );

const observedOfSecond = (seen: Observation, probe: Probe): Observation => ({
  ...seen,
  conntrack: new Map(
    [...seen.conntrack].map(([id, rows]) => [id, rows.filter((row) => isOfSecond(row, probe))]),
  ),
});

/** What is done to the lab and to the World between the two probes. */
export interface Meanwhile {
  readonly jobs: readonly Job[];
  readonly change: (world: World) => World;
}

const NOTHING: Meanwhile = { jobs: [], change: (world) => world };

/** One after the other: the agent runs what it is given at once side by side. */
const type = async ({ agent }: Lab, jobs: readonly Job[]): Promise<void> => {
  for (const job of jobs) {
    const [[code, , err] = [-1, '', '']] = await agent.ask('run', { jobs: [job] });
    if (code !== 0) throw new Error(`${job.argv.join(' ')}: ${err}`);
  }
};

/**
 * Sends `probe` through the cold lab and then, as an application would, a second one. What chance
 * picked for the first is what the second one finds.
 * @throws {Error} when the kernel refuses a command in between
 */
export const proveSecond = async (
  lab: Lab,
  probe: Probe,
  { jobs, change }: Meanwhile = NOTHING,
): Promise<Proof> => {
  const { protocol } = probe;
  const { world } = lab;
  const firsts = [...outcomesOf(world, probe)];
  const one = await probeLab(lab, probe, {
    keep: protocol === 'udp',
    translated: portsTaken(firsts),
  });
  const { outcome: first, proof } = compareOutcomes(world, firsts, one);
  if (proof.differences.length > 0) return proof;
  const again = { ...probe, sport: secondPort(protocol, probe.sport) };
  await type(lab, jobs);
  const met = change(leftBehind(first.world, protocol));
  const outcomes = [...outcomesOf(met, again)];
  const seen = await probeLab(lab, again, { warm: true, translated: portsTaken(outcomes) });
  if (protocol !== 'tcp') return compareOutcomes(world, outcomes, seen).proof;
  return compareOutcomes(
    world,
    outcomes.map((outcome) => ({ ...outcome, world: worldOfSecond(outcome.world, again) })),
    observedOfSecond(seen, again),
  ).proof;
};
