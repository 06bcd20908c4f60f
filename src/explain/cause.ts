/** A cause in words: the sentence, the fix, the command that checks it on a real node. */
import type { Unmodelled } from '../kernel/event.ts';
import type { CauseFact, Hop, Step, TraceFacts } from '../trace/trace.ts';
import type { Catalogue, CauseWords } from './catalogue.ts';
import type { Telling } from './quote.ts';

/** What a cause's sentence may look at. */
export interface CauseContext extends Telling {
  readonly facts: TraceFacts;
  readonly cause: CauseFact;
  readonly step?: Step;
  readonly hop?: Hop;
  /** The detail of the cause's step, loosely: a sentence asks for what it can use. */
  readonly detail: CauseDetail;
}

/** The union of what the steps that can be causes carry; all optional, so sentences stay total. */
export interface CauseDetail {
  readonly ip?: string;
  readonly dst?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly process?: string;
  readonly otherListener?: { readonly ip: string; readonly process: string };
  readonly declared?: readonly string[];
  readonly chain?: string;
  readonly number?: number;
  readonly table?: string;
  readonly hook?: string;
  readonly reason?: string;
  readonly iif?: string;
  readonly src?: string;
  readonly length?: number;
  readonly mtu?: number;
  readonly needed?: number;
  readonly device?: string;
  readonly segment?: string;
  readonly from?: string;
  readonly to?: string;
  readonly unmodelled?: Unmodelled;
}

/** Tells the cause of a trace; undefined where it has none. */
export function tellCause(
  facts: TraceFacts,
  telling: Telling,
  words: Catalogue,
): CauseWords | undefined {
  const { cause } = facts;
  if (cause === undefined) return undefined;
  const found = findStep(facts, cause.step);
  return words.causes[cause.code]({
    ...telling,
    facts,
    cause,
    ...found,
    detail: { ...(found?.step.detail as CauseDetail | undefined) },
  });
}

function findStep(facts: TraceFacts, n: number | undefined): { step: Step; hop: Hop } | undefined {
  for (const leg of facts.legs) {
    for (const hop of leg.hops) {
      const step = hop.steps.find((candidate) => candidate.n === n);
      if (step !== undefined) return { step, hop };
    }
  }
  return undefined;
}
