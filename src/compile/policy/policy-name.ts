/** What chains, sets and rules of the table of policies are called, and on whose behalf they are there. */
import type { Policy, PolicyDirection, PolicyKind } from '../../cluster/policy/policy.ts';
import type { Origin, OriginWhy } from '../../kernel/origin.ts';
import { sha256Base32 } from '../digest.ts';
import type { Profile } from './profile.ts';

/** Less than NFT_NAME_MAXLEN, with room for what is put behind it. */
const LONGEST_NAME = 200;
/** NFTNL_UDATA_COMMENT_MAXLEN, with room for what is put behind it. */
const LONGEST_COMMENT = 128;

const SHORT: Readonly<Record<PolicyKind, string>> = {
  NetworkPolicy: 'np',
  AdminNetworkPolicy: 'anp',
  BaselineAdminNetworkPolicy: 'banp',
  ClusterNetworkPolicy: 'cnp',
};

const cut = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest - 3)}...` : text;

/** `shop/web`; of the cluster's own policies, the name alone. */
const title = ({ namespace, name }: Policy): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

const identity = (policy: Policy): string => `${SHORT[policy.kind]}/${title(policy)}`;

/** One rule of a policy. */
export interface RuleRef {
  readonly policy: Policy;
  readonly direction: PolicyDirection;
  /** From 0. */
  readonly index: number;
}

/** `shop/web ingress[0]`; another kind than NetworkPolicy is named too. */
export const ruleComment = ({ policy, direction, index }: RuleRef): string => {
  const kind = policy.kind === 'NetworkPolicy' ? '' : `${policy.kind} `;
  const rule = ` ${direction}[${index}]`;
  return `${cut(`${kind}${title(policy)}`, LONGEST_COMMENT - rule.length)}${rule}`;
};

/** Names all that isolate together. */
export const denyComment = ({ direction, isolating }: Profile): string =>
  cut(`${direction} default deny: ${isolating.map(title).join(', ')}`, LONGEST_COMMENT);

/** A set that belongs to a rule: `np/shop/web-egress-0-pods-ip4`. */
export const setName = ({ policy, direction, index }: RuleRef, what: string): string => {
  const text = identity(policy);
  const short =
    text.length > LONGEST_NAME
      ? `${text.slice(0, LONGEST_NAME - 12)}...${sha256Base32(text, 8)}`
      : text;
  return `${short}-${direction}-${index}-${what}`;
};

export interface ProfileChains {
  readonly first: string;
  /** Where a rule leads that passes. */
  readonly rest: string;
}

/** Two Pods with the same policies get the same names. */
export const profileChains = ({ direction, ...policies }: Profile): ProfileChains => {
  const all = [...policies.admin, ...policies.isolating, ...policies.baseline];
  const hash = sha256Base32(`${direction} ${all.map(identity).join(' ')}`, 8);
  return { first: `${direction}-${hash}`, rest: `${direction}-${hash}-after-pass` };
};

/** What a chain is about, for people. */
export const profileComment = ({ admin, isolating, baseline }: Profile): string =>
  cut([...admin, ...isolating, ...baseline].map(title).join(', '), LONGEST_COMMENT);

/** Of what a rule brings: where it stands, or else its policy. */
export const ruleOrigin = ({ policy, direction, index }: RuleRef, why: OriginWhy): Origin => {
  const place = policy[direction]?.[index]?.place ?? policy.place;
  return {
    by: 'policy',
    why,
    object: objectOf(policy, `spec.${direction}[${index}]`),
    ...(place && { at: place }),
  };
};

const objectOf = ({ kind, namespace, name }: Policy, field: string): Origin['object'] & object =>
  namespace === undefined ? { kind, name, field } : { kind, namespace, name, field };

/** Of what several policies bring together: the first of them stands for all. */
export const denyOrigin = ({ direction, isolating }: Profile): Origin => {
  const why = `policy-${direction}-default-deny` as const;
  const [first] = isolating;
  return first
    ? {
        by: 'policy',
        why,
        object: objectOf(first, `spec.${direction}`),
        ...(first.place && { at: first.place }),
      }
    : { by: 'policy', why };
};
