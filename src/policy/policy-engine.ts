/** The questions that policies answer: one connection with its reasons, and all pairs of classes. */
import type { Policy, PolicyDirection } from '../cluster/policy/policy.ts';
import type { PolicyQuestion, Verdict } from './verdict.ts';

export interface EngineOptions {
  /**
   * `node` (default): Pods on a node's network are not isolated, and are node traffic as peers.
   * `pods`: they are Pods as any other, as static analysers have it.
   */
  readonly hostNetwork?: 'pods' | 'node' | undefined;
  /** `omit` (default): Pods that have ended have no network. `pods`: they are kept. */
  readonly finished?: 'pods' | 'omit' | undefined;
}

/** Ports by protocol, as sorted intervals that do not touch; absent: none of the protocol. */
export interface ConnectionSet {
  readonly tcp?: readonly PortRange[];
  readonly udp?: readonly PortRange[];
  readonly sctp?: readonly PortRange[];
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Pods that no policy can tell apart: one namespace, labels, named ports and kind of address. */
export interface PodClass {
  readonly namespace: string;
  /** Indexes into `Cluster.pods`, ascending. */
  readonly pods: readonly number[];
  readonly isolated: Readonly<Record<PolicyDirection, boolean>>;
}

/** Addresses that no policy can tell apart and that no Pod or node of the input has. */
export interface AddressBlock {
  /** First and last, canonical, of one family. */
  readonly from: string;
  readonly to: string;
}

export interface PolicyEngine {
  readonly classes: readonly PodClass[];
  /** In order, IPv4 first; IPv6 only where a policy or a Pod has it. They cover everything. */
  readonly blocks: readonly AddressBlock[];
  /** Class of a Pod; undefined for one without a network. */
  classOf(pod: number): number | undefined;
  /** Policies that select the Pod and say something about the direction. */
  policiesOf(pod: number, direction: PolicyDirection): readonly Policy[];
  judge(question: PolicyQuestion): Verdict;
  /** What both sides' policies let through, for two different Pods of these classes. */
  between(from: number, to: number): ConnectionSet;
  /** From any address of a block to Pods of a class. */
  fromBlock(block: number, to: number): ConnectionSet;
  toBlock(from: number, block: number): ConnectionSet;
}
