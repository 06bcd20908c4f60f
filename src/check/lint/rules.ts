/** All rules of `k8snet lint`, in the order of its page. */
import type { LintRule } from './rule.ts';
import { blockHoldsPods } from './rules/block-holds-pods.ts';
import { blockInServiceRange } from './rules/block-in-service-range.ts';
import { dnsDenied } from './rules/dns-denied.ts';
import { hostPortClash } from './rules/host-port-clash.ts';
import { internalTrafficDropped } from './rules/internal-traffic-dropped.ts';
import { mtuTooLarge } from './rules/mtu-too-large.ts';
import { policyNotEnforced } from './rules/policy-not-enforced.ts';
import { policyPeerMatchesNobody } from './rules/policy-peer-matches-nobody.ts';
import { policyPortUnknown } from './rules/policy-port-unknown.ts';
import { policyRuleRedundant } from './rules/policy-rule-redundant.ts';
import { policyRuleUnreachable } from './rules/policy-rule-unreachable.ts';
import { policySelectsNothing } from './rules/policy-selects-nothing.ts';
import { policyShadowed } from './rules/policy-shadowed.ts';

export const RULES: readonly LintRule[] = [
  policySelectsNothing,
  policyPeerMatchesNobody,
  policyPortUnknown,
  policyShadowed,
  policyRuleUnreachable,
  policyRuleRedundant,
  dnsDenied,
  policyNotEnforced,
  blockInServiceRange,
  blockHoldsPods,
  hostPortClash,
  internalTrafficDropped,
  mtuTooLarge,
];
