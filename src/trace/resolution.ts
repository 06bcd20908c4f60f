/** Traces that begin with a name: its queries before the connection, numbered as one story. */
import type { ResolveEvent } from '../kernel/event.ts';
import type { DnsQuery, Hop, Leg, Resolution, Step, TraceFacts } from './trace.ts';

/** All legs in the order of time: those of the queries, then those of the connection. */
export const allLegs = ({ resolution, legs }: Pick<TraceFacts, 'resolution' | 'legs'>): Leg[] => [
  ...(resolution?.queries ?? []).flatMap((query) => query.legs),
  ...legs,
];

/** The query that is the reason why there is no connection. */
export const failedQuery = ({ resolution, cause }: TraceFacts): DnsQuery | undefined =>
  cause?.step === undefined
    ? undefined
    : resolution?.queries.find(({ legs }) =>
        legs.some(({ hops }) => hops.some(({ steps }) => steps.some(({ n }) => n === cause.step))),
      );

/** A query as a trace of its own, with the numbers that it has in the whole. */
export const factsOfQuery = (facts: TraceFacts, query: DnsQuery): TraceFacts => {
  const { resolution: _, cause, ...rest } = facts;
  const { inner, ...found } = cause ?? {};
  const code = inner ?? cause?.code;
  return {
    ...rest,
    probe: {
      from: facts.probe.from,
      to: { text: query.server, kind: 'ip', ip: query.server },
      protocol: 'udp',
      port: 53,
    },
    disposition: query.disposition,
    symptom: query.symptom,
    legs: query.legs,
    ...(code && { cause: { ...found, code } }),
  };
};

const stepsIn = (legs: readonly Leg[]): number =>
  legs.reduce(
    (sum, { hops }) => sum + hops.reduce((count, { steps }) => count + steps.length, 0),
    0,
  );

const numbered = (legs: readonly Leg[], first: number): Leg[] => {
  let n = first;
  return legs.map((leg) => ({
    ...leg,
    hops: leg.hops.map((hop) => ({
      ...hop,
      steps: hop.steps.map((step): Step => ({ ...step, n: n++ })),
    })),
  }));
};

const stepOf = ({ kind, action, detail }: Omit<ResolveEvent, 'netns'>): Step => ({
  n: 0,
  kind,
  action,
  detail,
});

const withFirst = (hop: Hop, step: Step): Hop => ({ ...hop, steps: [step, ...hop.steps] });
const withLast = (hop: Hop, step: Step): Hop => ({ ...hop, steps: [...hop.steps, step] });

/** The legs with a step before everything that the first one does. */
const beginning = (legs: readonly Leg[], step: Step | undefined): readonly Leg[] => {
  const [leg, ...others] = legs;
  const [hop, ...rest] = leg?.hops ?? [];
  return step && leg && hop ? [{ ...leg, hops: [withFirst(hop, step), ...rest] }, ...others] : legs;
};

/** The legs with a step behind everything that the last one does. */
const ending = (legs: readonly Leg[], step: Step | undefined): readonly Leg[] => {
  const leg = legs.at(-1);
  const hop = leg?.hops.at(-1);
  return step && leg && hop
    ? [...legs.slice(0, -1), { ...leg, hops: [...leg.hops.slice(0, -1), withLast(hop, step)] }]
    : legs;
};

const readStep = ({ name, resolvConf }: Resolution): Step => {
  const { nameservers, searches, ndots } = resolvConf;
  const detail = { name, nameservers, searches, ndots };
  return stepOf({ kind: 'resolve', action: 'read', detail });
};

const answerStep = ({ name, type, rcode, answers }: DnsQuery): Step | undefined =>
  rcode && stepOf({ kind: 'resolve', action: 'answer', detail: { name, type, rcode, answers } });

const hostsStep = ({ name, by, addresses: [ip] }: Resolution): Step | undefined =>
  by === 'hosts' && ip !== undefined
    ? stepOf({ kind: 'resolve', action: 'hosts', detail: { name, ip } })
    : undefined;

/** How far the numbers of a query's steps, or of the connection's, move. */
interface Shift {
  readonly by: number;
  readonly legs: Leg[];
}

const shifted = (
  legs: readonly Leg[],
  first: number,
  before: Step | undefined,
  after: Step | undefined,
): Shift => ({
  by: first - 1 + (before && legs.length > 0 ? 1 : 0),
  legs: numbered(ending(beginning(legs, before), after), first),
});

const moved = <Fact extends { readonly step?: number }>(fact: Fact, by: number): Fact =>
  fact.step === undefined ? fact : { ...fact, step: fact.step + by };

/**
 * Queries that were traced one by one, as one resolution: steps that say what was read and
 * answered, and numbers that run through. A cause's step is that of the whole.
 */
export const joinQueries = (resolution: Resolution): Resolution => {
  let first = 1;
  const queries = resolution.queries.map((query, at): DnsQuery => {
    const before = at === 0 ? readStep(resolution) : undefined;
    const { by, legs } = shifted(query.legs, first, before, answerStep(query));
    first += stepsIn(legs);
    return { ...query, legs, ...(query.cause && { cause: moved(query.cause, by) }) };
  });
  return { ...resolution, queries };
};

/** A connection behind its resolution. */
export const joinConnection = (resolution: Resolution, facts: TraceFacts): TraceFacts => {
  const first = 1 + stepsIn(resolution.queries.flatMap((query) => query.legs));
  const { by, legs } = shifted(facts.legs, first, hostsStep(resolution), undefined);
  const { cause, sourceSeen, dnat } = facts;
  return {
    ...facts,
    resolution,
    legs,
    ...(cause && { cause: moved(cause, by) }),
    ...(sourceSeen?.rewritten && {
      sourceSeen: { ...sourceSeen, rewritten: moved(sourceSeen.rewritten, by) },
    }),
    ...(dnat && { dnat: moved(dnat, by) }),
  };
};
