/** One trace, several depths: prunes the data, so that every output form agrees on what is shown. */
import type { Hop, Leg, Step, TraceFacts } from './trace.ts';

/**
 * minimal: verdict and packet edits. default: a line a step. verbose: every lookup. full: verbose
 * with whole headers (the same steps).
 */
export type Depth = 'minimal' | 'default' | 'verbose' | 'full';

/**
 * Drops the steps that a depth does not show. Numbers are kept, so that step 12 is step 12 at
 * every depth; hops and legs that end up empty go too. The step of the cause always stays.
 */
export function prune(facts: TraceFacts, depth: Depth): TraceFacts {
  if (depth === 'verbose' || depth === 'full') return facts;
  const pruned = { ...facts, legs: pruneLegs(facts.legs, facts, depth) };
  const { resolution } = facts;
  if (resolution === undefined) return pruned;
  const queries = resolution.queries.map((query) => ({
    ...query,
    legs: pruneLegs(query.legs, facts, depth),
  }));
  return { ...pruned, resolution: { ...resolution, queries } };
}

function pruneLegs(
  legs: readonly Leg[],
  { cause }: TraceFacts,
  depth: 'minimal' | 'default',
): readonly Leg[] {
  const keep = depth === 'minimal' ? keptInMinimal : keptInDefault;
  const kept: Leg[] = [];
  for (const leg of legs) {
    const hops: Hop[] = [];
    for (const hop of leg.hops) {
      const steps = hop.steps.filter(
        (step, index) => step.n === cause?.step || keep(step, hop.steps.slice(index + 1)),
      );
      if (steps.length > 0) hops.push({ ...hop, steps });
    }
    if (hops.length > 0 || depth === 'default') kept.push({ ...leg, hops });
  }
  return kept;
}

/** A rule that was written for policies: their own step tells it. */
const isOfPolicy = (step: Step | undefined): boolean => step?.origin?.by === 'policy';

/** Policies stop the packet, or would if they were enforced, or nobody can tell. */
const stopsOrWould = ({ action, detail }: Step): boolean =>
  action !== 'not-isolated' && 'decision' in detail && detail.decision !== 'allow';

function keptInMinimal(step: Step): boolean {
  switch (step.kind) {
    case 'nat':
    case 'encapsulate':
    case 'decapsulate':
    case 'deliver':
    case 'drop':
      return true;
    case 'rule':
      return (
        !isOfPolicy(step) &&
        step.action !== 'accept' &&
        step.action !== 'return' &&
        step.action !== 'jump'
      );
    case 'policy':
      return stopsOrWould(step);
    case 'neighbour':
      return step.action === 'failed';
    case 'size':
      return step.action !== 'fits';
    case 'wire':
      return step.action !== 'carry';
    default:
      return false;
  }
}

function keptInDefault(step: Step, after: readonly Step[]): boolean {
  switch (step.kind) {
    case 'hook':
      return step.action === 'drop' && !isOfPolicy(after.find(({ kind }) => kind === 'drop'));
    case 'conntrack':
      return step.action === 'invalid';
    case 'rule':
      return !isOfPolicy(step) && step.action !== 'return' && step.action !== 'jump';
    case 'policy':
      return step.action !== 'not-isolated';
    case 'size':
      return step.action !== 'fits';
    case 'wire':
      return step.action !== 'carry';
    case 'receive':
      // The other end of a veth pair, a wire or lo: the transmit line tells it. A port of a bridge:
      // the bridge's own line names it.
      if (step.action === 'other-host') return true;
      return step.action === 'to-bridge' && !after.some(({ kind }) => kind === 'bridge');
    case 'route':
      return !('purpose' in step.detail && step.detail.purpose === 'reverse-path');
    default:
      return true;
  }
}
