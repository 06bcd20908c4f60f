/** `k8snet trace --repeat`: several probes, one after the other. */
import type { Question } from '../check/ask.ts';
import { type Asked, askRepeatedly } from '../check/ask-repeatedly.ts';
import { tellMisuse } from '../explain/misuse.ts';
import { tellRepeat } from '../explain/repeat.ts';
import { repeatMinimal, repeatText } from '../render/repeat-text.ts';
import { toTrace, toTraceList, traceJson } from '../render/trace-json.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { type RepeatedProbe, repeatedProbe, repeatSummary } from '../trace/repeat.ts';
import type { Trace } from '../trace/trace.ts';
import { glyphsFor } from './appearance.ts';
import { exitCodeOf } from './exit-code.ts';
import { EXIT, type Io } from './io.ts';
import { report } from './report.ts';
import { tell, words } from './tell.ts';
import type { TraceOptions } from './trace-options.ts';
import { textOptions, traceOutput } from './trace-output.ts';

/** @returns the exit code: that of the worst probe. */
export async function repeatOutput(
  scenario: OpenedScenario,
  question: Question,
  options: TraceOptions & { readonly repeat: number },
  io: Io,
): Promise<number> {
  const asked = askRepeatedly(scenario, question, options.repeat);
  if (!asked.ok) {
    const misuses = asked.misuses.map((misuse) => tellMisuse(misuse, words));
    await report([...asked.diagnostics, ...misuses], options, io);
    return EXIT.usage;
  }
  const { first, rest } = asked;
  const isData = options.output === 'json' || options.output === 'yaml';
  const probes: RepeatedProbe[] = [];
  const traces: Trace[] = [];
  const add = ({ n, facts, taken }: Asked): void => {
    probes.push(repeatedProbe(n, facts, taken));
    if (isData)
      traces.push(toTrace(facts, tell(facts, 'full', scenario, glyphsFor(io.env), false)));
  };
  add(first);
  for (const one of rest) add(one);
  const summary = repeatSummary(probes);
  if (isData) {
    const list = toTraceList(traces, summary);
    const { yamlText } = await import('../render/yaml.ts');
    io.stdout.write(options.output === 'json' ? traceJson(list) : yamlText(list));
  } else {
    // Which way the first one takes is in its row below.
    const { told: _, ...facts } = first.facts;
    const text = await traceOutput(facts, scenario, options, io);
    const more = options.minimal
      ? repeatMinimal(probes, summary.affinity)
      : `\n${repeatText(tellRepeat(probes, summary.affinity, words), await textOptions(options, io))}`;
    io.stdout.write(`${text}${more}`);
  }
  return worst(probes);
}

/** What fails for sure is worse than what nobody knows. */
const WORST_FIRST = [EXIT.failed, EXIT.unsure, EXIT.ok];

function worst(probes: readonly RepeatedProbe[]): number {
  const codes = new Set(probes.map(({ disposition }) => exitCodeOf(disposition)));
  return WORST_FIRST.find((code) => codes.has(code)) ?? EXIT.ok;
}
