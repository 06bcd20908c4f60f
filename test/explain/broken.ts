/** A built-in scenario with faults, asked one question, and what is told of it. */
import { ask, type Question } from '../../src/check/ask.ts';
import { tell } from '../../src/cli/tell.ts';
import { UNICODE } from '../../src/explain/quote.ts';
import type { Story } from '../../src/explain/story.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';

export interface Broken {
  readonly facts: TraceFacts;
  readonly story: Story;
}

export interface Ask extends Partial<Question> {
  readonly scenario?: string;
  readonly set?: readonly string[];
}

/** @param faults `node/NAME: COMMAND` or `pod/NAME: COMMAND` */
export const traceBroken = async (
  faults: readonly string[],
  { scenario: name, set, ...question }: Ask = {},
): Promise<Broken> => {
  const opened = await openBuiltIn(name, { break: faults, ...(set && { set }) });
  if (!opened.ok) throw new Error(opened.diagnostics.map(({ message }) => message).join('\n'));
  const { scenario } = opened;
  const answer = ask(scenario, { from: 'pod-a', to: 'pod-b', detailed: true, ...question });
  if (!answer.ok) throw new Error(answer.diagnostics.map(({ message }) => message).join('\n'));
  const { facts } = answer;
  return { facts, story: tell(facts, 'verbose', scenario, UNICODE) };
};
