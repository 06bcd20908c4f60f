/** The questions that policies answer: one connection with its reasons, and all pairs of classes. */
import type { Policy, PolicyDirection } from '../cluster/policy/policy.ts';
import type { ConnectionSet } from './connection-set.ts';
import type { PolicyQuestion, Verdict } from './verdict.ts';

export type { ConnectionSet } from './connection-set.ts';
export type { PortRange } from './port-set.ts';

export interface EngineOptions {
  /**
   * `node` (default): Pods on a node's network are not isolated, and are node traffic as peers.
   * `pods`: they are Pods as any other, as static analysers have it.
   */
  readonly hostNetwork?: 'pods' | 'node' | undefined;
  /** `omit` (default): Pods that have ended have no network. `pods`: they are kept. */
  readonly finished?: 'pods' | 'omit' | undefined;
}

/** Pods that no policy can tell apart: one namespace, labels, named ports and kind of address. */
export interface PodClass {
  readonly namespace: string;
  /** Indexes into `Cluster.pods`, ascending. */
  readonly pods: readonly number[];
  /** By NetworkPolicies; the tiers isolate nobody. */
  readonly isolated: Readonly<Record<PolicyDirection, boolean>>;
  /** Pods on a node's network while that is node traffic: not isolated, and selected by no labels. */
  readonly nodeTraffic: boolean;
}

/** Addresses that no policy can tell apart and that no Pod or node of the input has. */
export interface AddressBlock {
  /** First and last, canonical, of one family. */
  readonly from: string;
  readonly to: string;
  readonly family: 4 | 6;
}

/** Classes and blocks that are told as one: the Pods of a workload or namespace, a range outside. */
export interface VertexGroup {
  /** Indexes into `PolicyEngine.classes`. A class may be in several groups. */
  readonly classes: readonly number[];
  /** Indexes into `PolicyEngine.blocks`. */
  readonly blocks: readonly number[];
}

/** One row of all pairs over groups. */
export interface GroupConnections {
  /** Index into the groups. */
  readonly from: number;
  /** In order of group; groups that nothing reaches are left out. */
  readonly to: readonly { readonly group: number; readonly connections: ConnectionSet }[];
}

/** A rule whose peers nobody knows offline (`domain-names`). What it may allow is left out of sets. */
export interface UndecidedRule {
  readonly policy: Policy;
  readonly direction: PolicyDirection;
  readonly rule: number;
}

/**
 * Equal ConnectionSets of one engine are one object, so that what is made of a set can be kept in a
 * Map by it. All pairs are computed when a member that needs them is first asked; `judge` and
 * `policiesOf` do without.
 *
 * Sets hold what is certainly allowed. They leave out what no policy has a say in: a Pod always
 * reaches itself, and a node the Pods on it (`judge` has both).
 */
export interface PolicyEngine {
  readonly classes: readonly PodClass[];
  /** In order, IPv4 first; IPv6 only where a policy or a Pod has it. They cover everything. */
  readonly blocks: readonly AddressBlock[];
  /** Rules that cannot be decided offline, of policies that select a Pod. */
  readonly undecided: readonly UndecidedRule[];
  /** Class of a Pod; undefined for one without a network. */
  classOf(pod: number): number | undefined;
  /** Policies that select the Pod and say something about the direction, in order of evaluation. */
  policiesOf(pod: number, direction: PolicyDirection): readonly Policy[];
  /** @throws {RangeError} for a Pod that the cluster has not */
  judge(question: PolicyQuestion): Verdict;
  /**
   * What both sides' policies let through, for two different Pods of these classes: the union over
   * the address families that both have.
   */
  between(from: number, to: number): ConnectionSet;
  /** From any address of a block to Pods of a class. */
  fromBlock(block: number, to: number): ConnectionSet;
  toBlock(from: number, block: number): ConnectionSet;
  /**
   * All pairs over groups, row by row in the order of groups: what some Pod (or address) of one
   * group may open to some Pod (or address) of another. A row is made when it is asked for and
   * costs what there are kinds of destinations, so 1,000 namespaces over 150,000 Pods take seconds,
   * and 15,000 workloads stream. Of a group to itself: between different Pods of it. Blocks say
   * nothing to blocks. Groups without members have no row.
   */
  unions(groups: readonly VertexGroup[]): Iterable<GroupConnections>;
}
