/** `k8snet trace`: one packet and its answer. */
import { ask, readyFor } from '../check/ask.ts';
import type { MendedTrace } from '../check/mend.ts';
import type { Earlier } from '../check/with-before.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { tellMisuse } from '../explain/misuse.ts';
import { namesOf } from '../explain/telling.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { type Depth, prune } from '../trace/prune.ts';
import type { Disposition, TraceFacts } from '../trace/trace.ts';
import { glyphsFor, styleFor, wantsColor, widthOf } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import { type InputOptions, openAgain, openInput } from './open-input.ts';
import { report } from './report.ts';
import { tell, words } from './tell.ts';

export interface TraceOptions extends InputOptions {
  readonly namespace: string;
  readonly port?: number;
  readonly proto?: 'tcp' | 'udp' | 'icmp' | 'sctp';
  readonly size?: number;
  /** `all`, `first`, or a name or an address. */
  readonly backend: string;
  readonly minimal?: boolean;
  /** False: a name is looked up without packets. */
  readonly dns?: boolean;
  /** The second probe. */
  readonly warm?: boolean;
  /** Neutral names and addresses in a scenario. */
  readonly redact?: boolean;
  /** How often -v was given. */
  readonly verbose: number;
  readonly output: 'text' | 'table' | 'json' | 'yaml' | 'runbook' | 'scenario';
}

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
  io.stdout.write(await print(facts, scenario, options, io, mended?.traces));
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
}: TraceOptions): Diagnostic | undefined {
  if (redact && output !== 'scenario')
    return misuse('--redact is for -o scenario', 'Names are replaced in scenarios only.');
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

async function print(
  facts: TraceFacts,
  scenario: OpenedScenario,
  options: TraceOptions,
  io: Io,
  mended: readonly MendedTrace[] = [],
): Promise<string> {
  const glyphs = glyphsFor(io.env);
  const tried = mended.map((after) => tell(after.facts, 'default', after.scenario, glyphs, false));
  if (options.output === 'json' || options.output === 'yaml') {
    const { toTrace, traceJson } = await import('../render/trace-json.ts');
    const trace = toTrace(facts, tell(facts, 'full', scenario, glyphs, false, tried));
    if (options.output === 'json') return traceJson(trace);
    const { yamlText } = await import('../render/yaml.ts');
    return yamlText(trace);
  }
  if (options.minimal) {
    const { traceMinimal } = await import('../render/trace-minimal.ts');
    return traceMinimal(prune(facts, 'minimal'), facts, namesOf(scenario.world));
  }
  const depth = depthOf(options);
  const layout =
    options.output === 'table'
      ? (await import('../render/trace-table.ts')).traceTable
      : (await import('../render/trace-text.ts')).traceText;
  return layout(tell(facts, depth, scenario, glyphs, depth !== 'default', tried), {
    depth,
    width: widthOf(io.env, io.stdout),
    style: await styleFor(wantsColor(options.color, io.env, io.stdout)),
    glyphs,
    words,
  });
}

function depthOf({ verbose }: TraceOptions): Exclude<Depth, 'minimal'> {
  if (verbose === 0) return 'default';
  return verbose === 1 ? 'verbose' : 'full';
}

/** Exit codes of the published contract. */
export function exitCodeOf(disposition: Disposition): number {
  switch (disposition) {
    case 'delivered':
      return EXIT.ok;
    case 'refused':
    case 'rejected':
    case 'dropped':
    case 'looped':
    case 'reply-lost':
      return EXIT.failed;
    case 'ambiguous':
    case 'inconclusive':
      return EXIT.unsure;
    default:
      return disposition satisfies never;
  }
}
