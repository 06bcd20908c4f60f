/** A diff as the published JSON. */
import type { Diff } from '../../check/diff/diff.ts';
import { harmlessQuoted } from '../harmless.ts';

/** @returns two-space JSON with a newline at its end. */
export const diffJson = (diff: Diff): string =>
  `${harmlessQuoted(JSON.stringify(diff, null, 2))}\n`;
