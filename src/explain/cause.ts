/** A cause in words: what is wrong, what mends it, what shows it on a real node. */
import type { Check, Fix, RemedyPlace } from '../trace/remedy.ts';
import type { Why } from '../trace/situation.ts';
import type { Catalogue } from './catalogue.ts';
import { type Command, changesIn, commandsIn } from './check-command.ts';
import type { Telling } from './quote.ts';
import { yamlLines } from './yaml-lines.ts';

export interface ToldFix {
  /** A sentence, or what is to be typed. */
  readonly said: string | Command;
  /** A patch of the input. */
  readonly yaml: readonly string[];
}

export interface CauseWords {
  readonly message: string;
  readonly fix: ToldFix;
  readonly check: Command;
}

/** Tells why a trace failed. */
export function tellCause(why: Why, telling: Telling, words: Catalogue): CauseWords {
  return {
    message: words.causes[why.cause.code]({ ...telling, ...why }),
    fix: tellFix(why.fix, words),
    check: tellCheck(why.check),
  };
}

/** Tells a fix by itself. */
export function tellFix(fix: Fix, words: Catalogue): ToldFix {
  switch (fix.kind) {
    case 'commands':
      return { said: changesIn(fix.on, fix.commands), yaml: [] };
    case 'patch':
      return { said: tellAdvice(fix.advice, words), yaml: yamlLines(fix.patch) };
    case 'advice':
      return { said: tellAdvice(fix.advice, words), yaml: [] };
    default:
      return fix satisfies never;
  }
}

function tellAdvice(
  { code, values, run }: Extract<Fix, { kind: 'advice' }>['advice'],
  words: Catalogue,
): string {
  const sentence = words.advice[code](values);
  return run === undefined ? sentence : `${sentence}: ${run}`;
}

function tellCheck({ on, commands }: Check): Command {
  const place: RemedyPlace | undefined = on;
  return place ? commandsIn(place, commands) : { prompt: '$', text: commands.join(' && ') };
}
