/** A trace through a cluster that was changed, held against the one through the cluster before. */
import type { OpenedScenario } from '../scenario/open.ts';
import { whereTheyPart } from '../trace/compare-traces.ts';
import type { Before, TraceFacts } from '../trace/trace.ts';
import type { Answer, Question } from './ask.ts';

/** The cluster without its faults; undefined where it has none. */
export const withoutFaults = ({
  unfaulted,
  ...scenario
}: OpenedScenario): OpenedScenario | undefined => unfaulted && { ...scenario, world: unfaulted };

/** The cluster as it was, and what it was before. */
export interface Earlier {
  readonly scenario: OpenedScenario;
  readonly without: Before['without'];
}

/**
 * The same question, put to the backend that the facts tell: the way to another one parts from it
 * where they are picked, which says nothing about the change.
 */
const toSameBackend = (
  { told }: TraceFacts,
  { scenario }: Earlier,
  { backend = 'all', ...question }: Question,
  ask: (scenario: OpenedScenario, question: Question) => Answer,
): Answer | undefined => {
  if (told?.choice !== 'backend' || backend !== 'all') return undefined;
  return ask(scenario, { ...question, backend: told.address ?? told.name });
};

/**
 * The facts, with how the same question fares in the earlier cluster and where the two part. Where
 * the question makes no sense there (a Pod that an override brought), the facts as they are.
 */
export const withBefore = (
  facts: TraceFacts,
  earlier: Earlier,
  question: Question,
  ask: (scenario: OpenedScenario, question: Question) => Answer,
): TraceFacts => {
  const { scenario, without } = earlier;
  const answer = ask(scenario, question);
  if (!answer.ok) return facts;
  const { disposition, symptom, cause } = answer.facts;
  const same = toSameBackend(facts, earlier, question, ask);
  const found = whereTheyPart(same?.ok ? same.facts : answer.facts, facts);
  const before: Before = {
    without,
    disposition,
    symptom,
    ...(cause && { cause: cause.code }),
    ...(found && {
      parts: {
        ...(found.before && { before: found.before }),
        ...(found.now && { step: found.now.step.n }),
      },
    }),
  };
  return { ...facts, before };
};
