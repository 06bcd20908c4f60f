/** Words of a command line or of a line of iptables-save, and back. */

/** A word, and whether quotation marks stood around it (so that `"!"` is no negation). */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

const ESCAPED_IN_DOUBLE = new Set(['"', '\\', "'", '$', '`']);

/**
 * Splits as a shell does, without expansion: blanks separate, `'…'` is literal, `"…"` and `\` keep
 * what follows together.
 */
export const splitWords = (line: string): Word[] => {
  const words: Word[] = [];
  let text = '';
  let open = false;
  let quoted = false;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    const next = line.charAt(at + 1);
    if (quote === "'") {
      if (char === "'") quote = '';
      else text += char;
    } else if (quote === '"') {
      if (char === '"') quote = '';
      else if (char === '\\' && ESCAPED_IN_DOUBLE.has(next)) {
        text += next;
        at++;
      } else text += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      open = true;
      quoted = true;
    } else if (char === '\\' && next !== '') {
      text += next;
      at++;
      open = true;
    } else if (/\s/.test(char)) {
      if (open) words.push({ text, quoted });
      text = '';
      open = false;
      quoted = false;
    } else {
      text += char;
      open = true;
    }
  }
  if (open) words.push({ text, quoted });
  return words;
};

const PLAIN = /^[A-Za-z0-9_-]+$/;

const inQuotes = (text: string): string => `"${text.replaceAll(/["\\']/g, '\\$&')}"`;

/** xtables_save_string (iptables libxtables): quoted unless it is letters, digits, `_` and `-`. */
export const saveString = (text: string): string => (PLAIN.test(text) ? text : inQuotes(text));

/** A word of an option that nobody here understands: as it was written. */
export const saveWord = ({ text, quoted }: Word): string =>
  quoted || text === '' || /[\s"'\\]/.test(text) ? inQuotes(text) : text;
