/** `k8snet test --update`: writes what traces found into the files that expect otherwise. */
import type { TestSuite } from '../check/test/report.ts';
import { type Update, updatesOf } from '../check/update.ts';
import { atPlace, type Diagnostic } from '../cluster/diagnostic.ts';
import { harmless } from '../render/harmless.ts';
import { editExpectations, type FieldEdit } from '../scenario/edit/edit-expectations.ts';
import { readTextFile, replaceFile } from '../scenario/read/files.ts';
import { glyphsFor } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import { report } from './report.ts';
import { words } from './tell.ts';
import type { Traced } from './test-run.ts';

const said = words.report.update;

interface Planned {
  readonly edit: FieldEdit;
  readonly update: Update;
  readonly judged: Traced;
}

const valueText = (value: unknown): string =>
  Array.isArray(value) ? `[${value.join(', ')}]` : String(value);

/** Why a difference stays: it is for a person to decide. */
const refusals = (judged: readonly Traced[], suites: readonly TestSuite[]): Diagnostic[] => [
  ...judged.flatMap((one) =>
    updatesOf(one).refused.map(
      ({ field, expected, found }): Diagnostic => ({
        severity: 'error',
        code: 'not-updated',
        message: said.refused(field, expected, found),
        ...atPlace(one.expectation.place),
        hint: said.refusedHint,
      }),
    ),
  ),
  ...suites.flatMap(({ cases }) =>
    cases.flatMap(({ kind, outcome, file, line, column }): Diagnostic[] =>
      kind === 'matrix' && outcome === 'failed'
        ? [
            {
              severity: 'error',
              code: 'not-updated',
              message: said.matrix,
              file,
              ...(line !== undefined && { line }),
              ...(column !== undefined && { column }),
              hint: said.matrixHint,
            },
          ]
        : [],
    ),
  ),
];

const plannedByFile = (judged: readonly Traced[]): Map<string, Planned[]> => {
  const byFile = new Map<string, Planned[]>();
  for (const one of judged) {
    const { file, line = 0, column = 0 } = one.expectation.place;
    const planned = updatesOf(one).updates.map((update) => ({
      update,
      judged: one,
      edit: { line, column, n: one.expectation.n, field: update.field, value: update.value },
    }));
    byFile.set(file, [...(byFile.get(file) ?? []), ...planned]);
  }
  return byFile;
};

const whyOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/** The new text of a file, or why there is none. */
const editFile = (file: string, planned: readonly Planned[]): string | Diagnostic => {
  const problem = (message: string, hint?: string, edit?: FieldEdit): Diagnostic => ({
    severity: 'error',
    code: 'not-updated',
    message,
    file,
    ...(edit && { line: edit.line, column: edit.column }),
    ...(hint !== undefined && { hint }),
  });
  let text: string | undefined;
  try {
    text = readTextFile(file);
  } catch (error) {
    return problem(said.unwritable(file, whyOf(error)));
  }
  if (text === undefined) return problem(said.unwritable(file, 'UTF-8'));
  const edited = editExpectations(
    text,
    planned.map(({ edit }) => edit),
  );
  if (edited.ok) return edited.text;
  const { message, hint } = said.problems[edited.why];
  const lead = edited.edit ? `${edited.edit.field}: ` : '';
  return problem(`not updated: ${lead}${message}`, hint, edited.edit);
};

/**
 * Writes all that differs, or nothing: an outcome that changed is no typing mistake.
 * @returns the exit code.
 */
export async function updateFiles(
  judged: readonly Traced[],
  suites: readonly TestSuite[],
  options: { readonly color?: boolean },
  io: Io,
): Promise<number> {
  const refused = refusals(judged, suites);
  if (refused.length > 0) {
    await report(refused, options, io);
    return EXIT.failed;
  }
  const files = [...plannedByFile(judged)].map(([file, planned]) => ({
    file,
    planned,
    text: editFile(file, planned),
  }));
  const problems = files.flatMap(({ text }) => (typeof text === 'string' ? [] : [text]));
  if (problems.length > 0) {
    await report(problems, options, io);
    return EXIT.failed;
  }
  if (files.length === 0) io.stdout.write(`${said.nothing}\n`);
  for (const { file, planned, text } of files) {
    if (typeof text !== 'string') continue;
    try {
      replaceFile(file, text);
    } catch (error) {
      const message = said.unwritable(file, whyOf(error));
      await report([{ severity: 'error', code: 'not-updated', message, file }], options, io);
      return EXIT.io;
    }
    for (const { update, judged: one } of planned) {
      const before = valueText(one.expectation[update.field]);
      const { line } = one.expectation.place;
      const place = [file, line].filter((part) => part !== undefined).join(':');
      const told = said.changed(place, update.field, before, valueText(update.value));
      io.stdout.write(`${harmless(told.replaceAll('→', glyphsFor(io.env).to))}\n`);
    }
  }
  return EXIT.ok;
}
