/** Findings that an object, its namespace or the Scenario asks not to be told of. */
import type { ObjectRef } from '../../cluster/cluster.ts';
import { atPlace } from '../../cluster/diagnostic.ts';
import { LINT_IGNORE } from '../../cluster/lint-annotation.ts';
import type { LintIgnore } from '../../cluster/lint-ignore.ts';
import { didYouMean, nearest } from '../../cluster/nearest.ts';
import { ALL_CODES, type IGNORE_CODES, isCode } from './codes.ts';
import { documentationOf, type Finding } from './report.ts';

interface Wish {
  readonly ignore: LintIgnore;
  readonly code: string;
  readonly reason: string;
}

/** `CODE: reason; CODE: reason`. */
const wishesOf = (ignore: LintIgnore): Wish[] =>
  ignore.text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const colon = part.indexOf(':');
      const end = colon < 0 ? part.length : colon;
      return {
        ignore,
        code: part.slice(0, end).trim(),
        reason: part.slice(end + 1).trim(),
      };
    });

const isSame = (a: ObjectRef, b: ObjectRef): boolean =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

/** Whether a finding that names no object is about this one: what reading says begins with it. */
const isIn = (finding: Finding, { object, start }: LintIgnore): boolean =>
  finding.objects.length === 0 &&
  finding.file === start.file &&
  (finding.line ?? 0) >= (start.line ?? 0) &&
  finding.message.startsWith(`${object.kind} ${object.name}: `);

const covers = ({ ignore, code }: Wish, finding: Finding): boolean => {
  if (code !== finding.code) return false;
  const { object } = ignore;
  if (object.kind === 'Scenario') return true;
  if (object.kind === 'Namespace' && finding.objects[0]?.namespace === object.name) return true;
  return finding.objects.some((one) => isSame(one, object)) || isIn(finding, ignore);
};

const TITLES: Readonly<Record<keyof typeof IGNORE_CODES, 'warning'>> = {
  'ignore-without-reason': 'warning',
  'ignore-unknown-code': 'warning',
  'ignore-unused': 'warning',
};

const problem = (
  { ignore }: Wish,
  code: keyof typeof IGNORE_CODES,
  message: string,
  fix: string,
): Finding => ({
  code,
  severity: TITLES[code],
  message: `${ignore.object.kind} ${ignore.object.name}: ${LINT_IGNORE} ${message}`,
  fix,
  ...atPlace(ignore.place),
  objects: [ignore.object],
  documentation: documentationOf(code),
});

/**
 * The findings, those that are suppressed with their reason, and what is wrong with suppressions. A
 * suppression without a reason suppresses nothing.
 */
export const suppress = (
  findings: readonly Finding[],
  ignores: readonly LintIgnore[],
  isAsked: (code: string) => boolean,
): Finding[] => {
  const wishes = ignores.flatMap(wishesOf);
  const known = wishes.filter(({ code, reason }) => isCode(code) && reason !== '');
  const used = new Set<Wish>();
  const judged = findings.map((finding) => {
    const meant = known.filter((wish) => covers(wish, finding));
    for (const wish of meant) used.add(wish);
    const [first] = meant;
    return first ? { ...finding, suppressed: first.reason } : finding;
  });
  const problems = wishes.flatMap((wish): Finding[] => {
    const { code, reason } = wish;
    if (!isCode(code)) {
      const codes = ALL_CODES.map((one) => one.code);
      return [
        problem(
          wish,
          'ignore-unknown-code',
          `names ${JSON.stringify(code)}, which is no code`,
          didYouMean(nearest(code, codes, 1)) ?? 'Write CODE: reason, with a code of docs/lint.md.',
        ),
      ];
    }
    if (reason === '')
      return [
        problem(
          wish,
          'ignore-without-reason',
          `gives no reason for ${code}, and suppresses nothing`,
          `Write ${code}: and why it is right as it is.`,
        ),
      ];
    // What is not asked for cannot be used.
    if (used.has(wish) || !isAsked(code)) return [];
    return [
      problem(
        wish,
        'ignore-unused',
        `suppresses no ${code}: there is none`,
        'Remove it, so that it does not hide the next one.',
      ),
    ];
  });
  return [...judged, ...problems];
};
