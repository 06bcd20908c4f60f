/** Steps of policies in English. */
import type { PolicyFacts } from '../../../trace/policies.ts';
import type { StepMessages, StepWords } from '../../catalogue.ts';
import {
  byWhom,
  decidingRow,
  isolating,
  linePlace,
  policyLine,
  policyNames,
  sideText,
  wouldText,
} from './policy.ts';

type PolicyMessages = {
  readonly [K in keyof StepMessages as K extends `policy.${string}` ? K : never]: StepMessages[K];
};

/** What decided, at the end of the line: where the rule stands. */
const withPlace = (text: string, facts: PolicyFacts): StepWords => {
  const row = facts.by === 'rule' ? decidingRow(facts) : undefined;
  const aside = linePlace(row?.rule?.at ?? row?.at);
  return { text, ...(aside !== undefined && { aside }) };
};

/** `allowed by NetworkPolicy web rule 2`, `denied: NetworkPolicy a isolates it, and no rule …`. */
const decided = (word: string, facts: PolicyFacts): string =>
  `${sideText(facts)}: ${word}${facts.by === 'rule' ? ' by' : ':'} ${byWhom(facts)}`;

/** Every policy that has a part in a default deny, with what it lacks. */
const lines = (facts: PolicyFacts): readonly string[] =>
  facts.by === 'default-deny' ? isolating(facts).map((row) => policyLine(row, facts)) : [];

const withLines = (words: StepWords, facts: PolicyFacts): StepWords => {
  const more = lines(facts);
  return more.length > 0 ? { ...words, more } : words;
};

/** What nobody stops: all that select it, and what somebody who enforced them would do. */
const ignored = (facts: PolicyFacts, why: string): StepWords => {
  const { policies, decision, by } = facts;
  const would = `${wouldText(facts)}${decision === 'allow' && by === 'rule' ? ` (${byWhom(facts)})` : ''}`;
  return {
    text: `${sideText(facts)}: ${policyNames(policies)} ${policies.length > 1 ? 'select' : 'selects'} it, ${why} ${would}`,
  };
};

export const policySteps: PolicyMessages = {
  'policy.allowed': (facts) => withPlace(decided('allowed', facts), facts),
  'policy.denied': (facts) => withLines(withPlace(decided('denied', facts), facts), facts),
  'policy.unknown': (facts) =>
    withPlace(`${sideText(facts)}: nobody can tell offline what ${byWhom(facts)} is about`, facts),
  'policy.not-enforced': (facts) => {
    const told = ignored(facts, 'and nobody enforces it; an enforcing plugin');
    return facts.decision === 'allow'
      ? told
      : { ...withLines(told, facts), aside: '--policy enforced shows it' };
  },
  'policy.escaped': (facts) =>
    withLines(ignored(facts, 'and the frame meets no hook with its rules; they'), facts),
  'policy.not-isolated': (facts) => ({
    text: `${sideText(facts)}: no policy selects it`,
  }),
};
