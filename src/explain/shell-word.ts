/** Words of a shell command that mean themselves, whatever is in them. */

/** What no POSIX shell takes for anything else. */
const PLAIN = /^[A-Za-z0-9@%+=:,./_-]+$/;

/** The text as one word: as it is where that is safe, else between single quotes. */
export const shellWord = (text: string): string =>
  PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
