/** The bridge plugin adds a Pod (containernetworking/plugins v1.9.1: plugins/main/bridge, pkg/ip, pkg/ipam). */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { findDev } from '../../kernel/netdev.ts';
import { nfAppend, nfNewChain } from '../../kernel/netfilter/ruleset.ts';
import {
  addrAdd,
  linkAdd,
  linkAddVeth,
  linkSet,
  portSet,
  routeAdd,
  sysctlSet,
} from '../../kernel/netlink.ts';
import { sysctlGet } from '../../kernel/sysctl.ts';
import type { Netns } from '../../kernel/world.ts';
import { cidrBroadcast, cidrContains, cidrOf, parseCidr } from '../../wire/ip.ts';
import type { Cidr, Ip } from '../../wire/packet.ts';
import { derivedMac, nodeKey, podKey, sandboxId, vethName } from '../derived-name.ts';
import { sha512 } from '../digest.ts';
import { ACCEPT, from, jump, masquerade, notTo, ruleOf, to } from '../iptables-rule.ts';
import { type Machine, POD_IFNAME, type RunningPod } from '../machine.ts';
import { forNetwork, forNode, forPod } from '../object-origin.ts';
import type { BridgeConf } from './bridge-config.ts';
import { portmapAdd } from './portmap.ts';

const DEFAULT_ROUTE: Cidr = '0.0.0.0/0';
const MULTICAST: Cidr = '224.0.0.0/4';
/** Characters of a chain's name (pkg/utils, maxChainLength). */
const CHAIN_LENGTH = 28;

/** netlink.AddrAdd (vishvananda/netlink) sets the broadcast address where the subnet has one. */
const broadcastOf = (subnet: Cidr): { broadcast?: Ip } =>
  parseCidr(subnet).prefix < 31 ? { broadcast: cidrBroadcast(subnet) } : {};

const sysctlOf = (ifname: string): string => ifname.replaceAll('.', '/');

/** ensureBridge: made by the first Pod, and left alone by the others. */
const ensureBridge = ({ cluster, node, netns }: Machine, conf: BridgeConf): void => {
  const author = forNetwork('cni', cluster.network);
  const { bridge } = conf;
  if (!findDev(netns, bridge))
    linkAdd(
      netns,
      {
        kind: 'bridge',
        ifname: bridge,
        mac: derivedMac(nodeKey(node.name), bridge),
        ...(conf.mtu > 0 && { mtu: conf.mtu }),
      },
      author('bridge-device'),
    );
  if (conf.promiscMode) linkSet(netns, bridge, { promisc: true });
  sysctlSet(netns, `net.ipv6.conf.${sysctlOf(bridge)}.accept_ra`, '0', author('bridge-device'));
  linkSet(netns, bridge, { up: true });
};

/** A name that no device of the node has (makeVeth, pkg/ip, tries again too). */
const freeVethName = (netns: Netns, pod: RunningPod): string => {
  for (let attempt = 0; ; attempt++) {
    const name = vethName(pod, attempt);
    if (!findDev(netns, name)) return name;
  }
};

/** setupVeth: the pair, the host end up and a port of the bridge. */
const setupVeth = (
  { netns }: Machine,
  pod: RunningPod,
  podNetns: Netns,
  conf: BridgeConf,
): void => {
  const ifname = freeVethName(netns, pod);
  const author = forPod('cni', pod);
  linkAddVeth(
    podNetns,
    POD_IFNAME,
    netns,
    ifname,
    {
      mac: derivedMac(podKey(pod), POD_IFNAME),
      peerMac: derivedMac(podKey(pod), 'host end'),
      ...(conf.mtu > 0 && { mtu: conf.mtu }),
    },
    author('pod-veth'),
  );
  linkSet(netns, ifname, { up: true });
  sysctlSet(netns, `net.ipv6.conf.${ifname}.accept_ra`, '0', author('pod-veth'));
  linkSet(netns, ifname, { master: conf.bridge });
  portSet(netns, ifname, { hairpin: conf.hairpinMode, isolated: conf.portIsolation });
};

/** calcGateways: the IPAM's routes, and a default route unless one of them is it. */
const routesOf = (conf: BridgeConf, gateway: Ip | undefined): BridgeConf['routes'] => {
  const found = conf.routes.some(({ dst, gw }) => dst === DEFAULT_ROUTE && gw !== undefined);
  return conf.isDefaultGateway && !found && gateway !== undefined
    ? [...conf.routes, { dst: DEFAULT_ROUTE, gw: gateway }]
    : conf.routes;
};

/**
 * The Pod's side: sysctls, then ConfigureIface (pkg/ipam): address, up, routes. RouteAddEcmp neither
 * minds a route that is there already nor goes behind it.
 */
const configureIface = (
  pod: RunningPod,
  podNetns: Netns,
  subnet: Cidr,
  { podCIDR, otherPodCIDRs = [], lentIps = [] }: ClusterNode,
  conf: BridgeConf,
  gateway: Ip | undefined,
): void => {
  const author = forPod('cni', pod);
  const { prefix } = parseCidr(subnet);
  const dad = `net.ipv6.conf.${POD_IFNAME}.accept_dad`;
  sysctlSet(podNetns, dad, conf.enableDad ? '1' : '0', author('pod-sysctl'));
  sysctlSet(podNetns, `net.ipv4.conf.${POD_IFNAME}.arp_notify`, '1', author('pod-sysctl'));
  addrAdd(
    podNetns,
    POD_IFNAME,
    { ip: pod.ip, prefix, ...broadcastOf(subnet) },
    author('pod-address'),
  );
  linkSet(podNetns, POD_IFNAME, { up: true });
  // The node's ranges beside its subnet are on the bridge, too.
  for (const dst of subnet.endsWith('/32') ? [podCIDR, ...otherPodCIDRs] : otherPodCIDRs)
    routeAdd(podNetns, { dst, dev: POD_IFNAME, scope: 'link' }, author('pod-range-route'));
  // Addresses of the subnet that another node's Pods have are not on the bridge.
  const lent =
    gateway === undefined ? [] : lentIps.map((ip) => ({ dst: `${ip}/32`, via: gateway }));
  for (const route of lent)
    routeAdd(podNetns, { ...route, dev: POD_IFNAME }, author('pod-cluster-route'));
  for (const { dst, gw } of routesOf(conf, gateway)) {
    const via = gw ?? gateway;
    if (via === undefined) continue;
    routeAdd(
      podNetns,
      { dst, via, dev: POD_IFNAME },
      author(dst === DEFAULT_ROUTE ? 'pod-default-route' : 'pod-cluster-route'),
      'prepend',
    );
  }
};

/** The bridge's own side: its address, the MAC that it keeps from then on (ensureAddr), forwarding. */
const configureGateway = (machine: Machine, conf: BridgeConf, gateway: Ip, subnet: Cidr): void => {
  const { cluster, node, netns } = machine;
  const { bridge } = conf;
  const author = forNetwork('cni', cluster.network);
  if (!findDev(netns, bridge)?.addresses.some(({ ip }) => ip === gateway)) {
    const { prefix } = parseCidr(subnet);
    addrAdd(
      netns,
      bridge,
      { ip: gateway, prefix, ...broadcastOf(subnet) },
      author('bridge-gateway'),
    );
    // The MAC it was made with: a bridge takes its ports' lowest one until its own is set.
    linkSet(netns, bridge, { mac: derivedMac(nodeKey(node.name), bridge) });
  }
  if (sysctlGet(netns, 'net.ipv4.ip_forward') !== '1')
    sysctlSet(netns, 'net.ipv4.ip_forward', '1', author('node-sysctl'));
};

/** Pods whose address is outside the bridge's subnet: a way to their range, once for all of them. */
const addRangeRoute = ({ netns, node }: Machine, pod: RunningPod, conf: BridgeConf): void => {
  const dst = node.otherPodCIDRs?.find((range) => cidrContains(range, pod.ip));
  if (dst === undefined || netns.routes.some((row) => row.dst === dst && row.dev === conf.bridge))
    return;
  routeAdd(
    netns,
    { dst, dev: conf.bridge, scope: 'link' },
    forNode('cni', node)('pod-range-route'),
  );
};

/** FormatChainName (pkg/utils): 24 hex digits behind `CNI-`. */
export const masqChainName = (network: string, containerId: string): string =>
  `CNI-${sha512(network + containerId)}`.slice(0, CHAIN_LENGTH);

/** setupIPMasqIPTables (pkg/ip): a chain a Pod, entered by its address, appended. */
const setupIpMasq = ({ netns }: Machine, pod: RunningPod, subnet: Cidr, name: string): void => {
  const { netfilter } = netns;
  const id = sandboxId(pod);
  const chain = masqChainName(name, id);
  const comment = `name: ${JSON.stringify(name)} id: ${JSON.stringify(id)}`;
  const origin = forPod('cni', pod)('ip-masq');
  nfNewChain(netfilter, 'nat', chain);
  nfAppend(netfilter, 'nat', chain, ruleOf(comment, origin, [to(subnet)], ACCEPT));
  nfAppend(netfilter, 'nat', chain, ruleOf(comment, origin, [notTo(MULTICAST)], masquerade(false)));
  nfAppend(
    netfilter,
    'nat',
    'POSTROUTING',
    ruleOf(comment, origin, [from(`${pod.ip}/32`)], jump(chain)),
  );
};

/**
 * cmdAdd of the bridge plugin, with host-local as IPAM: bridge, veth pair, the Pod's address and
 * routes, the bridge's address, ip_forward and the masquerade rules, in the plugin's order; then
 * portmap's, which is chained behind it.
 * @param podNetns the Pod's namespace, lo already up; changed in place, as the machine's is
 */
export const bridgeAdd = (
  machine: Machine,
  pod: RunningPod,
  podNetns: Netns,
  conf: BridgeConf,
): void => {
  const { podCIDR } = machine.node;
  const { gateway } = machine;
  const inSubnet = cidrContains(podCIDR, pod.ip);
  const subnet = inSubnet ? cidrOf(pod.ip, parseCidr(podCIDR).prefix) : `${pod.ip}/32`;
  ensureBridge(machine, conf);
  setupVeth(machine, pod, podNetns, conf);
  configureIface(pod, podNetns, subnet, machine.node, conf, gateway);
  if (conf.isGateway && gateway !== undefined) {
    configureGateway(machine, conf, gateway, cidrOf(gateway, parseCidr(podCIDR).prefix));
    if (!inSubnet) addRangeRoute(machine, pod, conf);
  }
  if (conf.ipMasq) setupIpMasq(machine, pod, subnet, conf.name);
  portmapAdd(machine, pod, subnet, conf);
};
