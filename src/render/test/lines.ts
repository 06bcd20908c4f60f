/** What differs, as lines of plain text: the body of a failure wherever a machine shows it. */
import type { TestCase, TestProblem } from '../../check/test/report.ts';

/** `disposition: expected delivered, found refused`, reasons below it. */
export const differenceLines = ({ differences }: TestCase): string[] =>
  differences.flatMap(({ field, expected, found, reasons = [] }) => [
    `${field}: expected ${expected}, found ${found}`,
    ...reasons.map((reason) => `  ${reason}`),
  ]);

/** `checks.yaml:3:5: what is wrong`, with its hint. */
export const problemLines = (problems: readonly TestProblem[]): string[] =>
  problems.flatMap(({ file, line, column, message, hint }) => {
    const place = [file, line, column].filter((part) => part !== undefined).join(':');
    return [place === '' ? message : `${place}: ${message}`, ...(hint ? [`  ${hint}`] : [])];
  });

/** Its name with what it asks, or that alone. */
export const fullTitle = ({ name, title }: TestCase): string =>
  name === undefined ? title : `${name} (${title})`;

/** What a suite is called: its file, with the name of its Expectations. */
export const suiteTitle = ({ file, name }: { file: string; name?: string }): string =>
  name === undefined ? file : `${file} ${name}`;
