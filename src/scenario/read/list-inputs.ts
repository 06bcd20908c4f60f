/** Paths as the command line has them → what is to be read: the disk, standard input, revisions. */
import type { Report } from '../../cluster/diagnostic.ts';
import { listSources } from './files.ts';
import type { Source } from './source.ts';

/** A file that is called so is `./git:…`. */
const isGitInput = (path: string): boolean => path.startsWith('git:');

/** In the order of the paths, each source once; what cannot be read is reported. */
export const listInputs = async (
  paths: readonly string[],
  options: { readonly recursive?: boolean | undefined },
  report: Report,
): Promise<Source[]> => {
  if (!paths.some(isGitInput)) return listSources(paths, options, report);
  const { gitSources } = await import('./git.ts');
  const sources = paths.flatMap((path) =>
    isGitInput(path) ? gitSources(path, options, report) : listSources([path], options, report),
  );
  return [...new Map(sources.map((source) => [source.file, source])).values()];
};
