/** The built-in scenarios by name: what there is, and the text of each. Opens none of them. */
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { didYouMean, nearest } from '../cluster/nearest.ts';
import type { BuiltInEntry } from './compile-built-in.ts';
import { readOwnFile } from './read/files.ts';
import type { SourceText } from './read/source.ts';

/** The built-in scenarios, by name. */
export const listBuiltIn = async (): Promise<readonly BuiltInEntry[]> =>
  (await import('./built-in.ts')).builtInIndex;

/** The name of a built-in scenario that is meant by `two-nodes` or `basics/two-nodes`. */
export const findBuiltIn = async (
  typed: string,
): Promise<{ readonly name: string } | { readonly diagnostic: Diagnostic }> => {
  const names = (await listBuiltIn()).map(({ name }) => name);
  const found = names.filter((name) => name === typed || name.endsWith(`/${typed}`));
  const [only] = found;
  if (only !== undefined && found.length === 1) return { name: only };
  const near = found.length > 1 ? found : nearest(typed, names);
  const hint = didYouMean(near) ?? `k8snet scenarios lists all ${names.length} of them.`;
  return {
    diagnostic: {
      severity: 'error',
      code: 'unknown-scenario',
      message: `there is no built-in scenario ${JSON.stringify(typed)}`,
      hint,
    },
  };
};

/** The text of a built-in scenario, or what is wrong with its name. */
export const readBuiltIn = async (
  typed: string,
): Promise<SourceText | { readonly diagnostic: Diagnostic }> => {
  const found = await findBuiltIn(typed);
  if ('diagnostic' in found) return found;
  const file = `scenarios/${found.name}.yaml`;
  return { file, text: readOwnFile(new URL(`../../${file}`, import.meta.url)) };
};
