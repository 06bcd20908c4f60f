/** The network plugin of a cluster: what it does to a node, and to each Pod that is added there. */
import type { ClusterNode, Network } from '../../cluster/cluster.ts';
import type { Netns } from '../../kernel/world.ts';
import type { Ip } from '../../wire/packet.ts';
import type { Machine, RunningPod } from '../machine.ts';
import { bridgeAdd } from './bridge.ts';
import { delegateConf, flannelTunnels, startFlanneld } from './flannel.ts';
import { pluginConf } from './network-config.ts';
import { addStaticRoutes } from './static-routes.ts';

export interface NetworkPlugin {
  /** Before the first Pod: daemons, routes to the other nodes. */
  start(machine: Machine): void;
  /** CNI ADD. */
  add(machine: Machine, pod: RunningPod, podNetns: Netns): void;
  /** The network's router knows the way to the Pods of every node. */
  readonly cloudRoutes: boolean;
  /** The bridge that the first Pod of a node brings. */
  readonly bridge: string;
  /** Whether that bridge gets the gateway address of the node's range. */
  readonly hasGateway: boolean;
  /** The node's tunnel devices and their addresses, which are there without Pods too. */
  tunnels(node: ClusterNode): readonly { readonly ip: Ip; readonly ifname: string }[];
}

/** The plugin that a network names, with its configuration. */
export const networkPlugin = (network: Network): NetworkPlugin => {
  const found = pluginConf(network);
  switch (found.plugin) {
    case 'bridge': {
      const { conf, routes } = found;
      return {
        start: (machine) => {
          if (routes === 'static-routes') addStaticRoutes(machine);
        },
        add: (machine, pod, podNetns) => bridgeAdd(machine, pod, podNetns, conf),
        cloudRoutes: routes === 'cloud-routes',
        bridge: conf.bridge,
        hasGateway: conf.isGateway,
        tunnels: () => [],
      };
    }
    case 'flannel': {
      const { conf } = found;
      return {
        start: (machine) => startFlanneld(machine, conf),
        add: (machine, pod, podNetns) =>
          bridgeAdd(machine, pod, podNetns, delegateConf(machine, conf)),
        cloudRoutes: false,
        bridge: conf.delegate.bridge,
        hasGateway: conf.delegate.isGateway,
        tunnels: (node) => flannelTunnels(conf, node),
      };
    }
    default: {
      const never: never = found;
      return never;
    }
  }
};
