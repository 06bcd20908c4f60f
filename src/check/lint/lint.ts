/** Everything that is wrong with an input before any packet. */
import type { Cluster, Place } from '../../cluster/cluster.ts';
import { atPlace, type Diagnostic } from '../../cluster/diagnostic.ts';
import type { LintIgnore } from '../../cluster/lint-ignore.ts';
import { compareText } from '../../cluster/order.ts';
import { lintContext } from './context.ts';
import { documentationOf, type Finding, type LintReport, lintReport } from './report.ts';
import { RULES } from './rules.ts';
import { suppress } from './suppress.ts';

export interface LintOptions {
  /** Only these codes. */
  readonly only?: readonly string[] | undefined;
  /** All but these. */
  readonly ignore?: readonly string[] | undefined;
}

const ofReading = ({ severity, code, message, hint, path, ...at }: Diagnostic): Finding => ({
  code,
  severity,
  message,
  ...(hint !== undefined && { fix: hint }),
  ...(at.file !== undefined && { file: at.file }),
  ...(at.line !== undefined && { line: at.line }),
  ...(at.column !== undefined && { column: at.column }),
  ...(path !== undefined && path !== '' && { path }),
  objects: [],
  documentation: documentationOf(code),
});

const placed = (place: Place | undefined) => atPlace(place);

const ofRules = (cluster: Cluster, isAsked: (code: string) => boolean): Finding[] => {
  const context = lintContext(cluster);
  return RULES.filter(({ code }) => isAsked(code)).flatMap((rule) =>
    rule.find(context).map(
      ({ place, objects, message, fix, severity }): Finding => ({
        code: rule.code,
        severity: severity ?? rule.severity,
        message,
        fix,
        ...placed(place),
        objects,
        documentation: documentationOf(rule.code),
      }),
    ),
  );
};

const inOrder = (findings: readonly Finding[], files: readonly string[]): Finding[] => {
  const rank = ({ file }: Finding): number => (file === undefined ? -1 : files.indexOf(file));
  return findings.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      compareText(a.file ?? '', b.file ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      compareText(a.code, b.code) ||
      compareText(a.message, b.message),
  );
};

/**
 * @param opened undefined where reading found an error, so that there is no cluster to look at
 * @param diagnostics what reading found
 */
export const lint = (
  opened: { readonly cluster: Cluster; readonly ignores: readonly LintIgnore[] } | undefined,
  diagnostics: readonly Diagnostic[],
  { only = [], ignore = [] }: LintOptions = {},
): LintReport => {
  const isAsked = (code: string): boolean =>
    (only.length === 0 || only.includes(code)) && !ignore.includes(code);
  const found = [
    ...diagnostics.map(ofReading),
    ...(opened ? ofRules(opened.cluster, isAsked) : []),
  ].filter(({ code }) => isAsked(code));
  const judged = suppress(found, opened?.ignores ?? [], isAsked).filter(({ code }) =>
    isAsked(code),
  );
  const files = [...new Set(diagnostics.flatMap(({ file }) => file ?? []))];
  return lintReport(inOrder(judged, files.toSorted(compareText)));
};
