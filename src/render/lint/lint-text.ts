/** Findings of `k8snet lint` for people. */
import type { Finding, LintReport } from '../../check/lint/report.ts';
import { harmless } from '../harmless.ts';
import type { Style } from '../style.ts';

const placeOf = ({ file, line, column }: Finding): string =>
  file === undefined
    ? ''
    : `${[harmless(file), line, column].filter((part) => part !== undefined).join(':')}: `;

const findingText = (finding: Finding, style: Style): string => {
  const { severity, code, message, fix } = finding;
  const paint = { error: style.bad, warning: style.edit, info: style.faint }[severity];
  const below = fix === undefined ? '' : `  ${style.faint(harmless(fix))}\n`;
  return `${style.label(placeOf(finding))}${paint(severity)}: ${harmless(message)} ${style.faint(`[${harmless(code)}]`)}\n${below}`;
};

const counted = (count: number, what: string): string[] =>
  count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}`];

/** Each finding with its fix, then how many there are. */
export const lintText = ({ findings, summary }: LintReport, style: Style): string => {
  const told = findings.filter(({ suppressed }) => suppressed === undefined);
  const { errors, warnings, infos, suppressed } = summary;
  const counts = [
    ...counted(errors, 'error'),
    ...counted(warnings, 'warning'),
    ...(infos === 0 ? [] : [`${infos} info`]),
  ];
  const rest = suppressed === 0 ? '' : `; ${suppressed} suppressed`;
  const last = `${counts.length === 0 ? style.good('nothing found') : counts.join(', ')}${rest}\n`;
  const body = told.map((finding) => findingText(finding, style)).join('');
  return body === '' ? last : `${body}\n${last}`;
};
