/** The paths of a diff: which questions there are, and both answers to each. */
import {
  type PathDiff,
  type PathQuestion,
  type PathSide,
  pathDiff,
  pathSide,
} from '../check/diff/path-diff.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { placedBefore } from '../cluster/top-controller.ts';
import { tellMisuse } from '../explain/misuse.ts';
import { namesOf } from '../explain/telling.ts';
import type { LateChange, LateScenario } from '../scenario/open-late.ts';
import type { Setting } from '../scenario/override.ts';
import type { DiffCommandOptions } from './diff-options.ts';
import type { DiffSides } from './diff-sides.ts';
import type { Io } from './io.ts';
import { report } from './report.ts';
import { words } from './tell.ts';

const PROTOCOLS = ['tcp', 'udp', 'icmp', 'sctp'] as const;

/** `pod-a svc/web:80`, `pod-a -> pod-b udp` */
const questionOf = (text: string, namespace: string): PathQuestion | Diagnostic => {
  const parts = text
    .trim()
    .split(/\s+/)
    .filter((part) => part !== '->' && part !== '→');
  const [from, to, typed, ...rest] = parts;
  const protocol = PROTOCOLS.find((one) => one === typed?.toLowerCase());
  if (from === undefined || to === undefined || rest.length > 0 || (typed && !protocol))
    return {
      severity: 'error',
      code: 'bad-usage',
      message: `--trace ${JSON.stringify(text)} is no question`,
      hint: `Write --trace 'FROM TO', e.g. 'pod-a svc/web:80', or 'FROM TO udp' (${PROTOCOLS.join(', ')}).`,
    };
  return { from, to, namespace, ...(protocol && { protocol }) };
};

/** A question, and what its document changes in the Scenario first. */
interface Asked {
  readonly question: PathQuestion;
  readonly under: readonly Setting[];
}

const textOf = (setting: Setting): string => (typeof setting === 'string' ? setting : setting.text);

/** What either side expects, each question once, where HEAD has it. */
const expectedOn = ({ base, head }: DiffSides): Asked[] => {
  const found = new Map<string, Asked>();
  for (const { expectations } of [head, base])
    for (const expectation of expectations) {
      const { from, to, namespace, port, protocol, size, backend, place, under = [] } = expectation;
      const { file, line, column } = place;
      const set = under.map(textOf);
      const question = {
        from,
        to,
        namespace,
        port,
        protocol,
        size,
        backend,
        ...(set.length > 0 && { set }),
      };
      const key = JSON.stringify(question);
      if (found.has(key)) continue;
      const at = {
        file,
        ...(line !== undefined && { line }),
        ...(column !== undefined && { column }),
      };
      found.set(key, { question: { ...question, at }, under });
    }
  return [...found.values()];
};

interface Worlds {
  readonly base: PathSide;
  readonly head: PathSide;
}

/** Both sides as a document wants them, each made once; undefined where one cannot be made. */
const worldsFor = ({ base, head }: DiffSides, said: Diagnostic[]) => {
  const known = new Map<string, Promise<Worlds | undefined>>();
  const open = async (under: readonly Setting[]): Promise<Worlds | undefined> => {
    if (under.length === 0) {
      const was = await withWorld(base, undefined, said);
      const is = await withWorld(head, undefined, said);
      return was && is && { base: was, head: is };
    }
    const was = await withWorld(base, { set: under }, said);
    if (!was) return undefined;
    const before = placedBefore(was.scenario.cluster);
    const is = await withWorld(head, { set: under, placedBefore: before }, said);
    return is && { base: was, head: is };
  };
  return (under: readonly Setting[]): Promise<Worlds | undefined> => {
    const key = JSON.stringify(under.map(textOf));
    const made = known.get(key) ?? open(under);
    known.set(key, made);
    return made;
  };
};

async function withWorld(
  scenario: LateScenario,
  change: LateChange | undefined,
  said: Diagnostic[],
): Promise<PathSide | undefined> {
  const result = await scenario.withWorld(change);
  said.push(...result.diagnostics);
  return result.ok ? pathSide(result.scenario, namesOf(result.scenario.world)) : undefined;
}

/** @returns undefined where an input is bad, or nobody can answer what was asked. */
export async function diffPaths(
  sides: DiffSides,
  options: DiffCommandOptions,
  io: Io,
): Promise<readonly PathDiff[] | undefined> {
  const asked = (options.trace ?? []).map((text) => questionOf(text, options.namespace));
  const wrong = asked.filter((one) => 'severity' in one);
  const said: Diagnostic[] = [...wrong];
  const worlds = worldsFor(sides, said);
  const asIs = await worlds([]);
  const expected = options.paths ? expectedOn(sides) : [];
  let isMade = true;
  for (const { under } of expected) isMade = (await worlds(under)) !== undefined && isMade;
  await report(said, options, io);
  if (wrong.length > 0 || !asIs || !isMade) return undefined;
  const questions: readonly Asked[] = [
    ...asked.flatMap((one) => ('severity' in one ? [] : [{ question: one, under: [] }])),
    ...expected,
  ];
  const found: PathDiff[] = [];
  let isWrong = false;
  for (const { question, under } of questions) {
    const { base, head } = (await worlds(under)) ?? asIs;
    const answer = pathDiff(base, head, question);
    if (answer.ok) {
      found.push(answer.diff);
      continue;
    }
    // What is expected and cannot be asked on either side is for k8snet test to report.
    if (question.at) continue;
    isWrong = true;
    const misuses = answer.misuses.map((misuse) => tellMisuse(misuse, words));
    await report([...answer.diagnostics, ...misuses], options, io);
  }
  return isWrong ? undefined : found;
}
