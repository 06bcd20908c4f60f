/** The words of a matrix that is shown to people. */

export interface MatrixCounts {
  readonly groupBy: 'workload' | 'pod' | 'namespace';
  /** Peers that are Pods. */
  readonly inside: number;
  readonly blocks: number;
  /** Pairs of peers, and those of them between which something is allowed. */
  readonly pairs: number;
  readonly connected: number;
}

export interface MatrixWords {
  /** Every port of every protocol. */
  readonly all: string;
  readonly nothing: string;
  readonly everything: string;
  readonly everythingElse: string;
  readonly from: string;
  readonly to: string;
  /** Above what a source may send; above what comes to a destination. */
  readonly fromHead: string;
  readonly toHead: string;
  readonly counts: (counts: MatrixCounts) => string;
  readonly legend: { readonly none: string; readonly all: string; readonly self: string };
  readonly portsAreTcp: string;
  readonly rowsToColumns: string;
  /** Below the picture. */
  readonly picture: string;
  readonly title: (cluster: string) => string;
  readonly tooManyForPicture: {
    readonly message: (peers: number) => string;
    readonly hint: string;
  };
  readonly columns: string;
  readonly more: (count: number) => string;
  readonly open: (direction: 'ingress' | 'egress') => string;
  readonly allIsolated: string;
  readonly noPolicies: string;
  readonly exposure: {
    readonly head: string;
    readonly nobody: string;
    readonly notReached: string;
    readonly from: { readonly outside: string; readonly 'every-namespace': string };
    readonly notIsolated: string;
    readonly rule: (policy: string, rule: number) => string;
  };
  readonly paths: {
    readonly head: string;
    readonly asAllowed: (ok: number, of: number) => string;
    readonly cutOff: string;
    readonly leak: string;
    readonly unsure: string;
  };
}
