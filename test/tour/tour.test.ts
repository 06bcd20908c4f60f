import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { tell } from '../../src/cli/tell.ts';
import { UNICODE } from '../../src/explain/quote.ts';
import { wrap } from '../../src/render/width.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';
import { en } from '../../src/tour/messages/en.ts';
import type { Choice, TourPort } from '../../src/tour/port.ts';
import type { Stage } from '../../src/tour/stage.ts';
import { runTour, STAGES } from '../../src/tour/tour.ts';

type Chooser = (choices: readonly Choice<string>[], unattended: string, message: string) => string;

function portWith(choose: Chooser): { port: TourPort; shown: string[] } {
  const shown: string[] = [];
  const port: TourPort = {
    show: (text) => shown.push(text),
    choose: (message, choices, unattended) => {
      const wanted = choose(choices, unattended, message);
      const chosen = choices.find(({ value }) => value === wanted);
      if (chosen === undefined) throw new RangeError(`${wanted} is not on offer`);
      return Promise.resolve(chosen.value);
    },
    trace: async ({ scenario, from, to }) => {
      const opened = await openBuiltIn(scenario);
      if (!opened.ok) throw new Error(scenario);
      const answer = ask(opened.scenario, { from, to });
      if (!answer.ok) throw new Error(`${from} ${to}`);
      const { facts, world } = answer;
      return { facts, world, story: tell(facts, 'default', opened.scenario, UNICODE) };
    },
  };
  return { port, shown };
}

const options = { messages: en, width: 80, unicode: true, wrap };

describe('the tour', () => {
  it('has its claims confirmed by the engine, and fits 80 columns', async () => {
    const { port, shown } = portWith((_, unattended) => unattended);
    expect(await runTour(STAGES, port, options)).toEqual({
      right: 4,
      asked: 4,
      left: false,
      broken: [],
    });
    const lines = shown.join('').split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => line.includes('▶')).length).toBeGreaterThan(20);
  });

  it('grades a wrong answer as wrong, and says what is right', async () => {
    const { port, shown } = portWith((choices, unattended, message) =>
      message === en.askNow
        ? (choices.find(({ value }) => value !== unattended)?.value ?? '')
        : 'end',
    );
    expect(await runTour(STAGES, port, options)).toMatchObject({ right: 0, asked: 4 });
    expect(shown.join('')).toContain('Not quite: lo, the loopback device.');
  });

  it('steps back, and leaves when asked to', async () => {
    const moves = ['next', 'next', 'back', 'quit'];
    const { port, shown } = portWith((_, unattended, message) =>
      message === en.move ? (moves.shift() ?? '') : unattended,
    );
    expect(await runTour(STAGES, port, options)).toMatchObject({ left: true, asked: 1 });
    const steps = shown.join('').match(/Step \d+/g);
    expect(steps).toEqual(['Step 1', 'Step 2', 'Step 3', 'Step 2']);
  });

  it('calls a stage broken when the engine does not confirm it', async () => {
    const [first] = STAGES;
    if (first === undefined) throw new Error('no stage');
    const wrong: Stage = { ...first, grade: () => 'eth1' };
    const { port } = portWith((_, unattended) => unattended);
    expect(await runTour([wrong], port, options)).toMatchObject({ broken: ['one-pod'], asked: 0 });
  });
});
