/** Findings of `k8snet lint` as a SARIF log (OASIS SARIF 2.1.0). */
import type { CodeTitle } from '../../check/lint/codes.ts';
import type { Finding, LintReport } from '../../check/lint/report.ts';

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;

/**
 * A path of the input as a URI: relative ones are so to the place where the command runs. What is no
 * file (standard input, git:REV:path, an option) has none.
 */
const uriOf = (file: string): string | undefined => {
  if (file === '-' || file === 'stdin' || /^(?:git:|--)/.test(file)) return undefined;
  const path = file
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '')
    .split('/')
    .map(encodeURIComponent)
    .join('/');
  if (path.startsWith('/')) return `file://${path}`;
  return /^[A-Za-z]:[\\/]/.test(file) ? `file:///${path.replace('%3A', ':')}` : path;
};

const locationOf = ({ file, line, column }: Finding) => {
  const uri = file === undefined ? undefined : uriOf(file);
  if (uri === undefined) return [];
  const region = {
    startLine: line ?? 1,
    ...(column !== undefined && { startColumn: column }),
  };
  return [{ physicalLocation: { artifactLocation: { uri }, region } }];
};

/** @param codes in the order of the rules of the log */
export const lintSarif = (
  { findings }: LintReport,
  codes: readonly CodeTitle[],
  version: string,
): string => {
  const unknown = findings.filter(({ code }) => !codes.some((one) => one.code === code));
  const all = [
    ...codes,
    ...[...new Map(unknown.map(({ code, documentation }) => [code, documentation]))].map(
      ([code, documentation]) => ({ code, title: code, documentation }),
    ),
  ];
  const used = all.filter(({ code }) => findings.some((finding) => finding.code === code));
  const indexes = new Map(used.map(({ code }, at) => [code, at]));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'k8snet',
            version,
            rules: used.map(({ code, title, documentation }) => ({
              id: code,
              shortDescription: { text: title },
              // SARIF wants an absolute helpUri, and the page is wherever the package is.
              help: { text: `${title}. Explained in ${documentation} of the package.` },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => {
          const { code, severity, message, fix, suppressed } = finding;
          return {
            ruleId: code,
            ruleIndex: indexes.get(code) ?? -1,
            level: LEVELS[severity],
            message: { text: fix === undefined ? message : `${message}. ${fix}` },
            locations: locationOf(finding),
            ...(suppressed !== undefined && {
              suppressions: [{ kind: 'inSource', justification: suppressed }],
            }),
          };
        }),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
};
