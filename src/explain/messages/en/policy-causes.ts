/** Why policies stop a packet, in English. */
import type { PolicyFacts } from '../../../trace/policies.ts';
import { list } from './phrases.ts';
import { decidingRow, isolating, peerText, policyNames, ruleText, trafficText } from './policy.ts';

/** Several policies isolate together: none of them denies alone. */
export const defaultDeny = (policy: PolicyFacts | undefined): string => {
  if (!policy) return 'NetworkPolicies isolate the Pod, and no rule of them admits the packet.';
  const rows = isolating(policy);
  const [verb, whose, how] =
    rows.length > 1 ? ['isolate', 'of them', ' together'] : ['isolates', 'of it', ''];
  return `${policyNames(rows)} ${verb} ${policy.pod} for ${policy.direction}${how}, and no rule ${whose} admits ${peerText(policy)} on ${trafficText(policy)}.`;
};

export const explicitDeny = (policy: PolicyFacts | undefined): string => {
  const row = policy && decidingRow(policy);
  if (!policy || !row?.rule) return 'A rule of a policy denies it.';
  const priority = row.priority === undefined ? '' : ` (priority ${row.priority})`;
  const way =
    policy.direction === 'ingress'
      ? `lets nothing from ${peerText(policy)} in`
      : `lets nothing out to ${peerText(policy)}`;
  return `${row.kind} ${row.name}${priority} denies it: ${ruleText(row.rule)}, for ${policy.pod}, ${way} on ${trafficText(policy)}.`;
};

/** A rule is about names, and the input does not say which addresses these have. */
export const undecided = (policy: PolicyFacts): string => {
  const row = decidingRow(policy);
  const which = row?.rule ? `${ruleText(row.rule)} of ${row.kind} ${row.name}` : 'a rule';
  const names = row?.rule?.peers.filter((peer) => peer.startsWith('domain names ')) ?? [];
  return `It depends on whether ${which}${names.length === 0 ? '' : ` (${list(names)})`} is about ${peerText(policy)}, and the input does not say which addresses these names have.`;
};
