/** Steps of policies in English. */
import type { PolicyFacts } from '../../../trace/policies.ts';
import type { StepMessages, StepWords } from '../../catalogue.ts';
import type { StepContext } from '../../context.ts';
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

/** `allowed by NetworkPolicy web rule 2`, `denied, since NetworkPolicy a isolates it and no rule …`. */
const decided = (word: string, facts: PolicyFacts): string =>
  `${sideText(facts)}: ${word}${facts.by === 'rule' ? ' by' : ', since'} ${byWhom(facts)}`;

/** Every policy that has a part in a default deny, with what it lacks. */
const lines = (facts: PolicyFacts): readonly string[] =>
  facts.by === 'default-deny' ? isolating(facts).map((row) => policyLine(row, facts)) : [];

const withLines = (words: StepWords, facts: PolicyFacts): StepWords => {
  const more = lines(facts);
  return more.length > 0 ? { ...words, more } : words;
};

/** Who selects it, why that stops nothing, and what would happen else. */
const ignored = (facts: PolicyFacts, why: (several: boolean) => string): StepWords => {
  const { policies, decision, by } = facts;
  const several = policies.length > 1;
  const which = decision === 'allow' && by === 'rule' ? ` (${byWhom(facts)})` : '';
  return {
    text: `${sideText(facts)}: ${policyNames(policies)} ${several ? 'select' : 'selects'} it, ${why(several)} ${wouldText(facts)}${which}`,
  };
};

/** A bridge has just sent it from port to port. */
const isSwitched = ({ hop, step }: StepContext): boolean =>
  hop.steps.some(
    ({ n, kind, detail }) =>
      n < step.n &&
      kind === 'bridge' &&
      'mac' in detail &&
      detail.inPort !== undefined &&
      detail.outPort !== undefined,
  );

export const policySteps: PolicyMessages = {
  'policy.allowed': (facts) => withPlace(decided('allowed', facts), facts),
  'policy.denied': (facts) => withLines(withPlace(decided('denied', facts), facts), facts),
  'policy.unknown': (facts) =>
    withPlace(`${sideText(facts)}: nobody can tell offline what ${byWhom(facts)} is about`, facts),
  'policy.not-enforced': (facts) => {
    const told = ignored(
      facts,
      (several) => `and nobody enforces ${several ? 'them' : 'it'}; else`,
    );
    return facts.decision === 'allow'
      ? told
      : { ...withLines(told, facts), aside: 'see --policy enforced' };
  },
  'policy.escaped': (facts, context) =>
    withLines(
      ignored(facts, (several) => {
        const rules = `${several ? 'their' : 'its'} rules`;
        return isSwitched(context)
          ? `and the frame passes no hook with ${rules} (bridge-nf-call-iptables); else`
          : `and it passes no hook with ${rules} on its way here; else`;
      }),
      facts,
    ),
  'policy.not-isolated': (facts) => ({ text: `${sideText(facts)}: no policy selects it` }),
};
