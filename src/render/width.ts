/** How many terminal columns a text takes, and breaking it into lines that fit. */
import { eastAsianWidth } from 'get-east-asian-width';

const PLAIN = /^[\x20-\x7E]*$/u;
const ZERO_WIDTH = /^(?:\p{Mark}|\p{Cf})$/u;

/** Columns that a text without colour takes on a terminal; CJK characters take two each. */
export function columns(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (ZERO_WIDTH.test(character)) continue;
    width += eastAsianWidth(character.codePointAt(0) ?? 0);
  }
  return width;
}

/** Pads with blanks to a number of columns; longer texts stay as they are. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columns(text)));
}

/**
 * Breaks plain text (no colour) into lines of at most `width` columns: between words where it
 * can, inside a word that is longer than a line, and between any two CJK characters.
 */
export function wrap(text: string, width: number): string[] {
  if (!text.startsWith(' ') && columns(text) <= width) return [text.trimEnd()];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  const flush = () => {
    lines.push(line.trimEnd());
    line = '';
    used = 0;
  };
  for (const piece of pieces(text)) {
    const wide = columns(piece);
    if (used + wide > width && used > 0 && piece !== ' ') flush();
    if (used === 0 && piece === ' ') continue;
    if (wide <= width) {
      line += piece;
      used += wide;
      continue;
    }
    for (const character of piece) {
      const one = columns(character);
      if (used + one > width) flush();
      line += character;
      used += one;
    }
  }
  if (line !== '' || lines.length === 0) flush();
  return lines;
}

/** Words, single blanks, and CJK characters one by one. */
function pieces(text: string): string[] {
  return (
    text.match(
      / |[\u1100-\u115F\u2E80-\uFFEF\u{1F300}-\u{3FFFD}]|[^ \u1100-\u115F\u2E80-\uFFEF\u{1F300}-\u{3FFFD}]+/gu,
    ) ?? []
  );
}
