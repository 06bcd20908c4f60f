/** A rule of a tier that is never reached: an earlier one has all that it matches. */
import type { Policy, PolicyRule } from '../../../cluster/policy/policy.ts';
import { policyTitle } from '../../policy/policy-title.ts';
import { ruleCovers, selectionCovers } from '../covers.ts';
import { type LintRule, policyRef } from '../rule.ts';

interface Place {
  readonly policy: Policy;
  readonly rule: PolicyRule;
  readonly at: number;
}

const isBefore = (a: Place, b: Place): boolean =>
  a.policy === b.policy ? a.at < b.at : (a.policy.priority ?? 0) < (b.policy.priority ?? 0);

export const policyRuleUnreachable: LintRule = {
  code: 'policy-rule-unreachable',
  severity: 'warning',
  title: 'A rule of a tier is never reached',
  find: ({ cluster }) =>
    (['admin', 'baseline'] as const).flatMap((tier) =>
      (['ingress', 'egress'] as const).flatMap((direction) => {
        const rules = cluster.policies
          .filter((policy) => policy.tier === tier)
          .flatMap((policy) => (policy[direction] ?? []).map((rule, at) => ({ policy, rule, at })));
        return rules.flatMap((one) => {
          if (one.rule.peers.length === 0 || one.rule.ports.length === 0) return [];
          const earlier = rules.find(
            (other) =>
              isBefore(other, one) &&
              selectionCovers(other.policy.subject, one.policy.subject, [undefined, undefined]) &&
              ruleCovers(other.rule, one.rule, [undefined, undefined]),
          );
          if (!earlier) return [];
          const { policy, rule, at } = one;
          const same = earlier.policy === policy;
          return [
            {
              place: rule.place ?? policy.place,
              objects: [policyRef(policy)],
              message: `${policyTitle(policy)}: ${direction}[${at}] is never reached: ${same ? '' : `${policyTitle(earlier.policy)}, `}${direction}[${earlier.at}] comes before it and has all that it matches`,
              fix: 'Put the narrower rule first, or remove it.',
            },
          ];
        });
      }),
    ),
};
