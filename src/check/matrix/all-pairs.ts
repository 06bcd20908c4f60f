/** The whole matrix at once, and its connections one by one. */
import type { Cluster } from '../../cluster/cluster.ts';
import type { Matrix, MatrixConnection, MatrixOptions, MatrixView } from './matrix.ts';
import { openMatrix } from './open-matrix.ts';

/** In the order of the peers: by source, then by destination. */
export function* connectionsOf({ peers, rows }: MatrixView): Generator<MatrixConnection> {
  for (const { src, to } of rows())
    for (const { dst, allowed } of to)
      yield { src: peers[src]?.id ?? '', dst: peers[dst]?.id ?? '', allowed };
}

/** Sources and destinations, each once, in their order. */
export const peersOf = ({ peers, sources, destinations }: MatrixView): Matrix['peers'] => {
  const shown = new Set([...sources, ...destinations]);
  return shown.size === peers.length ? peers : peers.filter((_, at) => shown.has(at));
};

export const collect = (view: MatrixView): Matrix => ({
  apiVersion: 'k8snet/v1',
  kind: 'Matrix',
  peers: peersOf(view),
  connections: [...connectionsOf(view)],
  warnings: view.warnings,
});

/** What the policies of a cluster allow, over all pairs. */
export const matrixOf = (cluster: Cluster, options: MatrixOptions = {}): Matrix =>
  collect(openMatrix(cluster, options));
