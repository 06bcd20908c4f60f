/** kube-proxy on one node, in the mode that its configuration names. */
import type { KubeProxyConfig } from '../../cluster/cluster.ts';
import type { Machine } from '../machine.ts';
import { startIptables, syncIptables } from './iptables.ts';
import { startIpvs, syncIpvs } from './ipvs.ts';
import { startNftables, syncNftables } from './nftables.ts';

/** One mode of kube-proxy. */
export interface ProxyMode {
  /** As it starts, before the network plugin: whatever has a place in an order. */
  start(machine: Machine): void;
  /** Its last sync, once the node has all its devices and addresses: all that Services bring. */
  sync(machine: Machine): void;
}

const NOTHING: ProxyMode = { start: () => undefined, sync: () => undefined };

/** The mode that a configuration names. */
export const proxyMode = ({ mode }: KubeProxyConfig): ProxyMode => {
  switch (mode) {
    case 'iptables':
      return { start: startIptables, sync: syncIptables };
    case 'nftables':
      return { start: startNftables, sync: syncNftables };
    case 'ipvs':
      return { start: startIpvs, sync: syncIpvs };
    case 'none':
      return NOTHING;
    default: {
      const never: never = mode;
      return never;
    }
  }
};
