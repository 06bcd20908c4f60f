/** The resolving of a name in words: what was read, and each query with its fate. */
import type { DnsQuery, Leg, TraceFacts } from '../trace/trace.ts';
import type { Catalogue } from './catalogue.ts';
import { verdictOf } from './verdict.ts';
import { namesOf } from './ways.ts';

export interface QueryWords {
  readonly type: string;
  readonly name: string;
  /** What came of it: `NXDOMAIN`, `10.96.0.20`, how it failed. */
  readonly said: string;
  /** `steps 1 to 12, 4 hops there, 4 back`. */
  readonly about: string;
  readonly status: 'good' | 'plain' | 'bad' | 'unsure';
  /** It is the reason why there is no connection: its way is told at every depth. */
  readonly failed: boolean;
}

const statusOf = ({ disposition, rcode, answers }: DnsQuery): QueryWords['status'] => {
  if (disposition === 'inconclusive' || disposition === 'ambiguous') return 'unsure';
  if (disposition !== 'delivered') return 'bad';
  return rcode === 'NOERROR' && answers.length > 0 ? 'good' : 'plain';
};

/** A query as a trace of its own, as far as its legs are told by it. */
export const factsOf = (whole: TraceFacts, query: DnsQuery): TraceFacts => ({
  ...whole,
  probe: {
    ...whole.probe,
    to: { text: query.server, kind: 'ip', ip: query.server },
    protocol: 'udp',
  },
  disposition: query.disposition,
  symptom: query.symptom,
  legs: query.legs,
});

/** Where it depends on the Pod that chance picks: who does not answer, and who does. */
const serversOf = ({ told, alternatives = [] }: DnsQuery, words: Catalogue): string[] => {
  if (!told || alternatives.every(({ disposition }) => disposition === told.disposition)) return [];
  return [told, ...alternatives].map(
    (way) => `${namesOf(way, words).join(' ')}: ${words.story.wayFate(way.disposition, way.cause)}`,
  );
};

const saidOf = (query: DnsQuery, whole: TraceFacts, words: Catalogue): string => {
  const { story, verdicts } = words;
  const { rcode, answers, forwarded } = query;
  if (forwarded !== undefined) return story.resolution.forwarded(forwarded);
  if (rcode !== undefined) return story.resolution.answered(rcode, answers);
  const failed = verdicts[verdictOf(factsOf(whole, query))];
  return [failed, ...serversOf(query, words)].join('; ');
};

const numbersOf = (legs: readonly Leg[]): number[] =>
  legs.flatMap(({ hops }) => hops.flatMap(({ steps }) => steps.map(({ n }) => n)));

const aboutOf = ({ legs }: DnsQuery, { story }: Catalogue): string => {
  const numbers = numbersOf(legs);
  const back = legs.find(({ direction }) => direction === 'reply')?.hops.length;
  const way = story.hops(legs[0]?.hops.length ?? 0, back);
  return numbers.length === 0
    ? way
    : `${story.steps(numbers[0] ?? 0, numbers.at(-1) ?? 0)}, ${way}`;
};

/** @param query one of the trace `whole`, with all its steps */
export const tellQuery = (query: DnsQuery, whole: TraceFacts, words: Catalogue): QueryWords => ({
  type: query.type,
  name: query.name,
  said: saidOf(query, whole, words),
  about: aboutOf(query, words),
  status: statusOf(query),
  failed: whole.cause?.step !== undefined && numbersOf(query.legs).includes(whole.cause.step),
});
