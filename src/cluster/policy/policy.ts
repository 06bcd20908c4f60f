/** Policies as they are written, of every kind, in one shape: what `src/policy` judges by. */
import type { Place } from '../place.ts';
import type { Selector } from '../selector.ts';

export type PolicyKind =
  | 'NetworkPolicy'
  | 'AdminNetworkPolicy'
  | 'BaselineAdminNetworkPolicy'
  | 'ClusterNetworkPolicy';

/** In the order in which they are asked: the admin tier, NetworkPolicies, the baseline tier. */
export type PolicyTier = 'admin' | 'network-policy' | 'baseline';

export type PolicyDirection = 'ingress' | 'egress';

export interface Policy {
  readonly kind: PolicyKind;
  readonly tier: PolicyTier;
  /** Only of a NetworkPolicy. */
  readonly namespace?: string;
  readonly name: string;
  /** Of the admin and baseline tiers: the lowest is asked first. */
  readonly priority?: number;
  /** The Pods that it is about. */
  readonly subject: PodSelection;
  /**
   * Absent: it says nothing about the direction. Present in a NetworkPolicy, with no rules too: the
   * subjects are isolated in that direction.
   */
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
  readonly place?: Place;
}

/** Pods of namespaces. `own`: the policy's namespace. An empty selector: all. */
export interface PodSelection {
  readonly namespaces: Selector | 'own';
  readonly pods: Selector;
}

export interface PolicyRule {
  /** A NetworkPolicy has only `accept`. */
  readonly action: 'accept' | 'deny' | 'pass';
  /** Only of the tiers. */
  readonly name?: string;
  /** An empty list: nobody; nothing of what is written could be read. */
  readonly peers: readonly PolicyPeer[] | 'everyone';
  /** An empty list: none; nothing of what is written could be read. */
  readonly ports: readonly PolicyPort[] | 'all';
  readonly place?: Place;
}

export type PolicyPeer = { readonly place?: Place } & (
  | ({ readonly kind: 'pods' } & PodSelection)
  /** Canonical CIDRs of either family. ipBlock of a NetworkPolicy; `networks` of the tiers, no `except`. */
  | { readonly kind: 'block'; readonly cidr: string; readonly except: readonly string[] }
  /** Only of egress rules of the tiers. */
  | { readonly kind: 'nodes'; readonly nodes: Selector }
  | { readonly kind: 'domain-names'; readonly names: readonly string[] }
);

export interface PolicyPort {
  /** `any`: a port name of AdminNetworkPolicy, which has no protocol of its own. */
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'any';
  /** A number, or the name of a container port; absent: every port of the protocol. */
  readonly port?: number | string;
  /** Inclusive; only with a number. */
  readonly endPort?: number;
  readonly place?: Place;
}
