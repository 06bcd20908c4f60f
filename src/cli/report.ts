/** What is wrong or odd with the input, on standard error. */
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { diagnosticsText } from '../render/diagnostics-text.ts';
import type { Style } from '../render/style.ts';
import { styleFor, wantsColor } from './appearance.ts';
import type { Io } from './io.ts';

interface ReportOptions {
  readonly color?: boolean;
}

/** Prints diagnostics; nothing where there are none. */
export async function report(
  diagnostics: readonly Diagnostic[],
  options: ReportOptions,
  io: Io,
): Promise<void> {
  if (diagnostics.length === 0) return;
  io.stderr.write(diagnosticsText(diagnostics, await stderrStyle(options, io)));
}

/** The palette of standard error. */
export function stderrStyle({ color }: ReportOptions, io: Io): Promise<Style> {
  return styleFor(wantsColor(color, io.env, io.stderr));
}
