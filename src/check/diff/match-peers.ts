/** Which peer of one side is which of the other. */
import type { Cluster, Pod } from '../../cluster/cluster.ts';
import { compareText } from '../../cluster/order.ts';
import { topController } from '../../cluster/top-controller.ts';
import type { Matrix, MatrixPeer } from '../matrix/matrix.ts';

export interface MatchedSide {
  readonly matrix: Pick<Matrix, 'peers'>;
  readonly cluster: Pick<Cluster, 'pods'>;
}

export interface PeerMatch {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly renamed: readonly { readonly base: string; readonly head: string }[];
}

/** Peers by what would be the same on the other side. */
const byController = (
  { cluster }: MatchedSide,
  peers: readonly MatrixPeer[],
): Map<string, MatrixPeer[]> => {
  const wanted = new Set(peers.flatMap(({ namespace, pods = [] }) => `${namespace}/${pods[0]}`));
  const pods = new Map<string, Pod>();
  for (const pod of cluster.pods) {
    const name = `${pod.namespace}/${pod.name}`;
    if (wanted.has(name)) pods.set(name, pod);
  }
  const found = new Map<string, MatrixPeer[]>();
  for (const peer of peers) {
    const pod = pods.get(`${peer.namespace}/${peer.pods?.[0]}`);
    const top = pod && topController(pod);
    if (top === undefined) continue;
    // A Pod of a controller is one of several that are alike; a workload is itself.
    const key = `${peer.kind === 'Pod' ? 'Pod of ' : ''}${top}`;
    const same = found.get(key);
    if (same) same.push(peer);
    else found.set(key, [peer]);
  }
  return found;
};

/**
 * Peers of the same id are the same. Of the others those are that one top controller made, where
 * each side has one of it; Pods of one controller, which are alike, go in order of name.
 * @param by `id`: only what is called the same is the same
 */
export const matchPeers = (
  base: MatchedSide,
  head: MatchedSide,
  by: 'workload' | 'id' = 'workload',
): PeerMatch => {
  const others = (side: MatchedSide, of: MatchedSide): MatrixPeer[] => {
    const known = new Set(of.matrix.peers.map(({ id }) => id));
    return side.matrix.peers.filter(
      ({ id, namespace }) => namespace !== undefined && !known.has(id),
    );
  };
  const removed = others(base, head);
  const added = others(head, base);
  const renamed: { base: string; head: string }[] = [];
  if (by === 'workload' && removed.length > 0 && added.length > 0) {
    const now = byController(head, added);
    for (const [key, before] of byController(base, removed)) {
      const after = now.get(key) ?? [];
      const alike = before.every(({ kind }) => kind === 'Pod');
      if (!alike && (before.length > 1 || after.length > 1)) continue;
      before.forEach(({ id }, at) => {
        const other = after[at];
        if (other) renamed.push({ base: id, head: other.id });
      });
    }
  }
  const was = new Set(renamed.map((one) => one.base));
  const is = new Set(renamed.map((one) => one.head));
  return {
    added: added.flatMap(({ id }) => (is.has(id) ? [] : [id])).sort(compareText),
    removed: removed.flatMap(({ id }) => (was.has(id) ? [] : [id])).sort(compareText),
    renamed: renamed.sort((a, b) => compareText(a.head, b.head)),
  };
};
