/** Routing policy rules (fib_nl_newrule and fib_nl_delrule, net/core/fib_rules.c). */

import type { FibRule } from '../fib.ts';
import { rulesChanged } from '../fib-index.ts';
import type { Origin } from '../origin.ts';
import type { Netns } from '../world.ts';
import { NetlinkError } from './error.ts';

export type RuleSpec = Omit<FibRule, 'priority' | 'origin'> & {
  /** Absent: one less than the second rule's, as the kernel picks it. */
  readonly priority?: number;
};

/** fib_default_rule_pref. */
const defaultPriority = ({ rules }: Netns): number => {
  const second = rules[1]?.priority;
  return second ? second - 1 : 0;
};

/** Selectors that match everything are as good as absent: iproute2 leaves `from all` out. */
const anywhere = (cidr: string | undefined): string | undefined =>
  cidr === '0.0.0.0/0' ? undefined : cidr;

/** fib4_rule_compare: a prefix that is not asked for is not compared. */
const sameAddresses = (rule: RuleSpec, wanted: Pick<RuleSpec, 'from' | 'to'>): boolean =>
  (anywhere(wanted.from) === undefined || wanted.from === rule.from) &&
  (anywhere(wanted.to) === undefined || wanted.to === rule.to);

/** rule_exists (net/core/fib_rules.c). */
const sameSelectors = (a: RuleSpec, b: RuleSpec): boolean =>
  sameAddresses(a, b) &&
  a.iif === b.iif &&
  a.oif === b.oif &&
  a.fwmark?.mark === b.fwmark?.mark &&
  a.fwmark?.mask === b.fwmark?.mask &&
  a.action.kind === b.action.kind &&
  (a.action.kind !== 'table' || b.action.kind !== 'table' || a.action.table === b.action.table);

/**
 * `ip rule add`: behind the rules of the same priority.
 * @throws {NetlinkError} EEXIST for a rule that is there already
 */
export const ruleAdd = (netns: Netns, spec: RuleSpec, origin?: Origin): FibRule => {
  const rule: FibRule = {
    ...spec,
    priority: spec.priority ?? defaultPriority(netns),
    ...(origin && { origin }),
  };
  const { rules } = netns;
  if (rules.some((other) => other.priority === rule.priority && sameSelectors(other, rule)))
    throw new NetlinkError('EEXIST');
  const at = rules.findIndex(({ priority }) => priority > rule.priority);
  rules.splice(at < 0 ? rules.length : at, 0, rule);
  rulesChanged(netns);
  return rule;
};

/** What `ip rule del` matches by; what is absent matches anything. */
export type RuleSelector = Partial<Omit<FibRule, 'origin'>>;

const matches = (rule: FibRule, wanted: RuleSelector): boolean =>
  (wanted.priority === undefined || wanted.priority === rule.priority) &&
  sameAddresses(rule, wanted) &&
  (wanted.iif === undefined || wanted.iif === rule.iif) &&
  (wanted.oif === undefined || wanted.oif === rule.oif) &&
  (wanted.fwmark === undefined ||
    (wanted.fwmark.mark === rule.fwmark?.mark && wanted.fwmark.mask === rule.fwmark.mask)) &&
  (wanted.action === undefined ||
    (wanted.action.kind === rule.action.kind &&
      (wanted.action.kind !== 'table' ||
        rule.action.kind !== 'table' ||
        wanted.action.table === rule.action.table)));

/** `ip rule del`: takes the first rule that matches. @throws {NetlinkError} ENOENT */
export const ruleDel = (netns: Netns, wanted: RuleSelector): FibRule => {
  const at = netns.rules.findIndex((rule) => matches(rule, wanted));
  const [gone] = at < 0 ? [] : netns.rules.splice(at, 1);
  if (!gone) throw new NetlinkError('ENOENT');
  rulesChanged(netns);
  return gone;
};
