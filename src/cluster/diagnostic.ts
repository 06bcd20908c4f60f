/** What is wrong or odd in an input, with its place: collected, never thrown. */
import type { Place } from './cluster.ts';

export interface Diagnostic {
  /** An error ends the command with exit code 2; a warning goes to stderr and work goes on. */
  readonly severity: 'error' | 'warning';
  /** Kebab-case and stable: what a script may look for. */
  readonly code: string;
  /** One sentence without its place; it says what was found, not only what was wanted. */
  readonly message: string;
  /** The field, from the root of its object: `spec.containers[0].name`. */
  readonly path?: string;
  /** As the user named it. Absent for what no file says, e.g. an endpoint on the command line. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1, in UTF-16 code units. */
  readonly column?: number;
  /** What to do about it. */
  readonly hint?: string;
}

export type Report = (diagnostic: Diagnostic) => void;

/** The fields of a place, to be spread into a diagnostic; nothing for no place. */
export const atPlace = (place: Place | undefined): Pick<Diagnostic, 'file' | 'line' | 'column'> => {
  if (!place) return {};
  // Read, not spread: a place of a large input is found when its line is asked for.
  const { file, line, column } = place;
  return {
    file,
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
};

const keyOf = (d: Diagnostic): string =>
  JSON.stringify([d.severity, d.code, d.message, d.path, d.file, d.line, d.column]);

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Collects diagnostics. `list` gives each once, in the order of file (as the files were given),
 * line and column; those without a file come last.
 */
export const createDiagnostics = (): {
  readonly report: Report;
  readonly list: () => Diagnostic[];
} => {
  const found = new Map<string, Diagnostic>();
  const files = new Map<string | undefined, number>();
  const report: Report = (diagnostic) => {
    const key = keyOf(diagnostic);
    if (found.has(key)) return;
    found.set(key, diagnostic);
    const { file } = diagnostic;
    if (file !== undefined && !files.has(file)) files.set(file, files.size);
  };
  const rank = (file: string | undefined): number => files.get(file) ?? files.size;
  const list = (): Diagnostic[] =>
    [...found.values()].sort(
      (a, b) =>
        compare(rank(a.file), rank(b.file)) ||
        compare(a.line ?? 0, b.line ?? 0) ||
        compare(a.column ?? 0, b.column ?? 0),
    );
  return { report, list };
};
