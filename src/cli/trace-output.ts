/** One trace in the form that was asked for. */
import type { MendedTrace } from '../check/mend.ts';
import { namesOf } from '../explain/telling.ts';
import type { TraceTextOptions } from '../render/trace-text.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { minimalOf } from '../trace/minimal.ts';
import type { Depth } from '../trace/prune.ts';
import type { TraceFacts } from '../trace/trace.ts';
import { glyphsFor, styleFor, wantsColor, widthOf } from './appearance.ts';
import type { Io } from './io.ts';
import { tell, words } from './tell.ts';
import type { TraceOptions } from './trace-options.ts';

/** @param mended the traces with each fix that was tried */
export async function traceOutput(
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
    return traceMinimal(minimalOf(facts, namesOf(scenario.world)), facts);
  }
  const layout =
    options.output === 'table'
      ? (await import('../render/trace-table.ts')).traceTable
      : (await import('../render/trace-text.ts')).traceText;
  const form = await textOptions(options, io);
  const { depth } = form;
  return layout(tell(facts, depth, scenario, glyphs, depth !== 'default', tried), form);
}

/** How text is laid out on this output. */
export async function textOptions(options: TraceOptions, io: Io): Promise<TraceTextOptions> {
  return {
    depth: depthOf(options),
    width: widthOf(io.env, io.stdout),
    style: await styleFor(wantsColor(options.color, io.env, io.stdout)),
    glyphs: glyphsFor(io.env),
    words,
  };
}

function depthOf({ verbose }: TraceOptions): Exclude<Depth, 'minimal'> {
  if (verbose === 0) return 'default';
  return verbose === 1 ? 'verbose' : 'full';
}
