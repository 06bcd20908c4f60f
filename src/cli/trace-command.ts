/** `k8snet trace`: one packet and its answer. */
import { ask, readyFor } from '../check/ask.ts';
import type { Earlier } from '../check/with-before.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { tellMisuse } from '../explain/misuse.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { exitCodeOf } from './exit-code.ts';
import { EXIT, type Io } from './io.ts';
import { openAgain, openInput } from './open-scenario-input.ts';
import { report } from './report.ts';
import { words } from './tell.ts';
import type { TraceOptions } from './trace-options.ts';
import { traceOutput } from './trace-output.ts';

/** @returns the exit code. */
export async function traceCommand(
  from: string,
  to: string,
  options: TraceOptions,
  io: Io,
): Promise<number> {
  const misuse = misuseOf(options);
  if (misuse !== undefined) {
    await report([misuse], options, io);
    return EXIT.usage;
  }
  const opened = await openInput(options, io);
  if (opened === undefined) return EXIT.usage;
  const { namespace, port, proto, size, backend, dns } = options;
  const detailed = ['json', 'yaml'].includes(options.output) || options.verbose > 0;
  const question = { from, to, namespace, port, protocol: proto, size, backend, dns, detailed };
  const scenario = readyFor(opened, question);
  if (options.repeat !== undefined) {
    const { repeatOutput } = await import('./repeat-output.ts');
    return repeatOutput(scenario, question, { ...options, repeat: options.repeat }, io);
  }
  const asked = options.warm ? (await import('../check/ask-again.ts')).askAgain : ask;
  const answer = asked(scenario, question);
  if (!answer.ok) {
    const misuses = answer.misuses.map((misuse) => tellMisuse(misuse, words));
    await report([...answer.diagnostics, ...misuses], options, io);
    return EXIT.usage;
  }
  if (options.output === 'runbook') {
    const { runbookOutput } = await import('./runbook-output.ts');
    io.stdout.write(runbookOutput(answer.facts, scenario, question));
    return exitCodeOf(answer.facts.disposition);
  }
  if (options.output === 'scenario') {
    const { scenarioOutput } = await import('./scenario-output.ts');
    const { redact } = options;
    const output = await scenarioOutput(answer.facts, scenario, question, { redacted: redact });
    if (output.ok) io.stdout.write(output.text);
    else await report([output.diagnostic], options, io);
    return output.ok ? exitCodeOf(answer.facts.disposition) : EXIT.usage;
  }
  const earlier = await earlierThan(scenario, options, io);
  const compared = earlier
    ? (await import('../check/with-before.ts')).withBefore(answer.facts, earlier, question, asked)
    : answer.facts;
  const mended = options.withFix
    ? await (await import('../check/mend.ts')).mend({ scenario, facts: compared }, question, asked)
    : undefined;
  const facts = mended ? { ...compared, withFix: mended.withFix } : compared;
  io.stdout.write(await traceOutput(facts, scenario, options, io, mended?.traces));
  // What could be mended is not mended yet: the exit code is that of the cluster as it is.
  return exitCodeOf(facts.disposition);
}

/** Options that contradict each other. */
function misuseOf({
  output,
  redact,
  warm,
  withFix,
  minimal,
  repeat,
}: TraceOptions): Diagnostic | undefined {
  if (redact && output !== 'scenario')
    return misuse('--redact is for -o scenario', 'Names are replaced in scenarios only.');
  if (repeat !== undefined) {
    const other = (warm && '--warm') || (withFix && '--with-fix');
    if (other)
      return misuse(
        `--repeat has no ${other}`,
        'Each of several probes meets what those before it left behind; leave out one of the two.',
      );
    if (output === 'scenario' || output === 'runbook')
      return misuse(
        `--repeat has no -o ${output}`,
        'Several probes are told in text, table, json and yaml.',
      );
  }
  if (warm && (output === 'scenario' || output === 'runbook'))
    return misuse(
      `--warm has no -o ${output}`,
      'A second probe needs a first one, which neither a scenario nor a node can tell of.',
    );
  if (withFix && (output === 'scenario' || output === 'runbook' || minimal))
    return misuse(
      `--with-fix has no ${minimal ? '--minimal' : `-o ${output}`}`,
      'What comes of a fix is told in text, table, json and yaml.',
    );
  return undefined;
}

function misuse(message: string, hint: string): Diagnostic {
  return { severity: 'error', code: 'bad-usage', message, hint };
}

/** The cluster before faults and overrides; undefined where there are none. */
async function earlierThan(
  scenario: OpenedScenario,
  options: TraceOptions,
  io: Io,
): Promise<Earlier | undefined> {
  const { set = [], break: broken = [] } = options;
  if (set.length === 0) {
    if (scenario.unfaulted === undefined) return undefined;
    const { withoutFaults } = await import('../check/with-before.ts');
    const before = withoutFaults(scenario);
    return before && { scenario: before, without: 'faults' };
  }
  const before = await openAgain(options, io);
  if (before === undefined) return undefined;
  return { scenario: before, without: broken.length > 0 ? 'faults-and-overrides' : 'overrides' };
}
