/** The chain of Pods with equal policies: tier after tier, the first match decides. */
import type { Policy, PolicyRule } from '../../cluster/policy/policy.ts';
import { nftAddChain, nftAddRule } from '../../kernel/netfilter/nft-edit.ts';
import { findNftChain, type NftStatement } from '../../kernel/netfilter/nft-table.ts';
import { DROP, goTo, RETURN } from '../nft-rule.ts';
import {
  denyComment,
  denyOrigin,
  profileChains,
  profileComment,
  type RuleRef,
  ruleComment,
  ruleOrigin,
} from './policy-name.ts';
import type { Profile } from './profile.ts';
import { type PolicyNode, ruleConditions } from './rule-statements.ts';

/**
 * What is let through goes back to the base chain, where the other direction is judged too; `pass`
 * leads to what comes after the admin tier.
 */
const verdictOf = (action: PolicyRule['action'], pass: NftStatement): NftStatement => {
  switch (action) {
    case 'accept':
      return RETURN;
    case 'deny':
      return DROP;
    case 'pass':
      return pass;
    default: {
      const never: never = action;
      return never;
    }
  }
};

interface Step {
  readonly ref: RuleRef;
  readonly action: PolicyRule['action'];
  /** Something that comes after it may deny. */
  readonly decides: boolean;
}

const writeRule = (
  node: PolicyNode,
  chain: string,
  { ref, action, decides }: Step,
  pass: NftStatement,
): void => {
  const verdict = verdictOf(action, pass);
  for (const { statements, undecided } of ruleConditions(node, ref, decides))
    nftAddRule(node.table, chain, {
      statements: [...statements, verdict],
      comment: ruleComment(ref),
      origin: ruleOrigin(ref, undecided ? 'policy-undecided' : `policy-${action}`),
    });
};

/** Rules in order. @param denies what comes after them all may deny */
const stepsOf = (
  policies: readonly Policy[],
  { direction }: Profile,
  denies: boolean,
): readonly Step[] => {
  const rules = policies.flatMap((policy) =>
    (policy[direction] ?? []).map(({ action }, index) => ({
      ref: { policy, direction, index },
      action,
    })),
  );
  const last = rules.findLastIndex(({ action }) => action === 'deny');
  return rules.map((rule, at) => ({ ...rule, decides: denies || at < last }));
};

const writePolicies = (
  node: PolicyNode,
  chain: string,
  steps: readonly Step[],
  pass: NftStatement,
): void => {
  for (const step of steps) writeRule(node, chain, step, pass);
};

const restDenies = ({ isolating, baseline, direction }: Profile): boolean =>
  isolating.length > 0 ||
  baseline.some((policy) => policy[direction]?.some(({ action }) => action === 'deny'));

const passes = ({ admin, direction }: Profile): boolean =>
  admin.some((policy) => policy[direction]?.some(({ action }) => action === 'pass'));

/** What comes after the admin tier: NetworkPolicies, or else the baseline. */
const writeRest = (node: PolicyNode, chain: string, profile: Profile): void => {
  const { isolating, baseline } = profile;
  writePolicies(node, chain, stepsOf(isolating, profile, true), RETURN);
  if (isolating.length > 0)
    nftAddRule(node.table, chain, {
      statements: [DROP],
      comment: denyComment(profile),
      origin: denyOrigin(profile),
    });
  writePolicies(node, chain, stepsOf(baseline, profile, false), RETURN);
};

/** Writes the chain, unless another Pod of the node has it already; answers its name. */
export const writeProfile = (node: PolicyNode, profile: Profile): string => {
  const { table } = node;
  const { first, rest } = profileChains(profile);
  if (findNftChain(table, first)) return first;
  nftAddChain(table, { name: first, comment: profileComment(profile) });
  const apart = passes(profile) && profile.isolating.length + profile.baseline.length > 0;
  if (apart) {
    nftAddChain(table, { name: rest, comment: profileComment({ ...profile, admin: [] }) });
    writeRest(node, rest, profile);
  }
  const admin = stepsOf(profile.admin, profile, restDenies(profile));
  writePolicies(node, first, admin, apart ? goTo(rest) : RETURN);
  if (apart)
    nftAddRule(table, first, {
      statements: [goTo(rest)],
      origin: { by: 'policy', why: 'policy-dispatch' },
    });
  else writeRest(node, first, profile);
  return first;
};
