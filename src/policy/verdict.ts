/** What policies say about one connection in one direction, with every reason. */
import type { Policy, PolicyDirection, PolicyTier } from '../cluster/policy/policy.ts';

/** One end of a connection as a policy sees it. */
export type Party =
  /** Index into `Cluster.pods`. */
  | { readonly kind: 'pod'; readonly pod: number }
  /** A node, or a Pod on a node's network while that is node traffic. */
  | { readonly kind: 'node'; readonly node: string }
  /** Canonical, either family. */
  | { readonly kind: 'address'; readonly ip: string };

export type PolicyProtocol = 'tcp' | 'udp' | 'sctp' | 'icmp';

export interface PolicyQuestion {
  readonly direction: PolicyDirection;
  /** The Pod whose policies are asked: the source for egress, the destination for ingress. */
  readonly subject: number;
  readonly peer: Party;
  /**
   * The address of the peer that the packet carries: what blocks are held against. Absent: the
   * peer's own, of a Pod with two the primary one. Selectors look at the peer, whatever it carries.
   */
  readonly peerIp?: string | undefined;
  readonly protocol: PolicyProtocol;
  /** Of the destination, after DNAT; absent: an echo. */
  readonly port?: number | undefined;
}

export interface Verdict {
  readonly direction: PolicyDirection;
  /** `unknown`: a rule that decides cannot be decided offline (`domain-names`). */
  readonly decision: 'allow' | 'deny' | 'unknown';
  readonly by:
    | { readonly kind: 'exempt'; readonly why: Exemption }
    /** No policy isolates the Pod, and no rule of a tier matches. */
    | { readonly kind: 'not-isolated' }
    /** A rule admits, denies, or cannot be decided. */
    | {
        readonly kind: 'rule';
        readonly tier: PolicyTier;
        readonly policy: Policy;
        readonly rule: number;
      }
    /** NetworkPolicies isolate the Pod, and no rule of any admits: they do it together. */
    | { readonly kind: 'default-deny'; readonly policies: readonly Policy[] };
  /** Every policy that selects the Pod in this direction, in the order of evaluation. */
  readonly outcomes: readonly PolicyOutcome[];
}

export type Exemption =
  /** A Pod to its own address. */
  | 'self'
  /** The node on which the Pod is (kubelet's probes). */
  | 'own-node'
  /** The Pod is on its node's network. */
  | 'host-network';

export interface PolicyOutcome {
  readonly policy: Policy;
  readonly outcome:
    | 'accepts'
    | 'denies'
    | 'passes'
    /** No rule of it matches. */
    | 'silent'
    | 'unknown'
    /** An earlier tier or policy had decided. */
    | 'not-asked';
  /** The rule that matched, from 0. */
  readonly rule?: number;
  /** Rules that did not match, up to the one that did. */
  readonly misses: readonly RuleMiss[];
}

/** Why a rule does not match: what of it would have to change. */
export interface RuleMiss {
  readonly rule: number;
  readonly peer: boolean;
  readonly port: boolean;
  /** The closest of its peers and ports, by index; absent: it has none, or it matched. */
  readonly nearestPeer?: number;
  readonly nearestPort?: number;
}
