/** Fixes tried: each is applied to the cluster as a fault is, and the same question is asked again. */
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { applyFaults } from '../scenario/fault.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import type { ObjectPatch } from '../scenario/patch.ts';
import type { ScenarioFault } from '../scenario/schema.ts';
import type { Fix } from '../trace/remedy.ts';
import type { CauseCode, EndpointRef, FixRound, TraceFacts, WithFix } from '../trace/trace.ts';
import type { Answer, Question } from './ask.ts';
import { whyOf } from './fix/remedy.ts';
import { endText } from './scenario-documents.ts';

/** A cluster that hides more causes than this behind each other is left to its owner. */
const MOST_ROUNDS = 5;

/** The cluster with the fixes so far, and what came of the question. */
export interface MendedTrace {
  readonly scenario: OpenedScenario;
  readonly facts: TraceFacts;
}

export interface Mended {
  readonly withFix: WithFix;
  /** One for each fix that was applied. */
  readonly traces: readonly MendedTrace[];
}

interface Applied {
  readonly patches: readonly ObjectPatch[];
  readonly commands: readonly ScenarioFault[];
}

type Outcome = MendedTrace | { readonly problem: string };

/** The input with patches. */
const reopened = async (
  { reopen }: OpenedScenario,
  patches: readonly ObjectPatch[],
): Promise<OpenedScenario | { readonly problem: string }> => {
  const result = await reopen?.(patches);
  if (result?.ok) return result.scenario;
  const errors = result?.diagnostics.filter(({ severity }) => severity === 'error');
  return { problem: errors ? messagesOf(errors) : 'the input was not kept' };
};

const messagesOf = (diagnostics: readonly Diagnostic[]): string =>
  diagnostics.map(({ message }) => message).join('; ');

const faultsOf = ({ on, commands }: Extract<Fix, { kind: 'commands' }>): ScenarioFault[] => {
  const place = on.netns === 'host' ? `node/${on.node}` : `pod/${on.netns}`;
  return commands.map((run) => ({ on: place, run }));
};

/** The same code runs faults and fixes: what one breaks, the other mends in the same words. */
const runAll = (
  scenario: OpenedScenario,
  commands: readonly ScenarioFault[],
): OpenedScenario | { readonly problem: string } => {
  const problems: Diagnostic[] = [];
  const faults = commands.map((fault) => ({
    fault,
    place: { file: '--with-fix', line: 1, column: 1 },
  }));
  const world = applyFaults(scenario.world, scenario.cluster, faults, (problem) => {
    problems.push(problem);
  });
  return problems.length > 0 ? { problem: messagesOf(problems) } : { ...scenario, world };
};

/** A Pod whose template was patched has another name: the one in its place is asked. */
const follow = (
  end: EndpointRef,
  typed: string,
  before: OpenedScenario,
  after: OpenedScenario,
): string => {
  if (end.kind !== 'pod' || end.workload) return typed;
  const isEnd = (pod: { namespace: string; name: string }): boolean =>
    pod.namespace === end.namespace && pod.name === end.name;
  const pod = before.cluster.pods.find(isEnd);
  const owner = pod?.owners.at(-1);
  if (!pod || !owner || after.cluster.pods.some(isEnd)) return typed;
  const next = after.cluster.pods.find((one) => {
    const top = one.owners.at(-1);
    return (
      one.namespace === pod.namespace &&
      one.ordinal === pod.ordinal &&
      top?.kind === owner.kind &&
      top.name === owner.name
    );
  });
  return next ? endText({ ...end, name: next.name }) : typed;
};

const questionAfter = (
  question: Question,
  { from, to, port, protocol }: TraceFacts['probe'],
  before: OpenedScenario,
  after: OpenedScenario,
): Question => ({
  ...question,
  from: follow(from, question.from, before, after),
  to: follow(to, question.to, before, after),
  // What was decided once stays decided: a fix must not change the question.
  protocol: protocol as Question['protocol'],
  ...(port !== undefined && { port }),
});

/**
 * Applies the fix of a trace's cause and asks again, then the fix of the next cause, and so on until
 * the packet is delivered or there is nothing left to apply. Patches need an input that was kept.
 */
export const mend = async (
  first: MendedTrace,
  question: Question,
  ask: (scenario: OpenedScenario, question: Question) => Answer,
): Promise<Mended> => {
  const rounds: FixRound[] = [];
  const traces: MendedTrace[] = [];
  let now = first;
  let applied: Applied = { patches: [], commands: [] };

  const apply = async (fix: Exclude<Fix, { kind: 'advice' }>): Promise<Outcome> => {
    const next: Applied =
      fix.kind === 'patch'
        ? { ...applied, patches: [...applied.patches, { ...fix.object, patch: fix.patch }] }
        : { ...applied, commands: [...applied.commands, ...faultsOf(fix)] };
    const opened =
      fix.kind === 'patch' ? await reopened(first.scenario, next.patches) : now.scenario;
    if ('problem' in opened) return opened;
    const scenario = runAll(opened, fix.kind === 'patch' ? next.commands : faultsOf(fix));
    if ('problem' in scenario) return scenario;
    const answer = ask(
      scenario,
      questionAfter(question, first.facts.probe, first.scenario, scenario),
    );
    if (!answer.ok) return { problem: messagesOf(answer.diagnostics) };
    applied = next;
    return { scenario, facts: answer.facts };
  };

  const tryFix = async (code: CauseCode, fix: Fix): Promise<FixRound> => {
    if (fix.kind === 'advice') return { for: code, fix, outcome: 'advice' };
    const before = JSON.stringify(fix);
    if (rounds.some((round) => JSON.stringify(round.fix) === before))
      return { for: code, fix, outcome: 'repeated' };
    const outcome = await apply(fix);
    if ('problem' in outcome)
      return { for: code, fix, outcome: 'refused', problem: outcome.problem };
    now = outcome;
    traces.push(now);
    const { disposition, symptom } = now.facts;
    const mended = disposition === 'delivered';
    return { for: code, fix, outcome: mended ? 'mended' : 'not-enough', disposition, symptom };
  };

  while (rounds.length < MOST_ROUNDS) {
    const why = whyOf(now.scenario, now.facts);
    if (!why) break;
    const round = await tryFix(why.cause.code, why.fix);
    rounds.push(round);
    if (round.outcome !== 'not-enough') break;
  }
  const mended = now.facts.disposition === 'delivered';
  return { withFix: { mended, rounds }, traces };
};
