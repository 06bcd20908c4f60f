/** The paths of a diff: which questions there are, and both answers to each. */
import {
  type PathDiff,
  type PathQuestion,
  type PathSide,
  pathDiff,
  pathSide,
} from '../check/diff/path-diff.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { tellMisuse } from '../explain/misuse.ts';
import { namesOf } from '../explain/telling.ts';
import type { LateScenario } from '../scenario/open-late.ts';
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

/** What either side expects, each question once, where HEAD has it. */
const expectedOn = ({ base, head }: DiffSides): PathQuestion[] => {
  const found = new Map<string, PathQuestion>();
  for (const { expectations } of [head, base])
    for (const { from, to, namespace, port, protocol, size, backend, place } of expectations) {
      const { file, line, column } = place;
      const question = { from, to, namespace, port, protocol, size, backend };
      const key = JSON.stringify(question);
      if (found.has(key)) continue;
      found.set(key, {
        ...question,
        at: {
          file,
          ...(line !== undefined && { line }),
          ...(column !== undefined && { column }),
        },
      });
    }
  return [...found.values()];
};

async function withWorld(
  scenario: LateScenario,
  said: Diagnostic[],
): Promise<PathSide | undefined> {
  const result = await scenario.withWorld();
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
  const base = await withWorld(sides.base, said);
  const head = await withWorld(sides.head, said);
  await report(said, options, io);
  if (wrong.length > 0 || !base || !head) return undefined;
  const questions = [
    ...asked.flatMap((one) => ('severity' in one ? [] : [one])),
    ...(options.paths ? expectedOn(sides) : []),
  ];
  const found: PathDiff[] = [];
  let isWrong = false;
  for (const question of questions) {
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
