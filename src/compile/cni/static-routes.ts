/** The bridge plugin's cluster without a daemon: somebody wrote the routes between nodes down. */
import { type Machine, podRanges } from '../machine.ts';
import { forNode } from '../object-origin.ts';
import { tryRoute } from './peer-route.ts';

/** A route to each other node's Pods by that node's address. */
export const addStaticRoutes = ({ cluster, node, netns, nic }: Machine): void => {
  for (const peer of cluster.nodes) {
    if (peer.name === node.name) continue;
    for (const dst of podRanges(peer))
      tryRoute(
        netns,
        { dst, via: peer.ip, dev: nic, protocol: 'static' },
        forNode('scenario', peer)('peer-route'),
      );
  }
};
