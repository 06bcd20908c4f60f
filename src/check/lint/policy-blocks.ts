/** The address blocks that rules of policies name. */
import type { Policy, PolicyDirection, PolicyPeer } from '../../cluster/policy/policy.ts';
import { parseUserCidr } from '../../wire/parse-ip.ts';

type BlockPeer = Extract<PolicyPeer, { readonly kind: 'block' }>;

export interface PolicyBlock {
  readonly policy: Policy;
  readonly direction: PolicyDirection;
  /** The rule's index. */
  readonly at: number;
  readonly peer: BlockPeer;
  readonly block: NonNullable<ReturnType<typeof parseUserCidr>>;
}

const DIRECTIONS: readonly PolicyDirection[] = ['ingress', 'egress'];

/** In the order of the policies and their rules; what is no range of addresses is left out. */
export const policyBlocks = (policies: readonly Policy[]): PolicyBlock[] =>
  policies.flatMap((policy) =>
    DIRECTIONS.flatMap((direction) =>
      (policy[direction] ?? []).flatMap(({ peers }, at) =>
        peers === 'everyone'
          ? []
          : peers.flatMap((peer) => {
              const block = peer.kind === 'block' ? parseUserCidr(peer.cidr) : undefined;
              return peer.kind === 'block' && block ? [{ policy, direction, at, peer, block }] : [];
            }),
      ),
    ),
  );
