/** Findings of `k8snet lint` as annotations of GitHub. */
import type { Finding, LintReport } from '../../check/lint/report.ts';
import { githubAnnotation } from '../github.ts';

const LEVELS = { error: 'error', warning: 'warning', info: 'notice' } as const;

const annotation = ({ severity, code, message, fix, file, line, column }: Finding): string =>
  githubAnnotation({
    level: LEVELS[severity],
    title: `k8snet ${code}`,
    message: fix === undefined ? message : `${message}\n${fix}`,
    file,
    line,
    column,
  });

export const lintGithub = ({ findings }: LintReport): string =>
  findings
    .filter(({ suppressed }) => suppressed === undefined)
    .map(annotation)
    .join('');
