/**
 * The load balancer of a cluster, which its router plays: where the addresses lead that Services
 * have outside the cluster. A node gets traffic while its health check would answer: any ready node
 * under externalTrafficPolicy Cluster, and under Local those with a ready endpoint of their own
 * (cloud-provider, service controller; pkg/proxy/healthcheck of kubernetes v1.34).
 */
import type { Cluster, ClusterNode, Service } from '../cluster/cluster.ts';
import type { Ip } from '../wire/packet.ts';
import { type ServicePortFacts, servicePorts } from './kube-proxy/service-port.ts';

/** An address of a Service that the network around the cluster leads to its nodes. */
export interface BalancedAddress {
  readonly ip: Ip;
  /** The first Service that has it. */
  readonly service: Service;
  /** Field that gives it. */
  readonly field: string;
  /** Assumed, since a load balancer's status is missing. */
  readonly assumed: boolean;
  /** In the order of the cluster's; empty: nobody takes its traffic. */
  readonly nodes: readonly ClusterNode[];
}

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';

const isHealthy =
  ({ externalLocal, ready }: ServicePortFacts) =>
  ({ name, labels }: ClusterNode): boolean =>
    !(EXCLUDED in labels) &&
    (!externalLocal || ready.some(({ of: { nodeName } }) => nodeName === name));

/** Every VIP and external IP of IPv4 that is no address of a node, once, in the order of the Services. */
export const balancedAddresses = (cluster: Cluster): BalancedAddress[] => {
  const ready = cluster.nodes.filter((node) => node.ready);
  const own = new Set(cluster.nodes.map(({ ip }) => ip));
  const found = new Map<Ip, BalancedAddress>();
  for (const facts of servicePorts(cluster.services, 4)) {
    const { service, vips, externalIPs } = facts;
    const healthy = ready.filter(isHealthy(facts));
    const fields = [
      ...vips.map((ip) => [ip, 'status.loadBalancer'] as const),
      ...externalIPs.map((ip) => [ip, 'spec.externalIPs'] as const),
    ];
    for (const [ip, field] of fields) {
      if (own.has(ip)) continue;
      const known = found.get(ip);
      const all = new Set([...(known?.nodes ?? []), ...healthy]);
      const assumed = service.ingress.some((row) => row.ip === ip && row.assumed);
      const nodes = cluster.nodes.filter((node) => all.has(node));
      found.set(ip, { ...(known ?? { ip, service, field, assumed }), nodes });
    }
  }
  return [...found.values()];
};
