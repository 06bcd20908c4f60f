/** A trace of an opened scenario, told at a depth. */
import type { Mendable } from '../check/fix/ailment.ts';
import { whyOf } from '../check/fix/remedy.ts';
import type { Catalogue } from '../explain/catalogue.ts';
import { en } from '../explain/messages/en.ts';
import type { Glyphs } from '../explain/quote.ts';
import { type Story, tellStory } from '../explain/story.ts';
import { tellingOf } from '../explain/telling.ts';
import { type Depth, prune } from '../trace/prune.ts';
import type { TraceFacts } from '../trace/trace.ts';
import { rows } from '../userland/print/rows.ts';

/** The language of all output. */
export const words: Catalogue = en;

/**
 * @param withFacts false leaves out what only `-v` shows of a step.
 * @param tried the stories after each fix that was tried
 */
export function tell(
  facts: TraceFacts,
  depth: Depth,
  scenario: Mendable,
  glyphs: Glyphs,
  withFacts = true,
  tried: readonly Story[] = [],
): Story {
  const telling = tellingOf(scenario, rows, words, glyphs, (failed) => whyOf(scenario, failed));
  return tellStory(prune(facts, depth), facts, { ...telling, withFacts, tried });
}
