/** How kube-proxy knows traffic of the node's own Pods (kubernetes v1.34, pkg/proxy/util/localdetector.go). */
import type { ClusterNode, KubeProxyConfig } from '../../cluster/cluster.ts';
import { type Family, familyOf } from './service-port.ts';

/** What sets such traffic apart: where it is from, or the device that it comes in by. */
export type LocalTraffic =
  | { readonly kind: 'source'; readonly cidr: string }
  | { readonly kind: 'device'; readonly ifname: string }
  | { readonly kind: 'device-prefix'; readonly prefix: string };

/**
 * getLocalDetector (cmd/kube-proxy/app/server_linux.go): a mode without the range or the name that it
 * needs detects nothing.
 */
export const localTraffic = (
  { detectLocalMode, detectLocal, clusterCIDR }: KubeProxyConfig,
  { podCIDR }: ClusterNode,
  family: Family,
): LocalTraffic | undefined => {
  const inRange = (ranges: readonly string[]): LocalTraffic | undefined => {
    const cidr = ranges.find((range) => familyOf(range) === family);
    return cidr === undefined ? undefined : { kind: 'source', cidr };
  };
  switch (detectLocalMode) {
    case 'ClusterCIDR':
      return inRange(clusterCIDR);
    case 'NodeCIDR':
      return inRange([podCIDR]);
    case 'BridgeInterface':
      return { kind: 'device', ifname: detectLocal.bridgeInterface };
    case 'InterfaceNamePrefix':
      return { kind: 'device-prefix', prefix: detectLocal.interfaceNamePrefix };
    case 'none':
      return undefined;
    default: {
      const never: never = detectLocalMode;
      return never;
    }
  }
};
