/**
 * A Pod of which nothing is known: what an Ingress controller is whose Pod the input does not name,
 * and who "every namespace" is. Only rules that admit whoever comes admit it.
 */
import type { Cluster, Pod } from '../../cluster/cluster.ts';

/** No object can be called that. */
const NAMESPACE = '{stranger}';

const stranger: Pod = {
  namespace: NAMESPACE,
  name: NAMESPACE,
  hostNetwork: false,
  phase: 'Running',
  ready: true,
  labels: {},
  containers: [{ name: 'app', sidecar: false, ports: [] }],
  owners: [],
  ordinal: 0,
  invented: { name: true, ip: true, node: true },
  listeners: { rows: [], unlisted: 'unknown' },
};

/** The cluster with one more Pod, its last one. */
export const withStranger = (cluster: Cluster): Cluster => ({
  ...cluster,
  pods: [...cluster.pods, stranger],
  namespaces: [...cluster.namespaces, NAMESPACE],
  namespaceLabels: new Map([...cluster.namespaceLabels, [NAMESPACE, {}]]),
});

/** Of the Pods of a cluster with a stranger. */
export const strangerAt = ({ pods }: Cluster): number => pods.length - 1;
