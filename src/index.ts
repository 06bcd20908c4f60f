/**
 * The public API: what a program that imports k8snet may rely on.
 *
 * ```ts
 * import { ask, openScenario, renderTrace } from 'k8snet';
 *
 * const opened = await openScenario(['pods.yaml']);
 * if (!opened.ok) throw new Error(opened.diagnostics.map(({ message }) => message).join('\n'));
 * const answer = ask(opened.scenario, { from: 'pod-a', to: 'pod-b:8080' });
 * if (answer.ok) console.log(renderTrace(opened.scenario, answer.facts));
 * ```
 */
import type { Mendable } from './check/fix/ailment.ts';
import { whyOf } from './check/fix/remedy.ts';
import type { Diagnostic } from './cluster/diagnostic.ts';
import { en } from './explain/messages/en.ts';
import { tellMisuse } from './explain/misuse.ts';
import { ASCII, UNICODE } from './explain/quote.ts';
import { tellStory } from './explain/story.ts';
import { namesOf, tellingOf } from './explain/telling.ts';
import { PLAIN, type Style } from './render/style.ts';
import { toTrace } from './render/trace-json.ts';
import { traceMinimal } from './render/trace-minimal.ts';
import { traceText } from './render/trace-text.ts';
import { minimalOf } from './trace/minimal.ts';
import { type Depth, prune } from './trace/prune.ts';
import type { Misuse, Trace, TraceFacts } from './trace/trace.ts';
import { rows } from './userland/print/rows.ts';

export { type Answer, ask, type Question } from './check/ask.ts';
export { type Difference, differences, type Expected } from './check/expectations.ts';
export { type Judged, judge } from './check/judge.ts';
export { matrixOf } from './check/matrix/all-pairs.ts';
export type {
  AllowedPorts,
  Matrix,
  MatrixConnection,
  MatrixOptions,
  MatrixPeer,
  MatrixWarning,
} from './check/matrix/matrix.ts';
export { createStyle } from './render/color-style.ts';
export type { Expectation } from './scenario/expectation.ts';
export { listBuiltIn, readBuiltIn } from './scenario/find-built-in.ts';
export {
  type Input,
  type OpenedScenario,
  type OpenOptions,
  type OpenResult,
  openBuiltIn,
  openScenario,
} from './scenario/open.ts';
export type { Advice, Check, Fix, Remedy } from './trace/remedy.ts';
export type {
  Cause,
  CauseCode,
  CauseSubject,
  Disposition,
  EndpointRef,
  Hop,
  Leg,
  Step,
  Symptom,
  WithFix,
} from './trace/trace.ts';
export type { Depth, Diagnostic, Misuse, Style, Trace, TraceFacts };

export interface RenderOptions {
  /** Default `default`; `minimal` is the form to commit and compare. */
  readonly depth?: Depth;
  /** Columns to fit into; default 80. */
  readonly width?: number;
  /** Default without colour; `createStyle()` has the colours of the command line. */
  readonly style?: Style;
  /** Nothing but ASCII in the drawing. */
  readonly ascii?: boolean;
}

/** A trace as the command line prints it; ends with a newline. Names do nothing to a terminal. */
export function renderTrace(
  scenario: Mendable,
  facts: TraceFacts,
  { depth = 'default', width = 80, style = PLAIN, ascii = false }: RenderOptions = {},
): string {
  if (depth === 'minimal') return traceMinimal(minimalOf(facts, namesOf(scenario.world)), facts);
  const shown = prune(facts, depth);
  const glyphs = ascii ? ASCII : UNICODE;
  const telling = tellingOf(scenario, rows, en, glyphs, (failed) => whyOf(scenario, failed));
  const story = tellStory(shown, facts, telling);
  return traceText(story, { depth, width, style, glyphs, words: en });
}

/** Why a question makes no sense, in words. */
export function explainMisuse(misuse: Misuse): Diagnostic {
  return tellMisuse(misuse, en);
}

/** A trace as the published JSON (`k8snet schema trace`): the facts, and sentences about them. */
export function explainTrace(scenario: Mendable, facts: TraceFacts): Trace {
  const telling = tellingOf(scenario, rows, en, UNICODE, (failed) => whyOf(scenario, failed));
  return toTrace(facts, tellStory(facts, facts, telling));
}
