/** `k8snet lint`: what is wrong with an input before any packet. */
import manifest from '../../package.json' with { type: 'json' };
import { ALL_CODES, isCode } from '../check/lint/codes.ts';
import { lint } from '../check/lint/lint.ts';
import type { LintReport } from '../check/lint/report.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { didYouMean, nearest } from '../cluster/nearest.ts';
import { hasErrors, openBuiltInCluster, openCluster } from '../scenario/open-cluster.ts';
import { styleFor, wantsColor, widthOf } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import type { LintCommandOptions } from './lint-options.ts';
import { openQuietly } from './open-input.ts';
import { report } from './report.ts';

/** Why it ends with 2: the errors themselves are findings. */
const UNREAD: Diagnostic = {
  severity: 'error',
  code: 'bad-input',
  message: 'the input has errors, so that only what reading found is told',
  hint: 'Mend them, and lint again.',
};

/** @returns the exit code. */
export async function lintCommand(
  paths: readonly string[],
  options: LintCommandOptions,
  io: Io,
): Promise<number> {
  const misuse = [...(options.only ?? []), ...(options.ignore ?? [])].flatMap(unknownCode);
  if (misuse.length > 0) {
    await report(misuse, options, io);
    return EXIT.usage;
  }
  const opener = { inputs: openCluster, builtIn: openBuiltInCluster };
  const result = await openQuietly(opener, { ...options, file: paths }, io);
  const found = lint(result.ok ? result.scenario : undefined, result.diagnostics, options);
  io.stdout.write(await formatted(found, options, io));
  if (!result.ok && hasErrors(result.diagnostics)) {
    await report([UNREAD], options, io);
    return EXIT.usage;
  }
  return fails(found, options.failOn) ? EXIT.failed : EXIT.ok;
}

function unknownCode(code: string): Diagnostic[] {
  if (isCode(code)) return [];
  const hint = didYouMean(
    nearest(
      code,
      ALL_CODES.map((one) => one.code),
      1,
    ),
  );
  return [
    {
      severity: 'error',
      code: 'bad-usage',
      message: `there is no code ${JSON.stringify(code)}`,
      hint: hint ?? 'Codes are listed in docs/lint.md.',
    },
  ];
}

function fails({ summary }: LintReport, failOn: LintCommandOptions['failOn']): boolean {
  const { errors, warnings, infos } = summary;
  switch (failOn) {
    case 'error':
      return errors > 0;
    case 'warning':
      return errors + warnings > 0;
    case 'info':
      return errors + warnings + infos > 0;
    case 'never':
      return false;
    default:
      return failOn satisfies never;
  }
}

/** Each form is loaded where it is wanted. */
async function formatted(
  found: LintReport,
  { output, color }: LintCommandOptions,
  io: Io,
): Promise<string> {
  switch (output) {
    case 'text': {
      const { lintText } = await import('../render/lint/lint-text.ts');
      const width = io.stdout.isTTY ? widthOf(io.env, io.stdout) : undefined;
      return lintText(found, await styleFor(wantsColor(color, io.env, io.stdout)), width);
    }
    case 'json':
      return `${JSON.stringify(found, null, 2)}\n`;
    case 'sarif': {
      const { lintSarif } = await import('../render/lint/lint-sarif.ts');
      return lintSarif(found, ALL_CODES, manifest.version);
    }
    case 'github': {
      const { lintGithub } = await import('../render/lint/lint-github.ts');
      return lintGithub(found);
    }
    default:
      return output satisfies never;
  }
}
