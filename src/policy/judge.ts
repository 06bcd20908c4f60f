/** One connection, judged with every reason. */
import type { Policy, PolicyDirection, PolicyRule, PolicyTier } from '../cluster/policy/policy.ts';
import type { Asked } from './asked.ts';
import type { Parties, Peer, PolicyCluster } from './party.ts';
import { matchRule } from './rule-match.ts';
import type { Exemption, PolicyOutcome, PolicyQuestion, RuleMiss, Verdict } from './verdict.ts';

type Decision = 'allow' | 'deny';

/** A rule that decides, or would if it were known to match. */
interface Found {
  readonly policy: Policy;
  readonly rule: number;
  readonly action: PolicyRule['action'];
}

/** What one policy answers: the rules that may match, and the first that does. */
interface Answer {
  readonly outcome: PolicyOutcome;
  readonly found?: Found;
  readonly unknown: readonly Found[];
}

const OUTCOMES = { accept: 'accepts', deny: 'denies', pass: 'passes' } as const;

const answerOf = (policy: Policy, direction: PolicyDirection, asked: Asked): Answer => {
  const misses: RuleMiss[] = [];
  const unknown: Found[] = [];
  for (const [index, rule] of (policy[direction] ?? []).entries()) {
    const match = matchRule(rule, policy, asked);
    const found: Found = { policy, rule: index, action: rule.action };
    if (match.kind === 'miss') misses.push({ rule: index, ...match.miss });
    if (match.kind === 'unknown') unknown.push(found);
    if (match.kind === 'match')
      return {
        outcome: { policy, outcome: OUTCOMES[rule.action], rule: index, misses },
        found,
        unknown,
      };
  }
  const [first] = unknown;
  return {
    outcome: first
      ? { policy, outcome: 'unknown', rule: first.rule, misses }
      : { policy, outcome: 'silent', misses },
    unknown,
  };
};

const notAsked = (policy: Policy): PolicyOutcome => ({ policy, outcome: 'not-asked', misses: [] });

/** A decision, and which ones it might have been. */
interface Settled {
  readonly decision: Decision;
  readonly by: Verdict['by'];
  /** Rules that would have decided otherwise, if they match. */
  readonly doubts: readonly Found[];
}

const byRule = ({ policy, rule }: Found): Verdict['by'] => ({
  kind: 'rule',
  tier: policy.tier,
  policy,
  rule,
});

const decisionOf = ({ action }: Found): Decision => (action === 'deny' ? 'deny' : 'allow');

/** Rules in order, the first that matches decides; undefined: none does, or it passes. */
const firstMatch = (
  answers: readonly Answer[],
): { readonly found: Found | undefined; readonly unknown: readonly Found[] } => {
  const unknown: Found[] = [];
  for (const answer of answers) {
    unknown.push(...answer.unknown);
    if (answer.found) return { found: answer.found, unknown };
  }
  return { found: undefined, unknown };
};

/** @param below what holds where no rule of the tier decides */
const settleTier = (answers: readonly Answer[], below: Settled): Settled => {
  const { found, unknown } = firstMatch(answers);
  const certain: Settled =
    found && found.action !== 'pass'
      ? { decision: decisionOf(found), by: byRule(found), doubts: [] }
      : below;
  const doubts = unknown.filter((each) =>
    each.action === 'pass'
      ? below.decision !== certain.decision || below.doubts.length > 0
      : decisionOf(each) !== certain.decision,
  );
  return { ...certain, doubts: [...doubts, ...certain.doubts] };
};

/** NetworkPolicies add up: one rule of any is enough. */
const settleNetworkPolicies = (
  policies: readonly Policy[],
  answers: readonly Answer[],
): Settled => {
  const found = answers.find((answer) => answer.found)?.found;
  if (found) return { decision: 'allow', by: byRule(found), doubts: [] };
  return {
    decision: 'deny',
    by: { kind: 'default-deny', policies },
    doubts: answers.flatMap(({ unknown }) => unknown),
  };
};

const OPEN: Settled = { decision: 'allow', by: { kind: 'not-isolated' }, doubts: [] };

const judgeBy = (
  policies: readonly Policy[],
  direction: PolicyDirection,
  asked: Asked,
): Verdict => {
  const tierOf = (tier: PolicyTier): readonly Policy[] =>
    policies.filter((policy) => policy.tier === tier);
  const answersOf = (some: readonly Policy[]): readonly Answer[] =>
    some.map((policy) => answerOf(policy, direction, asked));
  const [admin, middle, baseline] = [tierOf('admin'), tierOf('network-policy'), tierOf('baseline')];
  const above = answersOf(admin);
  const isolated = middle.length > 0;
  const lower = answersOf(isolated ? middle : baseline);
  const settled = settleTier(
    above,
    isolated ? settleNetworkPolicies(middle, lower) : settleTier(lower, OPEN),
  );
  // In a tier, policies behind the one that decides are not asked; a pass ends the tier too.
  const untilFound = (answers: readonly Answer[]): PolicyOutcome[] => {
    const last = answers.findIndex(({ found }) => found);
    return answers.map(({ outcome }, at) =>
      last < 0 || at <= last ? outcome : notAsked(outcome.policy),
    );
  };
  const top = firstMatch(above).found;
  const isDecided = top !== undefined && top.action !== 'pass';
  const outcomes = [
    ...untilFound(above),
    ...(isDecided || !isolated ? middle.map(notAsked) : lower.map(({ outcome }) => outcome)),
    ...(isDecided || isolated ? baseline.map(notAsked) : untilFound(lower)),
  ];
  const [doubt] = settled.doubts;
  return doubt
    ? { direction, decision: 'unknown', by: byRule(doubt), outcomes }
    : { direction, decision: settled.decision, by: settled.by, outcomes };
};

/**
 * @param policiesOf those that select a Pod in a direction, in order
 */
export const createJudge = (
  { pods }: PolicyCluster,
  parties: Parties,
  policiesOf: (pod: number, direction: PolicyDirection) => readonly Policy[],
): ((question: PolicyQuestion) => Verdict) => {
  const exemptionOf = (
    { direction, subject, peer: party }: PolicyQuestion,
    peer: Peer,
  ): Exemption | undefined => {
    const pod = pods[subject];
    if (!pod) throw new RangeError(`the cluster has no Pod ${subject}`);
    if (parties.isNodeTraffic(pod)) return 'host-network';
    if (party.kind === 'pod' && party.pod === subject) return 'self';
    const fromOwnNode =
      direction === 'ingress' &&
      peer.kind === 'node' &&
      peer.node !== undefined &&
      peer.node.name === pod.node;
    return fromOwnNode ? 'own-node' : undefined;
  };

  return (question) => {
    const { direction, subject, protocol, port } = question;
    const peer = parties.peerOf(question.peer, question.peerIp);
    const policies = policiesOf(subject, direction);
    const why = exemptionOf(question, peer);
    if (why)
      return {
        direction,
        decision: 'allow',
        by: { kind: 'exempt', why },
        outcomes: policies.map(notAsked),
      };
    const destination =
      direction === 'ingress' ? pods[subject] : peer.kind === 'pod' ? peer.pod : undefined;
    return judgeBy(policies, direction, {
      peer,
      protocol,
      port,
      containers: destination?.containers ?? [],
      namespaceLabels: parties.namespaceLabels,
    });
  };
};
