/** Names of Pods that stay when their workload is rolled out anew or when its template is edited. */
import type { Cluster } from '../../cluster/cluster.ts';
import { topController } from '../../cluster/top-controller.ts';

/**
 * By `namespace/name`: `shop/web[Deployment] 2`, the second Pod that the controller has. Pods that
 * nobody made, and those of a StatefulSet, are called the same anyway and are not in it.
 */
export const lastingNames = ({ pods }: Pick<Cluster, 'pods'>): ReadonlyMap<string, string> => {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const pod of pods) {
    const top = topController(pod);
    if (top === undefined || top.endsWith('[StatefulSet]')) continue;
    const count = (counts.get(top) ?? 0) + 1;
    counts.set(top, count);
    names.set(`${pod.namespace}/${pod.name}`, `${top} ${count}`);
  }
  return names;
};
