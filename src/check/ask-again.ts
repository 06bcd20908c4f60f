/** The second probe: the same question, put to the World that the first one has left behind. */
import type { OpenedScenario } from '../scenario/open.ts';
import { changesBetween, costOf } from '../trace/compare-traces.ts';
import { leftBehind, secondPort } from '../trace/second-probe.ts';
import { type Answer, ask, type Question } from './ask.ts';

/** Asks twice; the answer is the second one, with what is otherwise than in the first. */
export const askAgain = (scenario: OpenedScenario, question: Question): Answer => {
  const first = ask(scenario, question);
  if (!first.ok) return first;
  const { protocol, sourcePort } = first.facts.probe;
  const second = ask(
    { ...scenario, world: leftBehind(first.world, protocol) },
    {
      ...question,
      ...(sourcePort !== undefined && { sourcePort: secondPort(protocol, sourcePort) }),
    },
  );
  if (!second.ok) return second;
  const warm = {
    first: costOf(first.facts),
    second: costOf(second.facts),
    changes: changesBetween(first.facts, second.facts),
  };
  return { ...second, facts: { ...second.facts, warm } };
};
