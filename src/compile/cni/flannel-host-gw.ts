/** flannel's host-gw backend (flannel-io/flannel v0.28.9, pkg/backend/hostgw and route_network.go). */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { type Machine, podRanges } from '../machine.ts';
import { forNode } from '../object-origin.ts';
import { tryRoute } from './peer-route.ts';

/** handleSubnetEvents: each range of the peer's by the peer itself, on the node's own device. */
export const addHostGwPeer = ({ netns, nic }: Machine, peer: ClusterNode): void => {
  for (const dst of podRanges(peer))
    tryRoute(netns, { dst, via: peer.ip, dev: nic }, forNode('cni', peer)('peer-route'));
};
