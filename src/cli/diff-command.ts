/** `k8snet diff`: what a change does to connections and to paths. */
import type { Diff } from '../check/diff/diff.ts';
import { diffOf } from '../check/diff/diff-of.ts';
import { failsOn } from '../check/diff/fails-on.ts';
import type { PathDiff } from '../check/diff/path-diff.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { glyphsFor, styleFor, wantsColor, widthOf } from './appearance.ts';
import type { DiffCommandOptions } from './diff-options.ts';
import { openSides } from './diff-sides.ts';
import { EXIT, type Io } from './io.ts';
import { report } from './report.ts';

/** Beyond this, nobody compares two columns. */
const WIDEST = 200;

/** @returns the exit code. */
export async function diffCommand(
  base: string,
  head: string,
  options: DiffCommandOptions,
  io: Io,
): Promise<number> {
  const sides = await openSides(base, head, options, io);
  if (!sides) return EXIT.usage;
  const paths = await comparePaths(sides, options, io);
  if (!paths) return EXIT.usage;
  const { groupBy, hostNetwork, finished, match } = options;
  const diff = diffOf(
    { inputs: sides.inputs.base, cluster: sides.base.cluster },
    { inputs: sides.inputs.head, cluster: sides.head.cluster },
    { groupBy, hostNetwork, finished, match },
    paths,
  );
  // What is data has them in it.
  if (options.output !== 'json') await report(diff.warnings.map(asDiagnostic), options, io);
  io.stdout.write(await output(diff, options, io));
  return failsOn(diff, options.failOn ?? []) ? EXIT.failed : EXIT.ok;
}

const asDiagnostic = ({ side: _, ...warning }: Diff['warnings'][number]): Diagnostic => ({
  severity: 'warning',
  ...warning,
});

/** @returns undefined where a question makes no sense; the kernel is loaded only for a question. */
async function comparePaths(
  sides: NonNullable<Awaited<ReturnType<typeof openSides>>>,
  options: DiffCommandOptions,
  io: Io,
): Promise<readonly PathDiff[] | undefined> {
  const isExpected =
    options.paths && [sides.base, sides.head].some(({ expectations }) => expectations.length > 0);
  const isBroken = (options.break ?? []).length > 0;
  if (!isExpected && !isBroken && (options.trace ?? []).length === 0) return [];
  const { diffPaths } = await import('./diff-paths.ts');
  return diffPaths(sides, options, io);
}

async function output(diff: Diff, options: DiffCommandOptions, io: Io): Promise<string> {
  switch (options.output) {
    case 'json':
      return (await import('../render/diff/diff-json.ts')).diffJson(diff);
    case 'markdown': {
      const { diffMarkdown } = await import('../render/diff/diff-markdown.ts');
      const { diffWords } = await import('../explain/messages/en/diff.ts');
      return diffMarkdown(diff, diffWords);
    }
    case 'text': {
      const { diffText } = await import('../render/diff/diff-text.ts');
      const { diffWords } = await import('../explain/messages/en/diff.ts');
      return diffText(diff, {
        width: widthOf(io.env, io.stdout, WIDEST),
        style: await styleFor(wantsColor(options.color, io.env, io.stdout)),
        glyphs: glyphsFor(io.env),
        words: diffWords,
      });
    }
    default:
      return options.output satisfies never;
  }
}
