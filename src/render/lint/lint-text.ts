/** Findings of `k8snet lint` for people. */
import type { Finding, LintReport } from '../../check/lint/report.ts';
import { harmless } from '../harmless.ts';
import type { Style } from '../style.ts';
import { wrap } from '../width.ts';

const HANGING = 4;
const FIX_INDENT = 2;

const placeOf = ({ file, line, column }: Finding): string =>
  file === undefined
    ? ''
    : `${[harmless(file), line, column].filter((part) => part !== undefined).join(':')}: `;

const findingText = (finding: Finding, style: Style, width: number): string => {
  const { severity, message, fix } = finding;
  const paint = { error: style.bad, warning: style.edit, info: style.faint }[severity];
  const place = placeOf(finding);
  const code = `[${harmless(finding.code)}]`;
  const start = `${place}${severity}:`;
  const lines = wrap(`${start} ${harmless(message)} ${code}`, width - HANGING);
  const painted = lines.map((line, at) => {
    const isFirst = at === 0 && line.startsWith(start);
    const isLast = at === lines.length - 1 && line.endsWith(code);
    const head = isFirst ? `${style.label(place)}${paint(severity)}:` : '';
    const body = line.slice(isFirst ? start.length : 0, isLast ? -code.length : undefined);
    const indent = at === 0 ? '' : ' '.repeat(HANGING);
    return `${indent}${head}${body}${isLast ? style.faint(code) : ''}\n`;
  });
  const below = fix === undefined ? [] : wrap(harmless(fix), width - FIX_INDENT);
  const fixes = below.map((line) => `${' '.repeat(FIX_INDENT)}${style.faint(line)}\n`);
  return [...painted, ...fixes].join('');
};

const counted = (count: number, what: string): string[] =>
  count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}`];

/**
 * Each finding with its fix, then how many there are.
 * @param width columns of a terminal; default: a finding is one line, for other tools
 */
export const lintText = (
  { findings, summary }: LintReport,
  style: Style,
  width: number = Number.POSITIVE_INFINITY,
): string => {
  const told = findings.filter(({ suppressed }) => suppressed === undefined);
  const { errors, warnings, infos, suppressed } = summary;
  const counts = [
    ...counted(errors, 'error'),
    ...counted(warnings, 'warning'),
    ...(infos === 0 ? [] : [`${infos} info`]),
  ];
  const rest = suppressed === 0 ? '' : `; ${suppressed} suppressed`;
  const last = `${counts.length === 0 ? style.good('nothing found') : counts.join(', ')}${rest}\n`;
  const body = told.map((finding) => findingText(finding, style, width)).join('');
  return body === '' ? last : `${body}\n${last}`;
};
