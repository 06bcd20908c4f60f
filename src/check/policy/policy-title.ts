/** What a policy is called in a warning. */
import type { Policy } from '../../cluster/policy/policy.ts';

/** `NetworkPolicy shop/web`; `AdminNetworkPolicy quarantine`. */
export const policyTitle = ({
  kind,
  namespace,
  name,
}: Pick<Policy, 'kind' | 'namespace' | 'name'>): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
