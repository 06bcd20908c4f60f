/** A question that is not asked, as a diagnostic. */
import type { Diagnostic } from '../cluster/diagnostic.ts';
import type { Misuse } from '../trace/trace.ts';
import type { Catalogue } from './catalogue.ts';

export function tellMisuse<M extends Misuse>(misuse: M, { misuses }: Catalogue): Diagnostic {
  // TypeScript does not see that the entry under a code takes the misuse of that code.
  const tell = misuses[misuse.code] as (misuse: M) => { message: string; hint: string };
  return { severity: 'error', code: misuse.code, ...tell(misuse) };
}
