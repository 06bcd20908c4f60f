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

export function tell(facts: TraceFacts, depth: Depth, scenario: Told, glyphs: Glyphs): Story {
  return tellStory(prune(facts, depth), facts, tellingOf(scenario, rows, words, glyphs));
}
