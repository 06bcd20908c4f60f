/** Who may talk to whom, over all pairs: the published form (`kind: Matrix`). */
import type { CauseCode, Disposition, Symptom } from '../../trace/trace.ts';

export interface Matrix {
  readonly apiVersion: 'k8snet/v1';
  readonly kind: 'Matrix';
  /** Workloads in order of id, then `{ingress-controller}`, then blocks of addresses. */
  readonly peers: readonly MatrixPeer[];
  /**
   * In the order of the peers, by source and then by destination; pairs with nothing allowed, and a
   * workload or Pod with itself, are left out.
   */
  readonly connections: readonly MatrixConnection[];
  /** Only with `--exposure`: what is reachable from everywhere, in the order of the peers. */
  readonly exposure?: readonly Exposure[];
  /** Only with `--path`: what became of packets between representative Pods. */
  readonly paths?: readonly MatrixPath[];
  readonly warnings: readonly MatrixWarning[];
}

export interface MatrixPeer {
  /**
   * `ns/name[Kind]` of the direct controller as the input shows it; `namespace:NAME` with
   * `--group-by namespace`; `ipblock:FIRST-LAST`; `{ingress-controller}`.
   */
  readonly id: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly kind?: string;
  /** Names, in the order of the cluster's Pods. */
  readonly pods?: readonly string[];
  /** Whether NetworkPolicies isolate every Pod of it. */
  readonly isolated?: { readonly ingress: boolean; readonly egress: boolean };
}

export interface MatrixConnection {
  readonly src: string;
  readonly dst: string;
  readonly allowed: readonly AllowedPorts[];
}

export interface AllowedPorts {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  /** `80-90,443`; `1-65535`: all. */
  readonly ports: string;
}

export interface Exposure {
  /** Id of the peer that is reached. */
  readonly peer: string;
  /**
   * `outside`: any address of any block. `every-namespace`: a Pod without labels, in a namespace
   * that no policy knows.
   */
  readonly from: 'outside' | 'every-namespace';
  readonly allowed: readonly AllowedPorts[];
  /** What lets them through: no policy at all, or rules. */
  readonly because: readonly ExposureReason[];
}

export type ExposureReason =
  | { readonly kind: 'not-isolated' }
  | {
      readonly kind: 'rule';
      /** Kind, namespace and name of the policy. */
      readonly policy: {
        readonly kind: string;
        readonly namespace?: string;
        readonly name: string;
      };
      /** From 0, of its ingress rules. */
      readonly rule: number;
      readonly file?: string;
      readonly line?: number;
      readonly column?: number;
    };

export interface MatrixPath {
  readonly src: string;
  readonly dst: string;
  /** `namespace/name`, or `external`. */
  readonly from: string;
  readonly to: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  /** What the policies say. */
  readonly allowed: boolean;
  /** What becomes of the packet, as a trace tells it. */
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  readonly cause?: CauseCode;
}

export interface MatrixWarning {
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export type GroupBy = 'workload' | 'pod' | 'namespace';

export interface MatrixOptions {
  /** Default: by workload. */
  readonly groupBy?: GroupBy | undefined;
  readonly hostNetwork?: 'pods' | 'node' | undefined;
  readonly finished?: 'pods' | 'omit' | undefined;
}

/** What one peer may send to the others. */
export interface MatrixRow {
  /** Number of the peer. */
  readonly src: number;
  /** Ascending; peers to which nothing is allowed are left out. Arrays of equal ports are one object. */
  readonly to: readonly { readonly dst: number; readonly allowed: readonly AllowedPorts[] }[];
  /** What Pods such as its own may send to each other, whether there are two of them or not. */
  readonly self: readonly AllowedPorts[];
}

/** A matrix whose rows are computed while they are read. */
export interface MatrixView {
  readonly peers: readonly MatrixPeer[];
  /** Which of the peers are sources, and which are destinations; ascending. */
  readonly sources: readonly number[];
  readonly destinations: readonly number[];
  /** One for each source that may send anything, or might to its own kind; in order. */
  rows(): Iterable<MatrixRow>;
  readonly warnings: readonly MatrixWarning[];
}
