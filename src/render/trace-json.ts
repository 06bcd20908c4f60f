/** The trace as the published JSON: the facts, with the cause's and the assumptions' sentences. */
import type { ToldFix } from '../explain/cause.ts';
import { commandText } from '../explain/check-command.ts';
import type { Story } from '../explain/story.ts';
import type { RepeatSummary, Trace, TraceFacts, TraceList } from '../trace/trace.ts';
import { harmlessQuoted } from './harmless.ts';

/** Joins facts and their story into the contract `k8snet/v1`, keys in a fixed order. */
export function toTrace(facts: TraceFacts, story: Story): Trace {
  const { cause } = facts;
  return {
    apiVersion: 'k8snet/v1',
    kind: 'Trace',
    scenario: facts.scenario,
    probe: facts.probe,
    disposition: facts.disposition,
    symptom: facts.symptom,
    ...(cause !== undefined &&
      story.cause !== undefined && {
        cause: {
          code: cause.code,
          ...(cause.step !== undefined && { step: cause.step }),
          message: story.cause.message,
          fix: fixText(story.cause.fix),
          check: commandText(story.cause.check),
          remedy: story.cause.remedy,
          ...(cause.origin !== undefined && { origin: cause.origin }),
          ...(cause.about !== undefined && { about: cause.about }),
          ...(cause.inner !== undefined && { inner: cause.inner }),
          ...(cause.unmodelled !== undefined && { unmodelled: cause.unmodelled }),
        },
      }),
    ...(facts.resolution !== undefined && { resolution: facts.resolution }),
    legs: facts.legs,
    ...(facts.before !== undefined && { before: facts.before }),
    ...(facts.warm !== undefined && { warm: facts.warm }),
    ...(facts.withFix !== undefined && { withFix: facts.withFix }),
    ...(facts.told !== undefined && { told: facts.told }),
    ...(facts.alternatives !== undefined && { alternatives: facts.alternatives }),
    ...(facts.notWalked !== undefined && { notWalked: facts.notWalked }),
    ...(facts.sourceSeen !== undefined && { sourceSeen: facts.sourceSeen }),
    ...(facts.dnat !== undefined && { dnat: facts.dnat }),
    assumptions: story.assumptions,
  };
}

/** A sentence or a command, and a patch below it. */
function fixText({ said, yaml }: ToldFix): string {
  return [commandText(said), ...yaml].join('\n');
}

/** Traces of one question, one after the other. */
export function toTraceList(items: readonly Trace[], summary: RepeatSummary): TraceList {
  return { apiVersion: 'k8snet/v1', kind: 'TraceList', items, summary };
}

/** @returns two-space JSON with a newline at its end. */
export function traceJson(trace: Trace | TraceList): string {
  return `${harmlessQuoted(JSON.stringify(trace, null, 2))}\n`;
}
