/** kube-proxy on one node, in the mode that its configuration names. */
import type { KubeProxyConfig } from '../../cluster/cluster.ts';
import { sysctlSet } from '../../kernel/netlink.ts';
import type { Machine } from '../machine.ts';
import { forKubeProxy } from '../object-origin.ts';
import { startIptables, syncIptables } from './iptables.ts';
import { TCP_BE_LIBERAL } from './iptables-base.ts';
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

/** The proxier of a mode. */
const modeOf = ({ mode }: KubeProxyConfig): ProxyMode => {
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

/** setupConntrack (cmd/kube-proxy/app/server_linux.go, commit 0014930): before the proxier of whichever mode is made. */
const setupConntrack = ({ netns, cluster: { kubeProxy } }: Machine): void => {
  if (!kubeProxy.tcpBeLiberal) return;
  sysctlSet(netns, TCP_BE_LIBERAL, '1', forKubeProxy(kubeProxy)('proxy-forward'));
};

/** The mode that a configuration names. */
export const proxyMode = (config: KubeProxyConfig): ProxyMode => {
  if (config.mode === 'none') return NOTHING;
  const { start, sync } = modeOf(config);
  return {
    start: (machine) => {
      setupConntrack(machine);
      start(machine);
    },
    sync,
  };
};
