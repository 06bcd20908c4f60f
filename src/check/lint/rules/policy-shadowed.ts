/** A NetworkPolicy that changes nothing: others isolate its Pods and admit all that it admits. */
import type { Policy, PolicyDirection, PolicyRule } from '../../../cluster/policy/policy.ts';
import { policyTitle } from '../../policy/policy-title.ts';
import { ruleCovers, selectionCovers } from '../covers.ts';
import { type LintRule, policyRef, someOf } from '../rule.ts';

const DIRECTIONS: readonly PolicyDirection[] = ['ingress', 'egress'];

/** Others that say something about the direction for every Pod of the policy. */
const beside = (
  policy: Policy,
  direction: PolicyDirection,
  all: readonly Policy[],
): readonly Policy[] =>
  all.filter(
    (other) =>
      other !== policy &&
      other[direction] !== undefined &&
      selectionCovers(other.subject, policy.subject, [other.namespace, policy.namespace]),
  );

/** Those that admit what a rule admits; a rule that matches nothing needs none. */
const coveredBy = (
  rule: PolicyRule,
  policy: Policy,
  direction: PolicyDirection,
  others: readonly Policy[],
): Policy | undefined =>
  others.find((other) =>
    (other[direction] ?? []).some((wide) =>
      ruleCovers(wide, rule, [other.namespace, policy.namespace]),
    ),
  );

/** A default deny is there so that isolation hangs on no other policy: only its like makes it needless. */
const isBareDeny = ({ ingress = [], egress = [] }: Policy): boolean =>
  ingress.length + egress.length === 0;

/** The policies that make it needless; undefined: it changes something. */
const shadowsOf = (policy: Policy, all: readonly Policy[]): Policy[] | undefined => {
  const found = new Set<Policy>();
  const isBase = isBareDeny(policy);
  for (const direction of DIRECTIONS) {
    const rules = policy[direction];
    if (!rules) continue;
    const others = beside(policy, direction, all).filter((one) => !isBase || isBareDeny(one));
    const [first] = others;
    if (!first) return undefined;
    if (rules.length === 0) found.add(first);
    for (const rule of rules) {
      const other = coveredBy(rule, policy, direction, others);
      if (!other) return undefined;
      found.add(other);
    }
  }
  return [...found];
};

export const policyShadowed: LintRule = {
  code: 'policy-shadowed',
  severity: 'warning',
  title: 'A policy changes nothing, whatever Pods there are',
  find: ({ cluster }) => {
    const byNamespace = new Map<string, Policy[]>();
    for (const policy of cluster.policies)
      if (policy.kind === 'NetworkPolicy') {
        const namespace = policy.namespace ?? '';
        byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), policy]);
      }
    return [...byNamespace.values()].flatMap((all) => {
      // Of two that are equal one is needed: what is found first no longer counts.
      let left: readonly Policy[] = all;
      return all.toReversed().flatMap((policy) => {
        const shadows = shadowsOf(policy, left);
        if (!shadows || shadows.length === 0) return [];
        left = left.filter((one) => one !== policy);
        return [
          {
            place: policy.place,
            objects: [policyRef(policy)],
            message: `${policyTitle(policy)} changes nothing: ${someOf(shadows.map(policyTitle))} ${shadows.length === 1 ? 'isolates' : 'isolate'} the same Pods and ${shadows.length === 1 ? 'admits' : 'admit'} all that it admits`,
            fix: 'Remove it; or, if it was to restrict, narrow the others: policies only add up.',
          },
        ];
      });
    });
  },
};
