/** The machines beside the nodes: `gw`, the router of their network, and `external`, the world behind it. */
import type { Cluster } from '../cluster/cluster.ts';
import { TABLE_LOCAL } from '../kernel/fib.ts';
import { addrAdd, linkAdd, linkSet, routeAdd, sysctlSet } from '../kernel/netlink.ts';
import { createNetns } from '../kernel/netns.ts';
import type { Host, Netns } from '../kernel/world.ts';
import { createHost } from '../kernel/world-build.ts';
import { cidrBroadcast, cidrOverlaps, parseCidr } from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import { balancedAddresses } from './balancer.ts';
import { tryRoute } from './cni/peer-route.ts';
import { derivedMac, nodeKey } from './derived-name.ts';
import { NIC, podRanges } from './machine.ts';
import { forMachine, forNode, forService } from './object-origin.ts';
import { GW_OUTSIDE_NIC, OUTSIDE, OUTSIDE_MTU, outsideOf, UNDERLAY } from './underlay.ts';

const EVERYWHERE: Cidr = '0.0.0.0/0';

const plugIn = (
  netns: Netns,
  ifname: string,
  wire: { readonly segment: string; readonly mtu: number; readonly cidr: Cidr },
  ip: Ip,
): void => {
  const author = forMachine(netns.host);
  const { prefix } = parseCidr(wire.cidr);
  linkAdd(
    netns,
    {
      kind: 'physical',
      ifname,
      mac: derivedMac(nodeKey(netns.host), ifname),
      mtu: wire.mtu,
      segment: wire.segment,
    },
    author('node-nic'),
  );
  addrAdd(
    netns,
    ifname,
    { ip, prefix, ...(prefix < 31 && { broadcast: cidrBroadcast(wire.cidr) }) },
    author('node-address'),
  );
  linkSet(netns, ifname, { up: true });
};

/** The cluster's ranges that the network around it may have no way to. */
const clusterRanges = ({ network, nodes }: Cluster): Cidr[] => [
  ...new Set([
    network.podCIDR,
    network.serviceCIDR,
    ...nodes.flatMap(podRanges).filter((range) => !isWithin(network.podCIDR, range)),
  ]),
];

const isWithin = (outer: Cidr, inner: Cidr): boolean =>
  parseCidr(inner).prefix >= parseCidr(outer).prefix && cidrOverlaps(outer, inner);

/**
 * One route for each address of a Service outside the cluster, over the nodes that take it; a
 * blackhole where none does.
 */
const balance = (netns: Netns, cluster: Cluster): void => {
  for (const { ip, service, field, nodes } of balancedAddresses(cluster)) {
    const origin = forService('scenario', service)('balancer-route', field);
    const dst = `${ip}/32`;
    const nexthops = nodes.map((node) => ({ via: node.ip, dev: NIC }));
    tryRoute(
      netns,
      nexthops.length > 0
        ? { dst, nexthops, protocol: 'static' }
        : { dst, type: 'blackhole', protocol: 'static' },
      origin,
    );
  }
};

/**
 * The router of the nodes' network: their wire on eth0, the outside on eth1, everything else goes
 * there. Pod and Service ranges are blackholes, so what reaches it without a route is dropped
 * without a word; with cloud-routes it knows the node of each Pod range. It is the load balancer of
 * Services, too. It sends no redirects: a cloud's route table does not.
 */
export const compileGw = (cluster: Cluster, name: string, cloudRoutes: boolean): Host => {
  const netns = createNetns({ host: name, name: 'host', listeners: { unlisted: 'unknown' } });
  const author = forMachine(name);
  const { underlay } = cluster;
  const outside = outsideOf(cluster);
  linkSet(netns, 'lo', { up: true });
  plugIn(netns, NIC, { segment: UNDERLAY, ...underlay }, underlay.gateway);
  plugIn(
    netns,
    GW_OUTSIDE_NIC,
    { segment: OUTSIDE, mtu: OUTSIDE_MTU, cidr: outside.cidr },
    outside.gateway,
  );
  sysctlSet(netns, 'net.ipv4.ip_forward', '1', author('node-sysctl'));
  for (const device of ['all', NIC, GW_OUTSIDE_NIC])
    sysctlSet(netns, `net.ipv4.conf.${device}.send_redirects`, '0', author('node-sysctl'));
  routeAdd(
    netns,
    { dst: EVERYWHERE, via: cluster.external.ip, dev: GW_OUTSIDE_NIC, protocol: 'static' },
    author('gateway-route'),
  );
  if (cloudRoutes)
    for (const node of cluster.nodes)
      for (const dst of podRanges(node))
        tryRoute(
          netns,
          { dst, via: node.ip, dev: NIC, protocol: 'static' },
          forNode('scenario', node)('gateway-route'),
        );
  balance(netns, cluster);
  for (const dst of clusterRanges(cluster))
    tryRoute(
      netns,
      { dst, type: 'blackhole', protocol: 'static' },
      author('unrouted-range'),
      'append',
    );
  return createHost(name, [netns]);
};

/**
 * The world outside: one machine that has every address there is, but for the cluster's (AnyIP: a
 * local route for 0.0.0.0/0), and is assumed to answer on all of them. Its ways to the cluster are in
 * table local too, so that they win by their longer prefix whether or not the kernel keeps local and
 * main in one trie.
 */
export const compileExternal = (cluster: Cluster, name: string): Host => {
  const netns = createNetns({ host: name, name: 'host', listeners: { unlisted: 'assumed-open' } });
  const author = forMachine(name);
  const outside = outsideOf(cluster);
  const { ip } = cluster.external;
  linkSet(netns, 'lo', { up: true });
  plugIn(netns, NIC, { segment: OUTSIDE, mtu: OUTSIDE_MTU, cidr: outside.cidr }, ip);
  const local = { table: TABLE_LOCAL, dev: NIC, src: ip, protocol: 'static' } as const;
  routeAdd(netns, { ...local, dst: outside.cidr, scope: 'link' }, author('gateway-route'));
  const balanced = balancedAddresses(cluster).map((row) => `${row.ip}/32`);
  for (const dst of new Set([cluster.underlay.cidr, ...clusterRanges(cluster), ...balanced]))
    tryRoute(netns, { ...local, dst, via: outside.gateway }, author('gateway-route'));
  routeAdd(
    netns,
    { dst: EVERYWHERE, type: 'local', dev: 'lo', protocol: 'static' },
    author('external-listener'),
  );
  return createHost(name, [netns]);
};
