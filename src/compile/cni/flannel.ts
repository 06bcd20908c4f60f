/** What flanneld and its CNI plugin do on a node (flannel-io/flannel v0.28.9, cni-plugin v1.9.1-flannel3). */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { findDev } from '../../kernel/netdev.ts';
import type { Match, Ruleset, Target } from '../../kernel/netfilter/ruleset.ts';
import { nfAppend, nfNewChain } from '../../kernel/netfilter/ruleset.ts';
import type { Origin } from '../../kernel/origin.ts';
import type { Cidr, Ip } from '../../wire/packet.ts';
import {
  ACCEPT,
  from,
  jump,
  masquerade,
  notFrom,
  notTo,
  RETURN,
  ruleOf,
  to,
} from '../iptables-rule.ts';
import { type Machine, podRanges } from '../machine.ts';
import { forNetwork } from '../object-origin.ts';
import type { BridgeConf } from './bridge-config.ts';
import { type FlannelConf, vxlanName } from './flannel-config.ts';
import { addHostGwPeer } from './flannel-host-gw.ts';
import { addVxlanPeer, registerVxlan, vtepIp, vxlanMtu } from './flannel-vxlan.ts';
import { tryRoute } from './peer-route.ts';

const MASQ_CHAIN = 'FLANNEL-POSTRTG';
const MASQ_COMMENT = 'flanneld masq';
const FORWARD_CHAIN = 'FLANNEL-FWD';
const FORWARD_COMMENT = 'flanneld forward';
const MULTICAST: Cidr = '224.0.0.0/4';
/** What kube-proxy marks for masquerading (trafficmngr.KubeProxyMark). */
const KUBE_PROXY_MARK: Match = { kind: 'mark', value: 0x4000, mask: 0x4000, negate: false };

/** masqRules (pkg/trafficmngr/iptables). */
const masqRules = (
  netfilter: Ruleset,
  { network, randomFully }: FlannelConf,
  ranges: readonly Cidr[],
  origin: Origin,
): void => {
  const append = (matches: readonly Match[], target: Target, extensions?: readonly Match[]) =>
    nfAppend(
      netfilter,
      'nat',
      MASQ_CHAIN,
      ruleOf(MASQ_COMMENT, origin, matches, target, extensions),
    );
  nfNewChain(netfilter, 'nat', MASQ_CHAIN);
  nfAppend(netfilter, 'nat', 'POSTROUTING', ruleOf(MASQ_COMMENT, origin, [], jump(MASQ_CHAIN)));
  append([], RETURN, [KUBE_PROXY_MARK]);
  for (const range of ranges) append([from(range), to(network)], RETURN);
  for (const range of ranges) append([from(network), to(range)], RETURN);
  for (const range of ranges) append([notFrom(network), to(range)], RETURN);
  append([from(network), notTo(MULTICAST)], masquerade(randomFully));
  append([notFrom(network), to(network)], masquerade(randomFully));
};

/** forwardRules (pkg/trafficmngr/iptables); the policy of FORWARD stays as it is. */
const forwardRules = (netfilter: Ruleset, { network }: FlannelConf, origin: Origin): void => {
  const append = (chain: string, matches: readonly Match[], target: Target) =>
    nfAppend(netfilter, 'filter', chain, ruleOf(FORWARD_COMMENT, origin, matches, target));
  nfNewChain(netfilter, 'filter', FORWARD_CHAIN);
  append('FORWARD', [], jump(FORWARD_CHAIN));
  append(FORWARD_CHAIN, [from(network)], ACCEPT);
  append(FORWARD_CHAIN, [to(network)], ACCEPT);
};

/** SetupAndEnsureMasqRules, then SetupAndEnsureForwardRules: table nat is registered first. */
const setUpRules = ({ cluster, node, netns }: Machine, conf: FlannelConf): void => {
  const author = forNetwork('cni', cluster.network);
  if (conf.ipMasq) masqRules(netns.netfilter, conf, podRanges(node), author('masquerade-rule'));
  if (conf.forwardRules) forwardRules(netns.netfilter, conf, author('forward-accept'));
};

const addPeer = (machine: Machine, backend: FlannelConf['backend'], peer: ClusterNode): void => {
  if (backend.type === 'vxlan') addVxlanPeer(machine, backend, peer);
  else addHostGwPeer(machine, peer);
};

/**
 * flanneld on one node: the backend's device, the rules, then a way to each other node. Nothing of
 * it depends on Pods, and the bridge is not there before the first of them.
 */
export const startFlanneld = (machine: Machine, conf: FlannelConf): void => {
  const { cluster, node, netns } = machine;
  const { backend } = conf;
  const peers = cluster.nodes.filter(({ name }) => name !== node.name);
  if (backend.type === 'vxlan') registerVxlan(machine, backend);
  setUpRules(machine, conf);
  // AddBlackholeV4Route; the bridge's connected route, which comes later, goes behind it.
  if (conf.blackholeRoute)
    tryRoute(
      netns,
      { dst: node.podCIDR, type: 'blackhole' },
      forNetwork('cni', cluster.network)('blackhole-route'),
    );
  for (const peer of peers) addPeer(machine, backend, peer);
};

/** FLANNEL_MTU of subnet.env. */
const flannelMtu = ({ cluster, netns, nic }: Machine, { backend }: FlannelConf): number => {
  const nicMtu = findDev(netns, nic)?.mtu ?? cluster.underlay.mtu;
  return backend.type === 'vxlan' ? vxlanMtu(backend, nicMtu) : nicMtu;
};

/** doCmdAdd (flannel_linux.go): the configuration that the bridge plugin gets. */
export const delegateConf = (machine: Machine, conf: FlannelConf): BridgeConf => ({
  ...conf.delegate,
  mtu: conf.delegate.mtu ?? flannelMtu(machine, conf),
});

/** The device that flanneld makes on a node, with its address. */
export const flannelTunnels = (
  { backend }: FlannelConf,
  node: { readonly podCIDR: Cidr },
): { readonly ip: Ip; readonly ifname: string }[] =>
  backend.type === 'vxlan' ? [{ ip: vtepIp(node), ifname: vxlanName(backend) }] : [];
