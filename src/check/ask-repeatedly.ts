/**
 * The same question several times, one probe after the other through one World: connections, lists of
 * `recent`, sets that rules add to, persistence of virtual servers, neighbours stay. Each probe is a
 * new connection with the next source port, and takes the next way where chance decides. A name is
 * looked up each time, as an application without a cache does.
 */
import type { OpenedScenario } from '../scenario/open.ts';
import { FIRST_TURN, type Taken, type Turn } from '../trace/forks.ts';
import { leftBehind } from '../trace/second-probe.ts';
import type { TraceFacts } from '../trace/trace.ts';
import { type Answer, ask, type Question } from './ask.ts';

export interface Asked {
  /** From 1. */
  readonly n: number;
  readonly facts: TraceFacts;
  /** Absent where no packet was sent. */
  readonly taken?: Taken;
}

export type AskedRepeatedly =
  | {
      readonly ok: true;
      readonly first: Asked;
      /** The probes after the first, each sent when it is asked for; to be read once. */
      readonly rest: Iterable<Asked>;
    }
  | Extract<Answer, { ok: false }>;

/** @param probes how many; at least 1 */
export function askRepeatedly(
  scenario: OpenedScenario,
  { backend = 'all', ...question }: Question,
  probes: number,
): AskedRepeatedly {
  if (backend !== 'all')
    return { ok: false, diagnostics: [], misuses: [{ code: 'repeat-one-way', backend }] };
  const first = ask(scenario, { ...question, turn: { ...FIRST_TURN, before: 0 } });
  if (!first.ok) return first;
  return {
    ok: true,
    first: askedOf(1, first),
    rest: probesAfter(first, scenario, question, probes),
  };
}

const askedOf = (n: number, { facts, taken }: Extract<Answer, { ok: true }>): Asked => ({
  n,
  facts,
  ...(taken && { taken }),
});

function* probesAfter(
  first: Extract<Answer, { ok: true }>,
  scenario: OpenedScenario,
  question: Omit<Question, 'backend'>,
  probes: number,
): Generator<Asked> {
  let { world, taken } = first;
  let turn: Turn = taken?.next ?? FIRST_TURN;
  for (let before = 1; before < probes; before++) {
    // Every probe has a port of its own, as a new TCP connection has.
    const answer = ask(
      { ...scenario, world: leftBehind(world, 'tcp') },
      { ...question, turn: { ...turn, before } },
    );
    if (!answer.ok) return;
    ({ world, taken } = answer);
    turn = taken?.next ?? turn;
    yield askedOf(before + 1, answer);
  }
}
