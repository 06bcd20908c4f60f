/** What a change does: the published form of `k8snet diff` (`kind: Diff`). */
import type { MatrixWarning } from '../matrix/matrix.ts';
import type { BareChange, ConnectionChangeKind, SideName } from './change.ts';
import type { PathDiff } from './path-diff.ts';
import type { ConnectionWhy } from './why.ts';

export interface Diff {
  readonly apiVersion: 'k8snet/v1';
  readonly kind: 'Diff';
  readonly base: DiffSide;
  readonly head: DiffSide;
  readonly summary: DiffSummary;
  readonly peers: PeerChanges;
  /** By change, then in order of (src, dst). */
  readonly connections: readonly ConnectionChange[];
  /** Every path that was asked for or is expected, changed or not, in the order of asking. */
  readonly paths: readonly PathDiff[];
  readonly warnings: readonly DiffWarning[];
}

export interface DiffSide {
  /** As the command line has them. */
  readonly inputs: readonly string[];
  readonly peers: number;
  readonly connections: number;
}

export type DiffSummary = Readonly<Record<ConnectionChangeKind | 'unchanged', number>> & {
  readonly peersAdded: number;
  readonly peersRemoved: number;
  readonly pathsChanged: number;
  readonly pathsUnchanged: number;
};

export interface PeerChanges {
  /** Only HEAD has them: ids. */
  readonly added: readonly string[];
  /** Only BASE has them. */
  readonly removed: readonly string[];
  /** The same top controller under another id, e.g. a ReplicaSet of the next rollout. */
  readonly renamed: readonly { readonly base: string; readonly head: string }[];
  /** Whether policies isolate a peer of both sides, where that has changed. */
  readonly isolation: readonly IsolationChange[];
}

export interface IsolationChange {
  readonly id: string;
  readonly direction: 'ingress' | 'egress';
  /** Whether it is isolated on HEAD. */
  readonly isolated: boolean;
}

export interface ConnectionChange extends BareChange {
  /** What decided on either side, and what of the input is different; empty: not found. */
  readonly why: readonly ConnectionWhy[];
}

export interface DiffWarning extends MatrixWarning {
  /** Absent: of both. */
  readonly side?: SideName;
}
