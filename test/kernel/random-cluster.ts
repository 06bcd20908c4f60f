/** Random clusters made by hand, with random faults and probes. */
import type { Probe } from '../../src/kernel/probe.ts';
import type { World } from '../../src/kernel/world.ts';
import { type ClusterSpec, cluster, worldOf } from './hand-made.ts';
import type { Random } from './random.ts';
import { type Fault, randomProbe, withFaults } from './random-fault.ts';

export interface RandomCase {
  /** What the cluster is, in a few words. */
  readonly about: string;
  readonly faults: readonly Fault[];
  readonly world: World;
  readonly probes: readonly Probe[];
}

const randomSpec = ({ below, pick, chance }: Random): ClusterSpec => {
  const join = pick(['routes', 'vxlan'] as const);
  return {
    nodes: 1 + below(3),
    pods: 1 + below(3),
    join,
    podMtu: join === 'vxlan' ? pick([1450, 1450, 1400]) : pick([1500, 1500, 1400]),
    bridgeNf: chance(0.5),
    hairpin: chance(0.4),
    gatewayRoutes: chance(0.5),
  };
};

const PORTS = { tcp: [8080, 8080, 8080, 10250, 81], udp: [5353, 5353, 54] };

/** A cluster with faults, and `flows` probes to send through it. */
export const handMadeCase = (random: Random, flows: number): RandomCase => {
  const spec = randomSpec(random);
  const sound = worldOf(cluster(spec));
  const { world, faults } = withFaults(sound, random);
  return {
    about: JSON.stringify(spec),
    faults,
    world,
    probes: Array.from({ length: flows }, (_, n) => randomProbe(sound, random, 40000 + n, PORTS)),
  };
};
