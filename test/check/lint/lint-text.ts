/** Lints YAML that is written in a test. */
import { type LintOptions, lint } from '../../../src/check/lint/lint.ts';
import type { LintReport } from '../../../src/check/lint/report.ts';
import { openCluster } from '../../../src/scenario/open-cluster.ts';

export const lintText = async (yaml: string, options: LintOptions = {}): Promise<LintReport> => {
  const opened = await openCluster([{ file: 'shop.yaml', text: yaml }]);
  return lint(opened.ok ? opened.scenario : undefined, opened.diagnostics, options);
};

/** `severity code line:column message | fix`, with the reason of what is suppressed. */
export const saidOf = ({ findings }: LintReport): string[] =>
  findings.map(
    ({ severity, code, line, column, message, fix, suppressed }) =>
      `${severity} ${code} ${line}:${column} ${message}${fix === undefined ? '' : ` | ${fix}`}${suppressed === undefined ? '' : ` (${suppressed})`}`,
  );
