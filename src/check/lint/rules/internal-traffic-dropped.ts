/** internalTrafficPolicy Local: Pods of nodes without an endpoint reach nothing. */
import { type LintRule, someOf } from '../rule.ts';

export const internalTrafficDropped: LintRule = {
  code: 'internal-traffic-dropped',
  severity: 'warning',
  title: 'internalTrafficPolicy Local, and a node with Pods has no endpoint',
  find: ({ cluster }) => {
    if (cluster.pods.some(({ invented }) => invented.node)) return [];
    return cluster.services
      .filter(({ internalTrafficPolicy }) => internalTrafficPolicy === 'Local')
      .flatMap((service) => {
        const served = new Set(
          service.slices.flatMap(({ endpoints }) =>
            endpoints.flatMap(({ nodeName, ready }) => (ready && nodeName ? [nodeName] : [])),
          ),
        );
        if (served.size === 0) return [];
        const nodes = [
          ...new Set(
            cluster.pods.flatMap(({ node, phase }) =>
              node !== undefined && phase === 'Running' && !served.has(node) ? [node] : [],
            ),
          ),
        ].sort();
        if (nodes.length === 0) return [];
        const { namespace, name, place } = service;
        return [
          {
            place,
            objects: [{ kind: 'Service', namespace, name }],
            message: `Service ${namespace}/${name} has internalTrafficPolicy Local and no ready endpoint on ${someOf(nodes)}: what Pods there send to it is dropped`,
            fix: 'Run its Pods on every node (a DaemonSet), or use trafficDistribution: PreferSameNode.',
          },
        ];
      });
  },
};
