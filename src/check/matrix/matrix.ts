/** Who may talk to whom, over all pairs: the published form (`kind: Matrix`). */
import type { Cluster } from '../../cluster/cluster.ts';

export interface Matrix {
  readonly apiVersion: 'k8snet/v1';
  readonly kind: 'Matrix';
  /** In order of id; blocks of addresses behind the workloads. */
  readonly peers: readonly MatrixPeer[];
  /** In order of (src, dst); pairs with nothing allowed, and a workload with itself, are left out. */
  readonly connections: readonly MatrixConnection[];
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
  readonly pods?: readonly string[];
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

export interface MatrixWarning {
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface MatrixOptions {
  /** Default: by workload. */
  readonly groupBy?: 'workload' | 'pod' | 'namespace' | undefined;
  readonly hostNetwork?: 'pods' | 'node' | undefined;
  readonly finished?: 'pods' | 'omit' | undefined;
}

/** Implemented in `all-pairs.ts`; streams where nobody needs the whole. */
export type MatrixOf = (cluster: Cluster, options?: MatrixOptions) => Matrix;
