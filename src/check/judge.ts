/** Runs the expectations of a scenario: one trace each, and what differs. */
import { atPlace, type Diagnostic } from '../cluster/diagnostic.ts';
import type { Expectation } from '../scenario/expectation.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import type { Misuse, TraceFacts } from '../trace/trace.ts';
import { ask } from './ask.ts';
import { type Asked, askRepeatedly } from './ask-repeatedly.ts';
import { backendsOf, type Difference, differences } from './expectations.ts';

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
export function judge(
  scenario: OpenedScenario,
  expectations: readonly Expectation[] = scenario.expectations,
): Judged[] {
  return expectations.map((expectation) => {
    const { from, to, namespace, port, protocol, size, backend, repeat, place } = expectation;
    const question = { from, to, namespace, port, protocol, size, backend };
    const answer =
      repeat === undefined ? ask(scenario, question) : askRepeatedly(scenario, question, repeat);
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
    if ('facts' in answer) {
      const { facts } = answer;
      return { kind: 'traced', expectation, facts, differences: differences(expectation, facts) };
    }
    return judgeAll(expectation, [answer.first, ...answer.rest]);
  });
}

/** Of several probes the first that differs is told. */
function judgeAll(expectation: Expectation, probes: readonly Asked[]): Judged {
  const backends = new Set(probes.flatMap(({ facts }) => [...backendsOf(facts)]));
  const judged = probes.map(({ facts }) => ({
    kind: 'traced' as const,
    expectation,
    facts,
    differences: differences(expectation, facts, backends),
  }));
  const [first] = judged;
  if (!first) throw new RangeError('an expectation without a probe');
  return judged.find((one) => one.differences.length > 0) ?? first;
}
