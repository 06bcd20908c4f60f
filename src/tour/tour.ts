/** The guided tour: stage after stage, each asked about before it is revealed. */
import { commandText } from '../explain/check-command.ts';
import type { ToldStep } from '../explain/step.ts';
import { diagram } from './diagram.ts';
import type { TourMessages } from './messages/tour-messages.ts';
import type { TourPort, TracedAnswer } from './port.ts';
import type { Stage } from './stage.ts';
import { oneNode } from './stages/one-node.ts';
import { onePod } from './stages/one-pod.ts';
import { service } from './stages/service.ts';
import { twoNodes } from './stages/two-nodes.ts';

export const STAGES: readonly Stage[] = [onePod, oneNode, twoNodes, service];

export interface TourOptions {
  readonly messages: TourMessages;
  readonly width: number;
  readonly unicode: boolean;
  /** Breaks a text into lines that fit. */
  wrap(text: string, width: number): string[];
}

export interface TourResult {
  readonly right: number;
  readonly asked: number;
  /** The person left before the end. */
  readonly left: boolean;
  /** Stages whose claim the engine does not confirm: a defect, and an exit code. */
  readonly broken: readonly string[];
}

/**
 * Runs the stages in order.
 *
 * @returns how the learner did, and which stages the engine contradicts.
 */
export async function runTour(
  stages: readonly Stage[],
  port: TourPort,
  options: TourOptions,
): Promise<TourResult> {
  const { messages } = options;
  const broken: string[] = [];
  let right = 0;
  let asked = 0;
  say(port, options, messages.welcome);
  for (const [index, stage] of stages.entries()) {
    const text = messages.stages[stage.id];
    port.show(`\n${messages.stageOf(index + 1, stages.length, text.title)}\n`);
    say(port, options, text.aim);
    const answer = await port.trace(stage.question);
    const correct = stage.grade(answer);
    if (correct === undefined || !stage.options.includes(correct)) {
      broken.push(stage.id);
      say(port, options, messages.engineDisagrees);
      continue;
    }
    asked += 1;
    if (await ask(stage, correct, port, options)) right += 1;
    if ((await walk(answer, port, options)) === 'quit') {
      return { right, asked, left: true, broken };
    }
    recap(stage, port, options);
  }
  say(port, options, messages.finished(right, asked));
  return { right, asked, left: false, broken };
}

function say(port: TourPort, options: TourOptions, text: string): void {
  port.show(`${options.wrap(text, options.width).join('\n')}\n`);
}

async function ask(
  stage: Stage,
  correct: string,
  port: TourPort,
  options: TourOptions,
): Promise<boolean> {
  const { messages } = options;
  const text = messages.stages[stage.id];
  const names = new Map(stage.options.map((value, at) => [value, text.options[at] ?? value]));
  port.show('\n');
  say(port, options, text.question);
  const choices = stage.options.map((value) => ({ value, name: names.get(value) ?? value }));
  const given = await port.choose(messages.askNow, choices, correct);
  const verdict =
    given === correct ? messages.right : messages.wrong(names.get(correct) ?? correct);
  say(port, options, `${verdict} ${text.why}`);
  return given === correct;
}

/** One position of the walk: a step, and the hop and leg it belongs to. */
interface Position {
  readonly leg: number;
  readonly hop: number;
  readonly step: ToldStep;
}

function positionsOf({ story }: TracedAnswer): Position[] {
  return story.legs.flatMap((leg, legIndex) =>
    leg.hops.flatMap((hop, hopIndex) =>
      hop.steps.map((step) => ({ leg: legIndex, hop: hopIndex, step })),
    ),
  );
}

async function walk(
  answer: TracedAnswer,
  port: TourPort,
  options: TourOptions,
): Promise<'end' | 'quit'> {
  const { messages } = options;
  const positions = positionsOf(answer);
  let at = 0;
  while (at < positions.length) {
    showPosition(answer, positions, at, port, options);
    const choices = [
      { value: 'next', name: messages.next },
      ...(at > 0 ? [{ value: 'back', name: messages.back } as const] : []),
      { value: 'end', name: messages.toEnd },
      { value: 'quit', name: messages.quit },
    ] as const;
    const move = await port.choose(messages.move, choices, 'next');
    if (move === 'quit') return 'quit';
    if (move === 'end') return 'end';
    at += move === 'back' ? -1 : 1;
  }
  return 'end';
}

function showPosition(
  { facts, story }: TracedAnswer,
  positions: readonly Position[],
  at: number,
  port: TourPort,
  options: TourOptions,
): void {
  const { messages, width } = options;
  const position = positions[at];
  const leg = position === undefined ? undefined : facts.legs[position.leg];
  if (position === undefined || leg === undefined) return;
  const told = story.legs[position.leg]?.hops[position.hop];
  const marked = leg.hops.findIndex((hop) => hop.steps.some((step) => step.n === position.step.n));
  const lines = ['', ...diagram(leg, { ...options, marked }), ''];
  lines.push(
    `${messages.stepOf(at + 1, positions.length)}  ${story.legs[position.leg]?.title ?? ''}`,
  );
  if (told !== undefined) {
    lines.push(...indented(`${told.node} ${told.netns}: ${told.about}`, 0, options));
  }
  const aside = position.step.aside === undefined ? '' : `  (${position.step.aside})`;
  lines.push(...indented(`${position.step.label}: ${position.step.text}${aside}`, 2, options));
  for (const line of position.step.more ?? []) lines.push(...indented(line, 4, options));
  for (const { name, value } of position.step.facts) lines.push(...fact(name, value));
  const { command } = position.step;
  if (command !== undefined) lines.push(...fact(messages.see, commandText(command)));
  port.show(`${lines.join('\n')}\n`);

  function fact(name: string, value: string): string[] {
    const lead = name.padEnd(10);
    return options
      .wrap(value, width - 4 - lead.length)
      .map((line, index) => `    ${index === 0 ? lead : ' '.repeat(lead.length)}${line}`);
  }

  function indented(text: string, by: number, { wrap }: TourOptions): string[] {
    return wrap(text, width - by).map((line) => `${' '.repeat(by)}${line}`);
  }
}

function recap(stage: Stage, port: TourPort, options: TourOptions): void {
  const { messages } = options;
  const { scenario, from, to } = stage.question;
  port.show(`\n${messages.recapTitle}\n`);
  for (const text of messages.stages[stage.id].recap) {
    const lines = options.wrap(text, options.width - 2);
    port.show(lines.map((line, index) => `${index === 0 ? '- ' : '  '}${line}\n`).join(''));
  }
  say(port, options, messages.repeat(`k8snet trace ${from} ${to} -s ${scenario} -v`));
}
