/** Two clusters → what is different between them. */
import type { Cluster } from '../../cluster/cluster.ts';
import { compareText } from '../../cluster/order.ts';
import { collect } from '../matrix/all-pairs.ts';
import type { Matrix, MatrixOptions } from '../matrix/matrix.ts';
import { type OpenedMatrix, openMatrix } from '../matrix/open-matrix.ts';
import type { ConnectionChangeKind, SideName } from './change.ts';
import { compareConnections } from './connections.ts';
import type { ConnectionChange, Diff, DiffWarning, IsolationChange } from './diff.ts';
import { matchPeers, type PeerMatch } from './match-peers.ts';
import type { PathDiff } from './path-diff.ts';
import { type WhySide, whyOf } from './why.ts';

export interface DiffedSide {
  /** As the command line has them. */
  readonly inputs: readonly string[];
  readonly cluster: Cluster;
}

export interface DiffOptions extends MatrixOptions {
  /** `id`: only peers that are called the same are the same. Default: by their top controllers. */
  readonly match?: 'workload' | 'id' | undefined;
}

const DIRECTIONS = ['ingress', 'egress'] as const;

export const CHANGE_KINDS: readonly ConnectionChangeKind[] = [
  'opened',
  'closed',
  'changed',
  'added',
  'removed',
];

const isolationOf = (
  base: Matrix,
  head: Matrix,
  renamed: ReadonlyMap<string, string>,
): IsolationChange[] => {
  const before = new Map(base.peers.map(({ id, isolated }) => [renamed.get(id) ?? id, isolated]));
  return head.peers.flatMap(({ id, isolated }) => {
    const was = before.get(id);
    if (!was || !isolated) return [];
    return DIRECTIONS.flatMap((direction) =>
      was[direction] === isolated[direction]
        ? []
        : [{ id, direction, isolated: isolated[direction] }],
    );
  });
};

/** Each warning once; one of both sides belongs to neither. */
const warningsOf = (base: Matrix, head: Matrix, more: readonly DiffWarning[]): DiffWarning[] => {
  const key = ({ code, message }: DiffWarning): string => `${code} ${message}`;
  const both = new Set(base.warnings.map(key));
  const ofHead = new Set(head.warnings.map(key));
  return [
    ...base.warnings.map(
      (one): DiffWarning => (ofHead.has(key(one)) ? one : { ...one, side: 'base' }),
    ),
    ...head.warnings.flatMap((one): DiffWarning[] =>
      both.has(key(one)) ? [] : [{ ...one, side: 'head' }],
    ),
    ...more,
  ];
};

/** Pods of a peer by its id on HEAD. */
const whySide = (
  { cluster, engine, groups }: OpenedMatrix,
  idOf: (id: string) => string,
): WhySide => {
  const pods = new Map(groups.map((group) => [idOf(group.peer.id), group.pods]));
  return { cluster, engine, podsOf: (id) => pods.get(id) ?? [] };
};

const connectionsOf = (
  opened: Readonly<Record<SideName, OpenedMatrix>>,
  base: Matrix,
  head: Matrix,
  { renamed }: PeerMatch,
) => {
  const names = new Map(renamed.map((one) => [one.base, one.head]));
  const { changes, unchanged, oneSided } = compareConnections(base, head, names);
  const why = whyOf({
    base: whySide(opened.base, (id) => names.get(id) ?? id),
    head: whySide(opened.head, (id) => id),
  });
  const told = CHANGE_KINDS.flatMap((kind) =>
    changes
      .filter(({ change }) => change === kind)
      .map((change): ConnectionChange => ({ ...change, why: why(change) })),
  );
  const warnings = oneSided.map(
    ({ family, side }): DiffWarning => ({
      code: 'one-sided-family',
      message: `only ${side === 'base' ? 'BASE' : 'HEAD'} has IPv${family} addresses in policies or Pods; blocks of IPv${family} are not compared`,
      side,
    }),
  );
  return { told, unchanged, warnings, isolation: isolationOf(base, head, names) };
};

/**
 * What of the connections is different. Reasons are looked for with the engines of both sides.
 * @param paths compared before
 */
export const diffOf = (
  base: DiffedSide,
  head: DiffedSide,
  { match, ...options }: DiffOptions = {},
  paths: readonly PathDiff[] = [],
): Diff => {
  const opened = {
    base: openMatrix(base.cluster, options),
    head: openMatrix(head.cluster, options),
  };
  const [was, is] = [collect(opened.base), collect(opened.head)];
  const peers = matchPeers(
    { matrix: was, cluster: base.cluster },
    { matrix: is, cluster: head.cluster },
    match,
  );
  const { told, unchanged, warnings, isolation } = connectionsOf(opened, was, is, peers);
  const count = (kind: ConnectionChangeKind): number =>
    told.filter(({ change }) => change === kind).length;
  const pathsChanged = paths.filter(({ changes }) => changes.length > 0).length;
  return {
    apiVersion: 'k8snet/v1',
    kind: 'Diff',
    base: sideOf(base, was),
    head: sideOf(head, is),
    summary: {
      opened: count('opened'),
      closed: count('closed'),
      changed: count('changed'),
      added: count('added'),
      removed: count('removed'),
      unchanged,
      peersAdded: peers.added.length,
      peersRemoved: peers.removed.length,
      pathsChanged,
      pathsUnchanged: paths.length - pathsChanged,
    },
    peers: {
      ...peers,
      isolation: isolation.sort(
        (a, b) => compareText(a.id, b.id) || compareText(a.direction, b.direction),
      ),
    },
    connections: told,
    paths,
    warnings: warningsOf(was, is, warnings),
  };
};

const sideOf = ({ inputs }: DiffedSide, { peers, connections }: Matrix): Diff['base'] => ({
  inputs,
  peers: peers.length,
  connections: connections.length,
});
