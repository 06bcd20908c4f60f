/** `sysctl -w KEY=VALUE …` (procps 4.0). */
import { CommandError } from './command-error.ts';
import { notUnderstood, type Words } from './words.ts';

export interface SysctlCommand {
  readonly kind: 'sysctl';
  readonly writes: readonly { readonly key: string; readonly value: string }[];
}

const FLAGS = new Set(['-w', '--write', '-q', '--quiet', '-qw', '-wq']);

/** The words behind `sysctl`. @throws {CommandError} */
export const parseSysctl = (words: Words): SysctlCommand => {
  const writes: { key: string; value: string }[] = [];
  for (const word of words) {
    if (FLAGS.has(word)) continue;
    if (word.startsWith('-')) notUnderstood(word, '-w, -q');
    const equals = word.indexOf('=');
    if (equals < 1)
      throw new CommandError(
        `sysctl: "${word}" must be of the form name=value`,
        'no blanks around the =',
      );
    writes.push({
      key: word.slice(0, equals).trim(),
      value: word
        .slice(equals + 1)
        .trim()
        .split(/\s+/)
        .join('\t'),
    });
  }
  if (writes.length === 0) throw new CommandError('sysctl: no variables specified', 'name=value');
  return { kind: 'sysctl', writes };
};
