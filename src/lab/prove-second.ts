/** The second probe through the simulator and through a real kernel: do the two agree? */
import type { Tap } from '../kernel/event.ts';
import type { ConntrackEntry } from '../kernel/netfilter/conntrack.ts';
import type { Probe } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import { withDynamic } from '../kernel/world-build.ts';
import { leftBehind, secondPort } from '../trace/second-probe.ts';
import { traceProbe } from '../trace/trace-probe.ts';
import type { Lab } from './build.ts';
import { type Observation, probeLab } from './probe.ts';
import { compareProof, type Proof } from './prove.ts';

const REF = { text: 'probe', kind: 'ip' } as const;

/**
 * The lab closes the first connection when it has looked at it, which no trace does: its RST and
 * the rows that it leaves, those of the tunnel too, are not the second probe's.
 */
const isOfSecond = ({ original }: ConntrackEntry, sport: number): boolean =>
  original.sport === sport;

const worldOfSecond = (world: World, sport: number): World =>
  withDynamic(
    world,
    new Map(
      [...world.dynamic].map(([id, state]) => {
        const conntrack = state.conntrack.filter((row) => isOfSecond(row, sport));
        return [id, { ...state, conntrack }];
      }),
    ),
  );

const isClosing = ({ packet }: Tap, sport: number): boolean =>
  packet.some(
    (layer) => layer.type === 'tcp' && layer.flags.includes('rst') && layer.sport === sport,
  );

const observedOfSecond = (seen: Observation, first: number, second: number): Observation => ({
  ...seen,
  taps: seen.taps.filter((tap) => !isClosing(tap, first)),
  conntrack: new Map(
    [...seen.conntrack].map(([id, rows]) => [id, rows.filter((row) => isOfSecond(row, second))]),
  ),
});

/** Sends `probe` through the cold lab and then, as an application would, a second one. */
export const proveSecond = async (lab: Lab, probe: Probe): Promise<Proof> => {
  const { expect: _, ...sent } = probe;
  const { protocol } = probe;
  const meta = {
    scenario: lab.world.name,
    probe: { from: REF, to: REF, protocol },
    assumptions: [],
  };
  const first = traceProbe(lab.world, sent, meta);
  await probeLab(lab, probe);
  const again = { ...sent, sport: secondPort(protocol, probe.sport) };
  const second = traceProbe(leftBehind(first.world, protocol), again, meta);
  const seen = await probeLab(lab, again, { warm: true });
  if (protocol !== 'tcp') return compareProof(lab.world, second, seen);
  return compareProof(
    lab.world,
    { facts: second.facts, world: worldOfSecond(second.world, again.sport) },
    observedOfSecond(seen, probe.sport, again.sport),
  );
};
