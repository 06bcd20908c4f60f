/**
 * SHA-512, for the names that CNI plugins hash. Loading node:crypto takes a fair part of what a
 * whole trace takes, and few traces need such a name: it is loaded when the first one is asked for.
 */
import { createRequire } from 'node:module';

const load = (): typeof import('node:crypto') => {
  const require = createRequire(import.meta.url);
  return require('node:crypto');
};

/** The digest of a text (UTF-8) as 128 hex digits. */
export const sha512 = (text: string): string =>
  load().createHash('sha512').update(text).digest('hex');
