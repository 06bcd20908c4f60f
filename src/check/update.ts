/** What of an expectation may be written anew from what a trace found. */
import type { TraceFacts } from '../trace/trace.ts';
import { asWritten, type Difference, devicesPassed, type Expected } from './expectations.ts';
import type { Judged } from './judge.ts';

export interface Update {
  readonly field: keyof Expected;
  readonly value: string | number | readonly string[];
}

export interface Updates {
  readonly updates: readonly Update[];
  /** What nobody but a person may change: the outcome, and what is no longer seen at all. */
  readonly refused: readonly Difference[];
}

/** Devices in order, as the expectation names them: full or bare; twice in a row counts once. */
const wayOf = (facts: TraceFacts, via: readonly string[]): string[] => {
  const isFull = via.some((name) => name.includes('/'));
  const names = devicesPassed(facts).map(({ bare, full }) => (isFull ? full : bare));
  return names.filter((name, at) => name !== names[at - 1]);
};

const seen = (
  { field, found }: Difference,
  { expectation, facts }: Extract<Judged, { kind: 'traced' }>,
): Update['value'] | undefined => {
  switch (field) {
    case 'cause':
      return facts.cause?.code;
    case 'symptom':
      return facts.symptom;
    case 'sourceSeen':
      return asWritten(expectation.sourceSeen, facts.sourceSeen);
    case 'dnat':
      return asWritten(expectation.dnat, facts.dnat);
    case 'backends':
      return Number.parseInt(found, 10);
    case 'resolved':
      return facts.resolution?.addresses[0];
    case 'via': {
      const way = wayOf(facts, expectation.via ?? []);
      return way.length > 0 ? way : undefined;
    }
    case 'maxHops':
      return facts.legs[0]?.hops.length;
    // The outcome is what is tested; a device that must not be passed is a decision.
    case 'disposition':
    case 'notVia':
      return undefined;
    default:
      return field satisfies never;
  }
};

/** What can be written anew, and what is refused. */
export const updatesOf = (judged: Extract<Judged, { kind: 'traced' }>): Updates => {
  const updates: Update[] = [];
  const refused: Difference[] = [];
  for (const difference of judged.differences) {
    const value = seen(difference, judged);
    if (value === undefined) refused.push(difference);
    else updates.push({ field: difference.field, value });
  }
  return { updates, refused };
};
