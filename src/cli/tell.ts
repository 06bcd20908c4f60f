/** A trace of an opened scenario, told at a depth. */
import type { Catalogue } from '../explain/catalogue.ts';
import { en } from '../explain/messages/en.ts';
import type { Glyphs } from '../explain/quote.ts';
import { type Story, tellStory } from '../explain/story.ts';
import { type Told, tellingOf } from '../explain/telling.ts';
import { type Depth, prune } from '../trace/prune.ts';
import type { TraceFacts } from '../trace/trace.ts';
import { rows } from '../userland/print/rows.ts';

/** The language of all output. */
export const words: Catalogue = en;

/** @param withFacts false leaves out what only `-v` shows of a step. */
export function tell(
  facts: TraceFacts,
  depth: Depth,
  scenario: Told,
  glyphs: Glyphs,
  withFacts = true,
): Story {
  const telling = { ...tellingOf(scenario, rows, words, glyphs), withFacts };
  return tellStory(prune(facts, depth), facts, telling);
}
