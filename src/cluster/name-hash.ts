/** Invented name suffixes: the same object always gets the same ones. */

/**
 * The alphabet of generated names: no vowels and nothing that is mistaken for another letter
 * (k8s.io/apimachinery, util/rand).
 */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a, 32 bit (draft-eastlake-fnv), over UTF-16 code units; not a cryptographic hash. */
const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
};

/** Neighbouring texts (`web-1`, `web-2`) give hashes that share no digits (MurmurHash3's finisher). */
const spread = (hash: number): number => {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};

/** A number from 0 up to, but without, `below`. */
export const hashNumber = (text: string, below: number): number => spread(fnv1a(text)) % below;

/** `length` letters of the alphabet that depend on the text alone. */
export const nameHash = (text: string, length: number): string => {
  let letters = '';
  for (let at = 0; at < length; at++)
    letters += ALPHABET[hashNumber(`${at}:${text}`, ALPHABET.length)];
  return letters;
};
