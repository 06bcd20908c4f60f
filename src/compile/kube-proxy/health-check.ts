/**
 * Where kube-proxy itself answers a load balancer that asks whether a node has endpoints
 * (kubernetes v1.34, pkg/proxy/healthcheck/service_health.go): one listener for each
 * healthCheckNodePort, on whatever node, with endpoints or without.
 */
import { socketAdd, socketHolder } from '../../kernel/netlink.ts';
import type { Machine } from '../machine.ts';
import { forService } from '../object-origin.ts';
import { type NodePortAddresses, nodePortIps } from './node-port-addresses.ts';
import { servicePorts } from './service-port.ts';

/** @param addresses where NodePorts answer in the mode that runs, once the node has its devices */
export const serveHealthChecks = (
  { cluster, netns }: Machine,
  addresses: NodePortAddresses,
): void => {
  for (const { service, healthCheckNodePort: port } of servicePorts(cluster.services, 4)) {
    if (port === undefined) continue;
    const origin = forService('kube-proxy', service)('service-health-check');
    for (const ip of addresses.matchAll ? ['0.0.0.0'] : nodePortIps(addresses, netns)) {
      const socket = { protocol: 'tcp', ip, port, process: 'kube-proxy', origin } as const;
      // A Service has one such port, however many of its own; who came first keeps it.
      if (!socketHolder(netns, socket)) socketAdd(netns, socket);
    }
  }
};
