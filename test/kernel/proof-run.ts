/** Runs cases through labs, a few labs at a time, and counts what was proved. */
import type { Probe } from '../../src/kernel/probe.ts';
import type { World } from '../../src/kernel/world.ts';
import { buildLab, type Lab } from '../../src/lab/build.ts';
import { withCounters } from '../../src/lab/counting.ts';
import { type Proof, proveProbe } from '../../src/lab/prove.ts';
import { proveSecond } from '../../src/lab/prove-second.ts';
import type { RandomCase } from './random-cluster.ts';

export interface ProofCase {
  /** How to find the case again: a seed's command, a file. */
  readonly name: string;
  /** What it is, for a person who reads a failure. */
  readonly about: string;
  /** What this machine lacks for it: it is counted as skipped under that name. */
  readonly skip?: string;
  readonly world: World;
  /** Each with the World that it is traced in, where that has another listener than `world`. */
  readonly probes: readonly (Probe & { readonly in?: World })[];
}

export interface ProofCount {
  labs: number;
  flows: number;
  /** Taps that both have. */
  taps: number;
  /** Firewall rules whose packet counts both have, and servers that both say who called. */
  rules: number;
  callers: number;
  /** Flows that were tried again in a new lab. */
  repeated: number;
  /** Fates that both have, by the trace's disposition. */
  readonly dispositions: Map<string, number>;
  /** Flows of which the trace says that it does not know, by what it lacks. */
  readonly inconclusive: Map<string, number>;
  /** Things this machine cannot show, by name. */
  readonly skipped: Map<string, number>;
  /** One text a flow or lab that differs. */
  readonly failures: string[];
  seconds: number;
}

const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

const probeText = ({ from, protocol, dst, dport, sport, size, ttl }: Probe): string =>
  `${from.netns} > ${protocol} ${dst}:${dport ?? 'echo'} from ${sport}` +
  `${size === undefined ? '' : ` size ${size}`}${ttl === undefined ? '' : ` ttl ${ttl}`}`;

/** What an inconclusive trace lacks. */
const lacking = ({ facts }: Proof): string => {
  const drops = facts.legs
    .flatMap(({ hops }) => hops.flatMap(({ steps }) => steps))
    .flatMap(({ kind, detail }) => (kind === 'drop' && 'reason' in detail ? [detail] : []))
    .map((detail) => ('what' in detail ? String(detail.what) : detail.reason));
  return drops.join() || (facts.cause?.code ?? 'unsaid');
};

const report = ({ name, about }: ProofCase, probe: Probe, differences: readonly string[]): string =>
  [name, about, probeText(probe), ...differences.slice(0, 12)].join('\n    ');

const isEqual = ({ facts, differences }: Proof): boolean =>
  differences.length === 0 || facts.disposition === 'inconclusive';

type ProbeIn = ProofCase['probes'][number];

/** What is asked of a lab about one probe. */
type Ask = (lab: Lab, probe: ProbeIn) => Promise<Proof>;

const askOnce: Ask = (lab, probe) => proveProbe(lab, probe, probe.in && withCounters(probe.in));

const askAgain: Ask = (lab, probe) => proveSecond(lab, probe);

/** In the lab that is there; where that differs, in one that has never seen a packet. */
const proveTwice = async (
  ask: Ask,
  lab: Lab,
  probe: ProbeIn,
  total: ProofCount,
  as: 'root' | 'rootless',
): Promise<Proof> => {
  const proof = await ask(lab, probe);
  if (isEqual(proof)) return proof;
  total.repeated += 1;
  const fresh = await buildLab(lab.world, as);
  try {
    return await ask(fresh, probe);
  } finally {
    await fresh.stop();
  }
};

const prove = async (
  ask: Ask,
  one: ProofCase,
  total: ProofCount,
  as: 'root' | 'rootless',
): Promise<void> => {
  if (one.skip !== undefined) {
    count(total.skipped, one.skip);
    return;
  }
  const lab = await buildLab(withCounters(one.world), as);
  total.labs += 1;
  if (lab.noDrops !== undefined) count(total.skipped, `drop reasons (${lab.noDrops})`);
  try {
    for (const probe of one.probes) {
      total.flows += 1;
      try {
        const proof = await proveTwice(ask, lab, probe, total, as);
        if (proof.facts.disposition === 'inconclusive') {
          count(total.inconclusive, lacking(proof));
          continue;
        }
        total.taps += proof.taps;
        total.rules += proof.rules;
        total.callers += proof.observation.callers.length;
        if (proof.differences.length > 0)
          total.failures.push(report(one, probe, proof.differences));
        else count(total.dispositions, proof.facts.disposition);
      } catch (error) {
        total.failures.push(report(one, probe, [String(error)]));
      }
    }
  } finally {
    await lab.stop();
  }
};

type Cases = Iterable<ProofCase | Promise<ProofCase>>;

/**
 * Proves all cases.
 * @param cases made one after the other, when a lab is free for them
 * @param width labs at a time
 */
export const runProofs = (
  cases: Cases,
  width: number,
  as: 'root' | 'rootless',
): Promise<ProofCount> => run(askOnce, cases, width, as);

/** The same of each probe's second one, as an application sends it right after the first. */
export const runSeconds = (
  cases: Cases,
  width: number,
  as: 'root' | 'rootless',
): Promise<ProofCount> => run(askAgain, cases, width, as);

const run = async (
  ask: Ask,
  cases: Cases,
  width: number,
  as: 'root' | 'rootless',
): Promise<ProofCount> => {
  const start = Date.now();
  const total: ProofCount = {
    labs: 0,
    flows: 0,
    taps: 0,
    rules: 0,
    callers: 0,
    repeated: 0,
    dispositions: new Map(),
    inconclusive: new Map(),
    skipped: new Map(),
    failures: [],
    seconds: 0,
  };
  const waiting = cases[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      const one = await next.value;
      try {
        await prove(ask, one, total, as);
      } catch (error) {
        total.failures.push([one.name, one.about, String(error)].join('\n    '));
      }
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  total.seconds = Math.round((Date.now() - start) / 1000);
  return total;
};

/** Flows of which the trace said what becomes of them. */
export const claimed = ({ flows, inconclusive }: ProofCount): number =>
  flows - [...inconclusive.values()].reduce((sum, n) => sum + n, 0);

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([key, n]) => `${key} ${n}`).join(', ') || 'none';

/** How a case is told in a failure: what it is, and what was typed in it. */
export const aboutCase = ({ about, faults }: RandomCase): string =>
  [about, ...faults.map(({ netns, command }) => `${netns}: ${command}`)].join('; ');

/** The counts in the words that the proof promises: flows, taps, differences, skipped by name. */
export const summary = (total: ProofCount): string =>
  [
    `${total.flows} flows in ${total.labs} labs, ${total.seconds} s`,
    `  ${total.taps} taps, ${total.rules} rule counters and ${total.callers} callers equal, ${total.failures.length} differences, ${total.repeated} tried again in a new lab`,
    `  fates equal: ${listed(total.dispositions)}`,
    `  not claimed: ${listed(total.inconclusive)}`,
    `  skipped: ${listed(total.skipped)}`,
  ].join('\n');
