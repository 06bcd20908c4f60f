/** Runs the expectations of a scenario: one trace each, and what differs. */
import { atPlace, type Diagnostic } from '../cluster/diagnostic.ts';
import type { Expectation } from '../scenario/expectation.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import type { Misuse, TraceFacts } from '../trace/trace.ts';
import { ask } from './ask.ts';
import { type Difference, differences } from './expectations.ts';

export type Judged =
  | {
      readonly kind: 'traced';
      readonly expectation: Expectation;
      readonly facts: TraceFacts;
      /** Empty: the expectation holds. */
      readonly differences: readonly Difference[];
    }
  /** The question of the expectation makes no sense in its scenario: bad input. */
  | {
      readonly kind: 'unanswerable';
      readonly expectation: Expectation;
      readonly diagnostics: readonly Diagnostic[];
      readonly misuses: readonly Misuse[];
    };

/** Every expectation is put to the scenario as it is given: no trace sees what another left behind. */
export function judge(scenario: OpenedScenario): Judged[] {
  return scenario.expectations.map((expectation) => {
    const { from, to, port, protocol, size, backend, place } = expectation;
    const answer = ask(scenario, { from, to, port, protocol, size, backend });
    if (!answer.ok) {
      return {
        kind: 'unanswerable',
        expectation,
        diagnostics: answer.diagnostics.map((diagnostic) => ({
          ...diagnostic,
          ...atPlace(place),
        })),
        misuses: answer.misuses,
      };
    }
    const { facts } = answer;
    return { kind: 'traced', expectation, facts, differences: differences(expectation, facts) };
  });
}
