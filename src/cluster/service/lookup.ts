/** Services found by what a packet shows: an address, a port of every node. */
import type { Ip } from '../../wire/packet.ts';
import type { Cluster, Service, ServicePort } from '../cluster.ts';

/** The Service that has an address: as ClusterIP, external IP or address of its load balancer. */
export const serviceOfAddress = ({ services }: Cluster, ip: Ip): Service | undefined =>
  services.find(
    ({ clusterIPs, externalIPs, ingress }) =>
      clusterIPs.some((one) => one.ip === ip) ||
      externalIPs.includes(ip) ||
      ingress.some((one) => one.ip === ip),
  );

/** The Service that has a port on every node. */
export const serviceOfNodePort = ({ services }: Cluster, port: number): readonly ServicePort[] =>
  services.flatMap(({ ports }) => ports.filter(({ nodePort }) => nodePort === port));
