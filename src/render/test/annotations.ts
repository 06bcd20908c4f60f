/** What `k8snet test` found, as GitHub's annotations at the lines of the expectations. */
import type { TestProblem, TestReport } from '../../check/test/report.ts';
import { type Annotation, githubAnnotation } from '../github.ts';
import { differenceLines, fullTitle } from './lines.ts';

const ofProblem = ({ message, hint, file, line, column }: TestProblem): Annotation => ({
  level: 'error',
  title: 'k8snet test',
  message: [message, ...(hint === undefined ? [] : [hint])].join('\n'),
  file,
  line,
  column,
});

/** @param soft differences are only warnings */
export function testAnnotations({ suites }: TestReport, soft: boolean): string {
  const annotations = suites.flatMap(({ problems, cases }): Annotation[] => [
    ...problems.map(ofProblem),
    ...cases.flatMap((one): Annotation[] => {
      if (one.outcome === 'error') return one.problems.map(ofProblem);
      if (one.outcome !== 'failed') return [];
      const { file, line, column } = one;
      return [
        {
          level: soft ? 'warning' : 'error',
          title: fullTitle(one),
          message: differenceLines(one).join('\n'),
          file,
          line,
          column,
        },
      ];
    }),
  ]);
  return annotations.map(githubAnnotation).join('');
}
