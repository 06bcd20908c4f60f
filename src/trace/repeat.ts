/** Several probes of one question, one after the other: what they come to together. */
import type { Taken } from './forks.ts';
import type {
  Affinity,
  Disposition,
  FateCount,
  RepeatSummary,
  RepeatTarget,
  TraceFacts,
} from './trace.ts';

/** One of the probes, without its steps. */
export interface RepeatedProbe {
  /** From 1. */
  readonly n: number;
  readonly sourcePort?: number;
  /** Who answered, or through whom it went; absent where there is one way only. */
  readonly target?: Pick<RepeatTarget, 'choice' | 'name' | 'address' | 'node'>;
  readonly sourceSeen?: TraceFacts['sourceSeen'];
  readonly disposition: Disposition;
  readonly cause?: string;
  readonly steps: number;
  /** Chance picked the backend, or the client. */
  readonly free: boolean;
  /** By which of several ways it came to where a backend is picked. */
  readonly entry: string;
}

/** @param taken absent where no packet was sent */
export const repeatedProbe = (
  n: number,
  facts: TraceFacts,
  taken: Taken | undefined,
): RepeatedProbe => {
  const { probe, sourceSeen, disposition, cause, legs, resolution } = facts;
  const queries = resolution?.queries ?? [];
  const name = taken?.name;
  const all = [...queries.flatMap((query) => query.legs), ...legs];
  return {
    n,
    ...(probe.sourcePort !== undefined && { sourcePort: probe.sourcePort }),
    ...(name && name.choice !== 'path' && { target: name }),
    ...(sourceSeen && { sourceSeen }),
    disposition,
    ...(cause && { cause: cause.code }),
    steps: all.reduce(
      (sum, { hops }) => sum + hops.reduce((count, { steps }) => count + steps.length, 0),
      0,
    ),
    free: taken?.free ?? false,
    entry: taken ? entryOf(taken) : '',
  };
};

/** A client that chooses a backend comes no special way to it. */
const entryOf = ({ leaf: { way }, name }: Taken): string =>
  [way.chosen?.choice === 'node' ? way.chosen.name : '', name.node ?? ''].join(' ');

/** @param probes in order */
export const repeatSummary = (probes: readonly RepeatedProbe[]): RepeatSummary => {
  const targets = new Map<string, RepeatedProbe[]>();
  for (const one of probes) {
    if (one.target === undefined) continue;
    const key = JSON.stringify(one.target);
    const met = targets.get(key);
    if (met) met.push(one);
    else targets.set(key, [one]);
  }
  const affinity = affinityOf(probes);
  return {
    probes: probes.length,
    fates: fatesOf(probes),
    targets: [...targets.values()].flatMap((met): RepeatTarget[] =>
      met[0]?.target ? [{ ...met[0].target, probes: met.length, fates: fatesOf(met) }] : [],
    ),
    ...(affinity && { affinity }),
  };
};

const fatesOf = (probes: readonly RepeatedProbe[]): FateCount[] => {
  const counts = new Map<Disposition, number>();
  for (const { disposition } of probes) counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
  return [...counts].map(([disposition, count]) => ({ disposition, probes: count }));
};

/** Probes are compared that came the same way: what a node remembers, another does not know. */
const affinityOf = (probes: readonly RepeatedProbe[]): Affinity | undefined => {
  if (!probes.some(({ free }) => free)) return 'no-choice';
  const before = new Set<string>();
  let isCompared = false;
  for (const { entry, free } of probes) {
    if (before.has(entry)) {
      if (!free) return 'pinned';
      isCompared = true;
    }
    if (free) before.add(entry);
  }
  return isCompared ? 'none' : undefined;
};
