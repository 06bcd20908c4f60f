/** `k8snet tour`: fills the tour's port with prompts on a terminal, with answers of its own elsewhere. */
import { ask } from '../check/ask.ts';
import { wrap } from '../render/width.ts';
import { openBuiltIn } from '../scenario/open.ts';
import { en } from '../tour/messages/en.ts';
import type { Choice, TourPort, TracedAnswer, TraceQuestion } from '../tour/port.ts';
import { runTour, STAGES } from '../tour/tour.ts';
import { glyphsFor, widthOf } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import { report } from './report.ts';
import { tell } from './tell.ts';

export interface TourOptions {
  /** Run all stages without asking anybody. */
  readonly yes?: boolean;
}

/**
 * Runs the tour, or the stage that was named.
 *
 * @returns 0 when every stage's claim holds, 1 when the engine contradicts one, 2 for an unknown
 * stage, 130 when the person interrupts a prompt.
 */
export async function tourCommand(
  name: string | undefined,
  options: TourOptions,
  io: Io,
): Promise<number> {
  const stages = name === undefined ? STAGES : STAGES.filter(({ id }) => id === name);
  if (stages.length === 0) {
    const known = STAGES.map(({ id }) => id).join(', ');
    const message = en.unknownStage(name ?? '', known);
    await report([{ severity: 'error', code: 'unknown-stage', message }], {}, io);
    return EXIT.usage;
  }
  const attended = options.yes !== true && io.stdin?.isTTY === true && io.stdout.isTTY;
  const glyphs = glyphsFor(io.env);
  const port: TourPort = {
    show: (text) => io.stdout.write(text),
    choose: attended ? await prompted() : unattendedIn(io),
    trace: (question) => traceBuiltIn(question, io),
  };
  try {
    const result = await runTour(stages, port, {
      messages: en,
      width: widthOf(io.env, io.stdout),
      unicode: glyphs.link !== '-->',
      wrap,
    });
    return result.broken.length === 0 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') return EXIT.interrupted;
    throw error;
  }
}

/** Inquirer is large: it is loaded only where somebody can be asked. */
async function prompted(): Promise<TourPort['choose']> {
  const { default: inquirer } = await import('inquirer');
  return async <Value extends string>(message: string, choices: readonly Choice<Value>[]) => {
    const { at } = await inquirer.prompt<{ at: number }>([
      {
        type: 'select',
        name: 'at',
        message,
        choices: choices.map(({ name }, value) => ({ name, value })),
        loop: false,
      },
    ]);
    const chosen = choices[at];
    if (chosen === undefined) throw new RangeError(`no choice ${at}`);
    return chosen.value;
  };
}

/** Answers by itself, and shows what it answered; steps go on without a word. */
function unattendedIn(io: Io): TourPort['choose'] {
  return (message, choices, unattended) => {
    const chosen = choices.find(({ value }) => value === unattended);
    if (message !== en.move) io.stdout.write(`> ${chosen?.name ?? unattended}\n`);
    return Promise.resolve(unattended);
  };
}

async function traceBuiltIn(question: TraceQuestion, io: Io): Promise<TracedAnswer> {
  const opened = await openBuiltIn(question.scenario);
  if (!opened.ok) throw new Error(`the built-in scenario ${question.scenario} does not open`);
  const answer = ask(opened.scenario, { from: question.from, to: question.to });
  if (!answer.ok) throw new Error(`the tour's question does not fit ${question.scenario}`);
  const { facts, world } = answer;
  return { facts, world, story: tell(facts, 'default', opened.scenario, glyphsFor(io.env)) };
}
