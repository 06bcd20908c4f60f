/**
 * What the controller of Ingresses reaches: their backends, as far as policies let in a Pod of which
 * nothing is known. Which Pod the controller is, no Ingress says.
 */
import type { Cluster } from '../../cluster/cluster.ts';
import {
  type ConnectionSet,
  intersectionOf,
  isEmpty,
  unionOf,
} from '../../policy/connection-set.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import type { PodGroup } from './groups.ts';
import { ingressTargets } from './ingress-backends.ts';
import type { MatrixWarning } from './matrix.ts';

export interface ControllerRow {
  /** By number of the group, in order; none is empty. */
  readonly row: ReadonlyMap<number, ConnectionSet>;
  readonly warnings: readonly MatrixWarning[];
}

/** @param stranger the class of a Pod that no policy knows */
export const controllerRow = (
  cluster: Cluster,
  engine: PolicyEngine,
  groups: readonly PodGroup[],
  stranger: number | undefined,
): ControllerRow => {
  const row = new Map<number, ConnectionSet>();
  const { ports, warnings } = ingressTargets(cluster);
  if (stranger === undefined || ports.size === 0) return { row, warnings };
  const blocked: MatrixWarning[] = [];
  for (const [at, { peer, pods }] of groups.entries()) {
    let isBackend = false;
    let sum: ConnectionSet = {};
    for (const pod of pods) {
      const wanted = ports.get(pod);
      const of = engine.classOf(pod);
      if (!wanted || of === undefined) continue;
      isBackend = true;
      sum = unionOf(sum, intersectionOf(engine.between(stranger, of), wanted));
    }
    if (!isEmpty(sum)) row.set(at, sum);
    else if (isBackend)
      blocked.push({
        code: 'ingress-blocked',
        message: `an Ingress sends to ${peer.id}, and policies let no unknown Pod in: whether its controller gets there depends on which Pod that is`,
      });
  }
  return { row, warnings: [...warnings, ...blocked] };
};
