/** The forms of what `k8snet test` found; each is loaded where it is asked for. */
import type { TestReport } from '../check/test/report.ts';
import type { TestFormat } from './test-options.ts';

/** All but the text, which is written while the tests run. */
export type WholeFormat = Exclude<TestFormat, 'text'>;

export async function formatReport(
  report: TestReport,
  format: WholeFormat,
  soft: boolean,
): Promise<string> {
  switch (format) {
    case 'junit':
      return (await import('../render/test/junit.ts')).junitText(report);
    case 'tap':
      return (await import('../render/test/tap.ts')).tapText(report);
    case 'json': {
      const { harmlessQuoted } = await import('../render/harmless.ts');
      return `${harmlessQuoted(JSON.stringify(report, null, 2))}\n`;
    }
    case 'github':
      return (await import('../render/test/annotations.ts')).testAnnotations(report, soft);
    default:
      return format satisfies never;
  }
}
