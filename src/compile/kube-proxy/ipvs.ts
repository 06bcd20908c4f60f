/** kube-proxy in IPVS mode (kubernetes v1.34.0, pkg/proxy/ipvs/proxier.go), both families. */

import { SCHEDULERS, type Scheduler } from '../../kernel/ipvs/virtual-server.ts';
import { nfRestore, type Ruleset } from '../../kernel/netfilter/ruleset.ts';
import { addrAdd, linkAdd, sysctlSet } from '../../kernel/netlink.ts';
import type { Netns } from '../../kernel/world.ts';
import { cidrContains, isLoopback } from '../../wire/ip.ts';
import { derivedMac, nodeKey } from '../derived-name.ts';
import type { Machine } from '../machine.ts';
import { forKubeProxy } from '../object-origin.ts';
import { serveHealthChecks } from './health-check.ts';
import { conditions } from './iptables.ts';
import { markOf } from './iptables-base.ts';
import { ipvsRules, linkIpvsChains } from './ipvs-rules.ts';
import { addServicePort, type IpvsNode } from './ipvs-service.ts';
import { createProxySets } from './ipvs-sets.ts';
import { localTraffic } from './local-traffic.ts';
import { nodePortAddresses, nodePortIps } from './node-port-addresses.ts';
import { onNode } from './node-service-port.ts';
import { type Family, familyOf, servicePorts } from './service-port.ts';

/** defaultDummyDevice. */
const DEVICE = 'kube-ipvs0';
const DEFAULT_SCHEDULER: Scheduler = 'rr';

/**
 * NewProxier. net.ipv4.vs.conn_reuse_mode is left as it is on kernels since 5.9; with strictARP the
 * node does not answer on its own devices for what is on kube-ipvs0.
 */
const settings = (strictARP: boolean): readonly (readonly [string, string])[] => [
  ['net.ipv4.vs.conntrack', '1'],
  ['net.ipv4.vs.expire_nodest_conn', '1'],
  ['net.ipv4.vs.expire_quiescent_template', '1'],
  ['net.ipv4.ip_forward', '1'],
  ...(strictARP
    ? ([
        ['net.ipv4.conf.all.arp_ignore', '1'],
        ['net.ipv4.conf.all.arp_announce', '2'],
      ] as const)
    : []),
];

const rulesetOf = (netns: Netns, family: Family): Ruleset =>
  family === 4 ? netns.netfilter : netns.netfilter6;

/**
 * Settings, then what the first sync makes once: the chains and the ways into them, before the
 * network plugin's, and kube-ipvs0, which is never set up and holds every service address.
 */
export const startIpvs = ({ netns, cluster, node }: Machine): void => {
  const { kubeProxy } = cluster;
  const author = forKubeProxy(kubeProxy);
  for (const [key, value] of settings(kubeProxy.ipvs.strictARP))
    sysctlSet(netns, key, value, author('node-sysctl'));
  for (const family of [4, 6] as const) linkIpvsChains(rulesetOf(netns, family), author);
  linkAdd(
    netns,
    { kind: 'dummy', ifname: DEVICE, mac: derivedMac(nodeKey(node.name), DEVICE) },
    author('service-address'),
  );
};

const isScheduler = (name: string): name is Scheduler => SCHEDULERS.some((one) => one === name);

/** GetAllLocalAddressesExcept: what other devices have, loopback addresses apart. */
const ownAddresses = ({ devices }: Netns): string[] =>
  devices
    .filter(({ ifname }) => ifname !== DEVICE)
    .flatMap(({ addresses }) => addresses.map(({ ip }) => ip))
    .filter((ip) => !isLoopback(ip));

const nodeIpsFor = ({ netns, cluster, node }: Machine, family: Family): readonly string[] => {
  if (family === 6) return [];
  const addresses = nodePortAddresses(cluster.kubeProxy, node, family);
  const ips = addresses.matchAll ? ownAddresses(netns) : nodePortIps(addresses, netns);
  return [...new Set(ips)].filter((ip) => !isLoopback(ip));
};

const syncFamily = (machine: Machine, family: Family): void => {
  const { netns, cluster, node } = machine;
  const { kubeProxy } = cluster;
  const author = forKubeProxy(kubeProxy);
  const { scheduler } = kubeProxy.ipvs;
  const sets = createProxySets(netns.ipsets, family, author('proxy-chain'));
  const made: IpvsNode = {
    name: node.name,
    servers: netns.ipvs,
    sets,
    scheduler: isScheduler(scheduler) ? scheduler : DEFAULT_SCHEDULER,
    own: new Set(family === 4 ? ownAddresses(netns) : []),
    nodeIps: nodeIpsFor(machine, family),
    bound: new Map(),
    blocked: [],
    holdsNode: (range) => familyOf(range) === 4 && cidrContains(range, node.ip),
  };
  for (const facts of servicePorts(cluster.services, family))
    addServicePort(made, onNode(facts, node));
  for (const [ip, by] of made.bound) {
    sets.add('KUBE-IPVS-IPS', ip, by('service-address'));
    if (family === 4) addrAdd(netns, DEVICE, { ip, prefix: 32 }, by('service-address'));
  }
  const local = localTraffic(kubeProxy, node, family);
  const out = ipvsRules({
    sets,
    masqueradeAll: kubeProxy.masqueradeAll,
    mark: markOf(kubeProxy.masqueradeBit),
    notLocal: local && conditions(local).isNot,
    blocked: made.blocked,
    author,
  });
  for (const table of ['filter', 'nat'] as const)
    nfRestore(
      rulesetOf(netns, family),
      table,
      Array.from(out[table], ([name, rules]) => ({ name, rules })),
    );
};

/** syncProxyRules, for both families. */
export const syncIpvs = (machine: Machine): void => {
  for (const family of [4, 6] as const) syncFamily(machine, family);
  serveHealthChecks(machine, nodePortAddresses(machine.cluster.kubeProxy, machine.node, 4));
};
