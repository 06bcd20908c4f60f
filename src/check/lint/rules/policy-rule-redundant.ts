/** A rule of a NetworkPolicy that admits nothing beyond another rule of the same policy. */

import { policyTitle } from '../../policy/policy-title.ts';
import { ruleCovers } from '../covers.ts';
import { type LintRule, policyRef } from '../rule.ts';

export const policyRuleRedundant: LintRule = {
  code: 'policy-rule-redundant',
  severity: 'info',
  title: 'A rule admits nothing beyond another of its policy',
  find: ({ cluster }) =>
    cluster.policies
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .flatMap((policy) =>
        (['ingress', 'egress'] as const).flatMap((direction) => {
          const rules = policy[direction] ?? [];
          const own = [policy.namespace, policy.namespace] as const;
          return rules.flatMap((rule, at) => {
            if (rule.peers.length === 0 || rule.ports.length === 0) return [];
            const other = rules.findIndex(
              (wide, before) =>
                before !== at &&
                ruleCovers(wide, rule, own) &&
                // Of two equal ones the first stays.
                (before < at || !ruleCovers(rule, wide, own)),
            );
            if (other < 0) return [];
            return [
              {
                place: rule.place ?? policy.place,
                objects: [policyRef(policy)],
                message: `${policyTitle(policy)}: ${direction}[${at}] admits nothing that ${direction}[${other}] does not admit`,
                fix: `Remove it; or, if it was to restrict, narrow ${direction}[${other}].`,
              },
            ];
          });
        }),
      ),
};
