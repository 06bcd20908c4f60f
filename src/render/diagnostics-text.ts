/** What is wrong or odd in an input, as lines for standard error. */
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { harmless } from './harmless.ts';
import type { Style } from './style.ts';

/** `error: pods.yaml:12:7: what is wrong`, the hint below it; ends with a newline unless empty. */
export function diagnosticsText(diagnostics: readonly Diagnostic[], style: Style): string {
  return diagnostics.map((diagnostic) => diagnosticText(diagnostic, style)).join('');
}

function diagnosticText(diagnostic: Diagnostic, style: Style): string {
  const { severity, message, hint } = diagnostic;
  const paint = severity === 'error' ? style.bad : style.edit;
  const place = placeOf(diagnostic);
  const lead = `${paint(severity)}: ${place === undefined ? '' : `${style.label(place)}: `}`;
  const below = hint === undefined ? '' : `  ${style.faint(harmless(hint))}\n`;
  return `${lead}${harmless(message)}\n${below}`;
}

function placeOf({ file, line, column }: Diagnostic): string | undefined {
  if (file === undefined) return undefined;
  return [harmless(file), line, column].filter((part) => part !== undefined).join(':');
}

/** `skipped: 3 ConfigMap, 1 Secret`: what the input has and the network does not look at. */
export function skippedText(skipped: ReadonlyMap<string, number>, style: Style): string {
  if (skipped.size === 0) return '';
  const kinds = [...skipped].map(([kind, count]) => `${count} ${harmless(kind)}`);
  return `${style.faint('skipped')}: ${kinds.join(', ')}\n`;
}
