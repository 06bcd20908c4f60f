/** What both kinds of cases share: diagnostics as problems of a report, and when it is enough. */
import type { TestProblem } from '../check/test/report.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';

/** How many failures are left until the rest is left out. */
export interface Patience {
  left: number;
}

/** A diagnostic as a problem of a report. */
export const problemOf = (diagnostic: Diagnostic): TestProblem => {
  const { code, message, hint } = diagnostic;
  const { file, line, column } = diagnostic;
  return {
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
};
