/** What `k8snet lint` found, as data (`-o json`). */
import type { ObjectRef } from '../../cluster/cluster.ts';
import type { Severity } from './rule.ts';

export interface Finding {
  /** A section of docs/lint.md. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
  /** What it is about, the most concerned first. */
  readonly objects: readonly ObjectRef[];
  readonly documentation: string;
  /** Why it is not to be told. */
  readonly suppressed?: string;
}

export interface LintSummary {
  readonly errors: number;
  readonly warnings: number;
  readonly infos: number;
  readonly suppressed: number;
}

export interface LintReport {
  readonly apiVersion: 'k8snet/v1';
  readonly kind: 'Lint';
  /** In order of file and line. Those that are suppressed have a reason. */
  readonly findings: readonly Finding[];
  /** Of those that are not suppressed. */
  readonly summary: LintSummary;
}

/** Comes with the package. */
const PAGE = 'docs/lint.md';

/** Where a code is explained: page and anchor, in the package's own folder. */
export const documentationOf = (code: string): string => `${PAGE}#${code}`;

export const lintReport = (findings: readonly Finding[]): LintReport => {
  const told = findings.filter(({ suppressed }) => suppressed === undefined);
  const count = (severity: Severity): number =>
    told.filter((finding) => finding.severity === severity).length;
  return {
    apiVersion: 'k8snet/v1',
    kind: 'Lint',
    findings,
    summary: {
      errors: count('error'),
      warnings: count('warning'),
      infos: count('info'),
      suppressed: findings.length - told.length,
    },
  };
};
