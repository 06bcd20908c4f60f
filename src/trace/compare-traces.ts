/** Two traces of one question held against each other: where they part, and all that differs. */
import { isCounterpart, isSameStep } from './same-step.ts';
import type { Change, Cost, Leg, PlacedStep, Step, TraceFacts } from './trace.ts';

/** The steps of a leg, each with its place. */
export const placedSteps = ({ direction, packet, hops }: Leg): PlacedStep[] =>
  hops.flatMap(({ node, netns, steps }) =>
    steps.map((step) => ({ direction, packet, node, netns, step })),
  );

const allSteps = ({ legs }: Pick<TraceFacts, 'legs'>): PlacedStep[] => legs.flatMap(placedSteps);

/** A hook only counts its chains; the rule that decides comes after it. */
const tellsLess = (a: PlacedStep | undefined, b: PlacedStep | undefined): boolean =>
  a?.step.kind === 'hook' && b?.step.kind === 'hook';

/**
 * The first steps in which two traces differ.
 *
 * @returns undefined where they take the same steps; one side is absent where that trace has
 *   ended before.
 */
export const whereTheyPart = (
  before: Pick<TraceFacts, 'legs'>,
  now: Pick<TraceFacts, 'legs'>,
): { readonly before?: PlacedStep; readonly now?: PlacedStep } | undefined => {
  const [a, b] = [allSteps(before), allSteps(now)];
  let at = a.findIndex((one, n) => {
    const other = b[n];
    return !other || one.packet !== other.packet || !isSameStep(one, other);
  });
  if (at < 0) {
    if (a.length === b.length) return undefined;
    at = a.length;
  }
  const next = b[at + 1];
  if (tellsLess(a[at], b[at]) && (next?.step.kind === 'rule' || next?.step.kind === 'nat')) at += 1;
  const [one, other] = [a[at], b[at]];
  return { ...(one && { before: one }), ...(other && { now: other }) };
};

/** Lengths of the longest common subsequences of the tails that start at each pair of steps. */
const tails = (a: readonly PlacedStep[], b: readonly PlacedStep[]): Uint32Array[] => {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    const [one, row, below] = [a[i], rows[i], rows[i + 1]];
    if (!one || !row || !below) continue;
    for (let j = b.length - 1; j >= 0; j--) {
      const other = b[j];
      row[j] =
        other && isCounterpart(one, other)
          ? (below[j + 1] ?? 0) + 1
          : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return rows;
};

/** Counterparts that differ, and steps without one, in the order of the packet. */
const changesOfLeg = (a: readonly PlacedStep[], b: readonly PlacedStep[]): Change[] => {
  const rest = tails(a, b);
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [was, is] = [a[i], b[j]];
    if (was && is && isCounterpart(was, is)) {
      if (!isSameStep(was, is)) changes.push({ was, is });
      i += 1;
      j += 1;
    } else if (was && (!is || (rest[i + 1]?.[j] ?? 0) >= (rest[i]?.[j + 1] ?? 0))) {
      changes.push({ was });
      i += 1;
    } else if (is) {
      changes.push({ is });
      j += 1;
    }
  }
  return changes;
};

interface LegPair {
  readonly was?: Leg | undefined;
  readonly is?: Leg | undefined;
}

/** Legs that carry the same packet the same way, in order. */
const legPairs = (a: readonly Leg[], b: readonly Leg[]): LegPair[] => {
  const left = [...b];
  const pairs = a.map((was): LegPair => {
    const at = left.findIndex(
      ({ packet, direction }) => packet === was.packet && direction === was.direction,
    );
    return at < 0 ? { was } : { was, is: left.splice(at, 1)[0] };
  });
  return [...pairs, ...left.map((is): LegPair => ({ is }))];
};

/** All that is otherwise in `now` than it was in `before`. */
export const changesBetween = (
  before: Pick<TraceFacts, 'legs'>,
  now: Pick<TraceFacts, 'legs'>,
): Change[] =>
  legPairs(before.legs, now.legs).flatMap(({ was, is }) =>
    changesOfLeg(was ? placedSteps(was) : [], is ? placedSteps(is) : []),
  );

const framesOf = ({ kind, detail }: Step): number => {
  if (kind !== 'neighbour') return 0;
  const { exchange = [], broadcasts = [] } = detail as Extract<Step['detail'], { ip: string }> & {
    readonly exchange?: readonly { readonly direction: string }[];
    readonly broadcasts?: readonly { readonly others: number }[];
  };
  const sent = exchange.filter(({ direction }) => direction === 'transmit').length;
  return broadcasts.reduce((sum, { others }) => sum + others, sent);
};

/** What a probe cost the kernels on its way. */
export const costOf = (facts: Pick<TraceFacts, 'legs'>): Cost => {
  const steps = allSteps(facts).map(({ step }) => step);
  const number = (wanted: (step: Step) => boolean): number => steps.filter(wanted).length;
  return {
    steps: steps.length,
    arpExchanges: number((step) => framesOf(step) > 0),
    arpFrames: steps.reduce((sum, step) => sum + framesOf(step), 0),
    floods: number(({ kind, action }) => kind === 'bridge' && action === 'flood'),
    natLookups: number(
      ({ kind, detail }) =>
        kind === 'hook' && 'chains' in detail && detail.chains.some(({ table }) => table === 'nat'),
    ),
    newConnections: number(({ kind, action }) => kind === 'conntrack' && action === 'confirm'),
  };
};
