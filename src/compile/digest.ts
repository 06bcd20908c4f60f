/**
 * SHA-512 and SHA-256, for the names that CNI plugins and kube-proxy hash. Loading node:crypto takes
 * a fair part of what a whole trace takes, and few traces need such a name: it is loaded when the
 * first one is asked for.
 */
import { createRequire } from 'node:module';

type Crypto = typeof import('node:crypto');

let loaded: Crypto | undefined;

const load = (): Crypto => {
  const require = createRequire(import.meta.url);
  return require('node:crypto');
};

const hash = (algorithm: 'sha256' | 'sha512', text: string): string => {
  loaded ??= load();
  return loaded.hash(algorithm, text, 'hex');
};

/** The digest of a text (UTF-8) as 128 hex digits. */
export const sha512 = (text: string): string => hash('sha512', text);

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Four characters of base32 are five hex digits; two of them, ten bits. */
const PAIRS = Array.from(
  { length: 1024 },
  (_, bits) => `${BASE32[bits >> 5] ?? ''}${BASE32[bits & 31] ?? ''}`,
);

/**
 * The first characters of a text's SHA-256 in base32 (RFC 4648), as kube-proxy names its chains.
 * @param length characters, a multiple of four
 */
export const sha256Base32 = (text: string, length: 8 | 16): string => {
  const digest = hash('sha256', text);
  let name = '';
  for (let at = 0; at < (length / 4) * 5; at += 5) {
    const bits = Number.parseInt(digest.slice(at, at + 5), 16);
    name += `${PAIRS[bits >> 10] ?? ''}${PAIRS[bits & 1023] ?? ''}`;
  }
  return name;
};
