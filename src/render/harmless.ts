/** Names from anywhere, printed without doing anything to the terminal. */

/**
 * What a terminal or an editor acts on instead of showing it: control characters (C0, DEL, C1),
 * line separators, marks that turn the direction of text around, and lone surrogates.
 */
const ACTIVE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text with everything active in it spelled out: ESC becomes `\u001b`. */
export function harmless(text: string): string {
  return text.replace(ACTIVE, escaped);
}

/** The same for a line that a program lays out with tabs: they stay. */
export function harmlessTabbed(text: string): string {
  return text.replace(ACTIVE, (character) => (character === '\t' ? character : escaped(character)));
}

/** Whether there is nothing active in the text. */
export function isHarmless(text: string): boolean {
  return text.search(ACTIVE) < 0;
}

/**
 * The same for every string in plain data, keys left alone: what a renderer is given may hold names
 * that nobody has checked.
 */
export function harmlessData<Value>(value: Value): Value;
export function harmlessData(value: unknown): unknown {
  if (typeof value === 'string') return harmless(value);
  if (Array.isArray(value)) return value.map((item) => harmlessData(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, harmlessData(item)]));
}

/**
 * Text in which everything active stands between double quotes (JSON; YAML where it is quoted): it
 * means the same and shows no active character. Its own line breaks stay.
 */
export function harmlessQuoted(text: string): string {
  return text.replace(ACTIVE, (character) => (character === '\n' ? character : escaped(character)));
}
