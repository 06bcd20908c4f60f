/** flannel's vxlan backend (flannel-io/flannel v0.28.9, pkg/backend/vxlan). */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { fibLookupWith } from '../../kernel/fib-lookup.ts';
import { findDev } from '../../kernel/netdev.ts';
import {
  addrAdd,
  fdbReplace,
  linkAdd,
  linkSet,
  neighReplace,
  sysctlSet,
} from '../../kernel/netlink.ts';
import type { Netns } from '../../kernel/world.ts';
import { cidrAt } from '../../wire/ip.ts';
import type { Ip, Mac } from '../../wire/packet.ts';
import { derivedMac, nodeKey } from '../derived-name.ts';
import { type Machine, podRanges } from '../machine.ts';
import { forNetwork, forNode } from '../object-origin.ts';
import { type VxlanBackend, vxlanName } from './flannel-config.ts';
import { tryRoute } from './peer-route.ts';

/** Outer Ethernet, IPv4, UDP and VXLAN headers; for IPv6 too, flannel counts 50. */
export const ENCAP_OVERHEAD = 50;

/** The MAC that a node's lease announces in its annotations (VtepMAC). */
export const vtepMac = (backend: VxlanBackend, node: string): Mac =>
  derivedMac(nodeKey(node), vxlanName(backend));

/** The network address of the lease: a source for what the node itself sends to Pods. */
export const vtepIp = ({ podCIDR }: Pick<ClusterNode, 'podCIDR'>): Ip => cidrAt(podCIDR, 0);

/** FLANNEL_MTU: what the node's device, or the configuration in its place, leaves to a Pod. */
export const vxlanMtu = (backend: VxlanBackend, nicMtu: number): number =>
  (backend.mtu ?? nicMtu) - ENCAP_OVERHEAD;

/**
 * RegisterNetwork: the device (newVXLANDevice), accept_ra off, a /32 so that no broadcast routes
 * come with it (configureDeviceIPv4IPv6), up.
 */
export const registerVxlan = (
  { cluster, node, netns, nic }: Machine,
  backend: VxlanBackend,
): void => {
  const author = forNetwork('cni', cluster.network);
  const ifname = vxlanName(backend);
  const nicMtu = findDev(netns, nic)?.mtu ?? cluster.underlay.mtu;
  linkAdd(
    netns,
    {
      kind: 'vxlan',
      ifname,
      mac: vtepMac(backend, node.name),
      mtu: vxlanMtu(backend, nicMtu),
      vni: backend.vni,
      local: node.ip,
      lower: nic,
      ...(backend.port !== 0 && { dstport: backend.port }),
      learning: backend.learning,
    },
    author('tunnel-device'),
  );
  const acceptRa = `net.ipv6.conf.${ifname.replaceAll('.', '/')}.accept_ra`;
  sysctlSet(netns, acceptRa, '0', author('tunnel-device'));
  addrAdd(netns, ifname, { ip: vtepIp(node), prefix: 32 }, author('tunnel-address'));
  linkSet(netns, ifname, { up: true });
};

/** DirectRouting (pkg/ip): the way to the peer has no gateway. */
const isOnLink = (netns: Netns, ip: Ip): boolean => {
  const { row } = fibLookupWith(netns, { dst: ip });
  return row?.type === 'unicast' && row.via === undefined && !row.nexthops;
};

/**
 * handleSubnetEvents: one neighbour, one FDB row and, last, one route for each remote node; with
 * DirectRouting a plain route where the node is on the link.
 */
export const addVxlanPeer = (
  { netns }: Machine,
  backend: VxlanBackend,
  peer: ClusterNode,
): void => {
  const author = forNode('cni', peer);
  const ranges = podRanges(peer);
  if (backend.directRouting && isOnLink(netns, peer.ip)) {
    for (const dst of ranges)
      tryRoute(netns, { dst, via: peer.ip }, author('peer-route'), 'replace');
    return;
  }
  const dev = vxlanName(backend);
  const via = vtepIp(peer);
  const mac = vtepMac(backend, peer.name);
  neighReplace(netns, { ip: via, dev, lladdr: mac }, author('tunnel-neighbour'));
  fdbReplace(netns, { mac, dev, dst: peer.ip }, author('tunnel-fdb'));
  for (const dst of ranges)
    tryRoute(netns, { dst, via, dev, onlink: true }, author('peer-route'), 'replace');
};
