/** On which addresses of a node NodePorts answer (kubernetes v1.34, pkg/proxy/util/nodeport_addresses.go). */
import type { ClusterNode, KubeProxyConfig } from '../../cluster/cluster.ts';
import type { Netns } from '../../kernel/world.ts';
import { cidrContains, cidrOverlaps } from '../../wire/ip.ts';
import { type Family, familyOf } from './service-port.ts';

const LOOPBACK = '127.0.0.0/8';

export interface NodePortAddresses {
  /** Every address that the node has. */
  readonly matchAll: boolean;
  /** 127.0.0.0/8 is among them. */
  readonly loopback: boolean;
  /** The ranges, where it is not every address. */
  readonly ranges: readonly string[];
}

/** `primary` (cmd/kube-proxy/app/server.go): the address that the node is known by. */
const rangesOf = (
  { nodePortAddresses }: KubeProxyConfig,
  { ip, onlyIpv6 }: ClusterNode,
): readonly string[] => {
  if (nodePortAddresses[0] !== 'primary') return nodePortAddresses;
  return onlyIpv6 === undefined ? [`${ip}/32`] : [`${onlyIpv6}/128`];
};

/** Ranges of the other family do not count; without one of this family it is every address. */
export const nodePortAddresses = (
  config: KubeProxyConfig,
  node: ClusterNode,
  family: Family,
): NodePortAddresses => {
  const ranges = rangesOf(config, node).filter((range) => familyOf(range) === family);
  const matchAll = ranges.length === 0 || ranges.some((range) => range.endsWith('/0'));
  return {
    matchAll,
    loopback: family === 4 && (matchAll || ranges.some((range) => cidrOverlaps(range, LOOPBACK))),
    ranges: matchAll ? [] : ranges,
  };
};

/** GetNodeIPs: the addresses of the node's devices that lie in the ranges; IPv6 has none here. */
export const nodePortIps = ({ ranges }: NodePortAddresses, { devices }: Netns): string[] => {
  const ips = devices.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  const mine = ranges.filter((range) => familyOf(range) === 4);
  return [...new Set(ips)].filter((ip) => mine.some((range) => cidrContains(range, ip)));
};
