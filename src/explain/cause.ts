/** A cause in words: the sentence, the fix, the command that checks it on a real node. */
import type { Hop, Step, TraceFacts } from '../trace/trace.ts';
import type { Catalogue, CauseWords } from './catalogue.ts';
import type { CauseContext, CauseDetail } from './context.ts';
import type { Telling } from './quote.ts';

/** Tells the cause of a trace; undefined where it has none. */
export function tellCause(
  facts: TraceFacts,
  telling: Telling,
  words: Catalogue,
): CauseWords | undefined {
  const { cause } = facts;
  if (cause === undefined) return undefined;
  const found = findStep(facts, cause.step);
  return words.causes[cause.code]({
    ...telling,
    facts,
    cause,
    ...found,
    about: cause.about ?? placeOf(found?.hop),
    packet: packetAt(found),
    detail: { ...(found?.step.detail as CauseDetail | undefined) },
  });
}

function placeOf(hop: Hop | undefined): CauseContext['about'] {
  return hop === undefined ? {} : { node: hop.node, netns: hop.netns };
}

function packetAt(found: { step: Step; hop: Hop } | undefined): CauseContext['packet'] {
  const before = found?.hop.steps.filter(({ n }) => n <= found.step.n) ?? [];
  return before.findLast(({ packet }) => packet !== undefined)?.packet ?? [];
}

function findStep(facts: TraceFacts, n: number | undefined): { step: Step; hop: Hop } | undefined {
  for (const leg of facts.legs) {
    for (const hop of leg.hops) {
      const step = hop.steps.find((candidate) => candidate.n === n);
      if (step !== undefined) return { step, hop };
    }
  }
  return undefined;
}
