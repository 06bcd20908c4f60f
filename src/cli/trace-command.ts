/** `k8snet trace`: one packet and its answer. */
import { ask } from '../check/ask.ts';
import { tellMisuse } from '../explain/misuse.ts';
import { namesOf } from '../explain/telling.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { type Depth, prune } from '../trace/prune.ts';
import type { Disposition, TraceFacts } from '../trace/trace.ts';
import { glyphsFor, styleFor, wantsColor, widthOf } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import { type InputOptions, openInput } from './open-input.ts';
import { report } from './report.ts';
import { tell, words } from './tell.ts';

export interface TraceOptions extends InputOptions {
  readonly namespace: string;
  readonly port?: number;
  readonly proto?: 'tcp' | 'udp' | 'icmp' | 'sctp';
  readonly size?: number;
  readonly minimal?: boolean;
  /** How often -v was given. */
  readonly verbose: number;
  readonly output: 'text' | 'json';
}

/** @returns the exit code. */
export async function traceCommand(
  from: string,
  to: string,
  options: TraceOptions,
  io: Io,
): Promise<number> {
  const scenario = await openInput(options, io);
  if (scenario === undefined) return EXIT.usage;
  const { namespace, port, proto, size } = options;
  const answer = ask(scenario, { from, to, namespace, port, protocol: proto, size });
  if (!answer.ok) {
    const misuses = answer.misuses.map((misuse) => tellMisuse(misuse, words));
    await report([...answer.diagnostics, ...misuses], options, io);
    return EXIT.usage;
  }
  io.stdout.write(await print(answer.facts, scenario, options, io));
  return exitCodeOf(answer.facts.disposition);
}

async function print(
  facts: TraceFacts,
  scenario: OpenedScenario,
  options: TraceOptions,
  io: Io,
): Promise<string> {
  const glyphs = glyphsFor(io.env);
  if (options.output === 'json') {
    const { toTrace, traceJson } = await import('../render/trace-json.ts');
    return traceJson(toTrace(facts, tell(facts, 'full', scenario, glyphs, false)));
  }
  if (options.minimal) {
    const { traceMinimal } = await import('../render/trace-minimal.ts');
    return traceMinimal(prune(facts, 'minimal'), facts, namesOf(scenario.world));
  }
  const { traceText } = await import('../render/trace-text.ts');
  const depth = depthOf(options);
  return traceText(tell(facts, depth, scenario, glyphs, depth !== 'default'), {
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
