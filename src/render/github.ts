/** Annotations that GitHub shows at a line of a file: workflow commands, one a line of standard output. */
import { harmless } from './harmless.ts';

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  /** What stands above the message; one line. */
  readonly title?: string | undefined;
  /** May have several lines. */
  readonly message: string;
  /** From the root of the repository; without it the annotation stands at the run alone. */
  readonly file?: string | undefined;
  /** From 1; only with a file. */
  readonly line?: number | undefined;
  /** From 1; only with a line. */
  readonly column?: number | undefined;
}

const escapeMessage = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** A property ends at a comma or a colon. */
const escapeProperty = (text: string): string =>
  escapeMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

const harmlessLines = (text: string): string => text.split(/\r?\n/).map(harmless).join('\n');

/**
 * `::error file=policies.yaml,line=12,col=5,title=…::…` and a newline. What the runner would act on
 * is escaped as `@actions/core` does it (packages/core/src/command.ts, 3.0.1), and no name does
 * anything to a terminal.
 */
export function githubAnnotation({
  level,
  title,
  message,
  file,
  line,
  column,
}: Annotation): string {
  // Paths of Windows are not found in a repository.
  const place =
    file === undefined
      ? {}
      : {
          file: file.replaceAll('\\', '/').replace(/^\.\//, ''),
          ...(line !== undefined && { line, ...(column !== undefined && { col: column }) }),
        };
  const properties = Object.entries({ ...place, ...(title !== undefined && { title }) })
    .map(([key, value]) => `${key}=${escapeProperty(harmless(String(value)))}`)
    .join(',');
  const head = properties === '' ? level : `${level} ${properties}`;
  return `::${head}::${escapeMessage(harmlessLines(message))}\n`;
}
