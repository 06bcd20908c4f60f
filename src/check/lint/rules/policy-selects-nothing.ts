/** A policy whose selector no Pod of the input has. */
import type { Policy } from '../../../cluster/policy/policy.ts';
import { policyTitle } from '../../policy/policy-title.ts';
import { type LintContext, type LintRule, policyRef, someOf } from '../rule.ts';

/** Labels that Pods of the namespace have under the keys that the policy asks for. */
const seen = ({ subject }: Policy, { kinds }: LintContext, namespace?: string): string[] => [
  ...new Set(
    kinds
      .filter((kind) => namespace === undefined || kind.namespace === namespace)
      .flatMap(({ labels }) =>
        subject.pods.flatMap(({ key }) =>
          Object.hasOwn(labels, key) ? [`${key}=${labels[key]}`] : [],
        ),
      ),
  ),
];

export const policySelectsNothing: LintRule = {
  code: 'policy-selects-nothing',
  severity: 'warning',
  title: 'A policy selects no Pod',
  find: (context) => {
    const { cluster, kinds } = context;
    if (kinds.length === 0) return [];
    return cluster.policies.flatMap((policy) => {
      if (context.subjectsOf(policy).length > 0) return [];
      const { namespace, place } = policy;
      const isEmpty =
        namespace !== undefined && !kinds.some((kind) => kind.namespace === namespace);
      const labels = seen(policy, context, namespace);
      return [
        {
          place,
          objects: [policyRef(policy)],
          message: `${policyTitle(policy)} selects no Pod${isEmpty ? `: namespace ${namespace} has none` : ''}`,
          fix: isEmpty
            ? 'Give it the namespace of the Pods that it is meant for (metadata.namespace).'
            : labels.length > 0
              ? `Select labels that Pods have: ${someOf(labels)}.`
              : 'Select labels that Pods have, or remove the policy.',
        },
      ];
    });
  },
};
