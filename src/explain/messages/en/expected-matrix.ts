/** What `k8snet test` finds about who may talk to whom, in English. */
import type { Policy, PolicyRule } from '../../../cluster/policy/policy.ts';
import type { Verdict } from '../../../policy/verdict.ts';
import type {
  MatrixExpectation,
  PeerText,
} from '../../../scenario/expectations/matrix-expectation.ts';
import type { ExpectedMatrixWords, ToldPair } from '../../expected-matrix-words.ts';
import { list } from './phrases.ts';

const peers = (texts: readonly PeerText[]): string =>
  texts.length === 0 ? 'nobody' : texts.map(({ text }) => text).join(', ');

const title = ({ side, subjects, only, allow, deny }: MatrixExpectation): string => {
  const verbs = [
    ...(only ? [`only ${peers(only)}`] : []),
    ...(allow ? [`allow ${peers(allow)}`] : []),
    ...(deny ? [`deny ${peers(deny)}`] : []),
  ];
  return `${side} ${peers(subjects)}: ${verbs.join('; ')}`;
};

const pairText = ({ from, to }: ToldPair): string => `${from} → ${to}`;

const expected = (pair: ToldPair): string => `${pairText(pair)} ${pair.expected}`;

const found = ({ found: what, ports }: ToldPair): string => {
  switch (what) {
    case 'allowed':
      return `${ports ?? 'all'} allowed`;
    case 'denied':
      return `${ports ?? 'everything'} denied`;
    case 'undecided':
      return 'nobody can tell offline';
    default:
      return what satisfies never;
  }
};

const placeOf = (place: Policy['place']): string => {
  if (!place) return '';
  const { file, line } = place;
  return ` (${line === undefined ? file : `${file}:${line}`})`;
};

const nameOf = ({ kind, namespace, name }: Policy): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

const ruleOf = (rule: PolicyRule | undefined, index: number): string =>
  rule?.name === undefined ? `rule ${index + 1}` : `rule ${index + 1} "${rule.name}"`;

const SAYS = { allow: 'admitted', deny: 'denied', unknown: 'perhaps admitted' } as const;

const why = ({ by, decision, direction }: Verdict): string => {
  switch (by.kind) {
    case 'exempt':
      return 'no policy has a say';
    case 'not-isolated':
      return 'no policy isolates it';
    case 'rule': {
      const rule = by.policy[direction]?.[by.rule];
      return `${SAYS[decision]} by ${nameOf(by.policy)} ${ruleOf(rule, by.rule)}${placeOf(rule?.place ?? by.policy.place)}`;
    }
    case 'default-deny': {
      const named = by.policies.map((policy) => `${nameOf(policy)}${placeOf(policy.place)}`);
      const several = named.length > 1;
      return `${list(named)} ${several ? 'isolate it together, and no rule of them' : 'isolates it, and no rule'} admits this`;
    }
    default:
      return by satisfies never;
  }
};

export const expectedMatrixWords: ExpectedMatrixWords = {
  title,
  expected,
  found,
  reason: (verdict) => `${verdict.direction} of ${verdict.pod}: ${why(verdict)}`,
  more: (pairs) => ({
    expected: `${pairs} more ${pairs === 1 ? 'pair' : 'pairs'} the same`,
    found: 'otherwise, too',
  }),
};
