/** kube-proxy in iptables mode (kubernetes v1.34.0, pkg/proxy/iptables/proxier.go), both families. */
import type { Match, Ruleset } from '../../kernel/netfilter/ruleset.ts';
import { nfRestore } from '../../kernel/netfilter/ruleset.ts';
import { sysctlSet } from '../../kernel/netlink.ts';
import { sysctlGet } from '../../kernel/sysctl.ts';
import type { Netns } from '../../kernel/world.ts';
import { cidrContains } from '../../wire/ip.ts';
import { from, jump, notFrom, notTo, plainRule, to, typed } from '../iptables-rule.ts';
import { FIREWALL_CHAIN, localnetGuard } from '../kubelet.ts';
import type { Machine } from '../machine.ts';
import { type Author, forKubeProxy } from '../object-origin.ts';
import { serveHealthChecks } from './health-check.ts';
import {
  emptyInput,
  ensureJumps,
  markOf,
  NODE_PORTS,
  type RestoreInput,
  SERVICES,
  TCP_BE_LIBERAL,
  write,
  writeForward,
  writeMasquerade,
} from './iptables-base.ts';
import { type Surroundings, single, writeServicePort } from './iptables-service.ts';
import { type LocalTraffic, localTraffic } from './local-traffic.ts';
import { nodePortAddresses, nodePortIps } from './node-port-addresses.ts';
import { onNode } from './node-service-port.ts';
import { type Family, familyOf, servicePorts } from './service-port.ts';

const ROUTE_LOCALNET = 'net.ipv4.conf.all.route_localnet';
/** largeClusterEndpointsThreshold. */
const LARGE = 1000;

const LAST_COMMENT = 'kubernetes service nodeports; NOTE: this must be the last rule in this chain';

const rulesetOf = (netns: Netns, family: Family): Ruleset =>
  family === 4 ? netns.netfilter : netns.netfilter6;

/** A process of the node that calls 127.0.0.1 reaches a NodePort; IPv6 has no such thing. */
const onLocalhost = ({ cluster, node }: Machine, family: Family): boolean =>
  cluster.kubeProxy.localhostNodePorts &&
  nodePortAddresses(cluster.kubeProxy, node, family).loopback;

/**
 * NewProxier, and the first full sync's jumps. The jumps go before everything that is there, so
 * that it matters who starts first.
 */
export const startIptables = (machine: Machine): void => {
  const { netns, cluster } = machine;
  const author = forKubeProxy(cluster.kubeProxy);
  if (onLocalhost(machine, 4)) sysctlSet(netns, ROUTE_LOCALNET, '1', author('node-port-entry'));
  for (const family of [4, 6] as const) ensureJumps(rulesetOf(netns, family), author);
};

/** As conditions of rules. */
export const conditions = (local: LocalTraffic): NonNullable<Surroundings['local']> => {
  switch (local.kind) {
    case 'source':
      return { is: [from(local.cidr)], isNot: [notFrom(local.cidr)] };
    case 'device':
    case 'device-prefix': {
      const ifname = local.kind === 'device' ? local.ifname : `${local.prefix}+`;
      const is: Match = { kind: 'in', ifname, negate: false };
      return { is: [is], isNot: [{ ...is, negate: true }] };
    }
    default: {
      const never: never = local;
      return never;
    }
  }
};

/** The end of KUBE-SERVICES: what is not for a Service's own address may be for a node port. */
const writeNodePortEntry = (
  { nat }: RestoreInput,
  { cluster, node, netns }: Machine,
  family: Family,
  localhost: boolean,
  author: Author,
): void => {
  const origin = author('node-port-entry');
  const enter = jump(NODE_PORTS);
  const addresses = nodePortAddresses(cluster.kubeProxy, node, family);
  if (addresses.matchAll) {
    const not = family === 6 ? [notTo('::1/128')] : localhost ? [] : [notTo('127.0.0.0/8')];
    write(nat, SERVICES, plainRule(origin, [...not, typed('dst', 'LOCAL')], enter, LAST_COMMENT));
    return;
  }
  for (const ip of nodePortIps(addresses, netns)) {
    if (ip.startsWith('127.') && !localhost) continue;
    write(nat, SERVICES, plainRule(origin, [to(single(ip))], enter, LAST_COMMENT));
  }
};

const syncFamily = (machine: Machine, family: Family): void => {
  const { netns, cluster, node } = machine;
  const { kubeProxy } = cluster;
  const author = forKubeProxy(kubeProxy);
  const ports = servicePorts(cluster.services, family);
  const local = localTraffic(kubeProxy, node, family);
  const around: Surroundings = {
    family,
    masqueradeAll: kubeProxy.masqueradeAll,
    local: local && conditions(local),
    localhostNodePorts: family === 4 && onLocalhost(machine, family),
    large: ports.reduce((sum, { endpoints }) => sum + endpoints.length, 0) > LARGE,
    holdsNode: (range) => familyOf(range) === 4 && cidrContains(range, node.ip),
  };
  const out = emptyInput();
  const mark = markOf(kubeProxy.masqueradeBit);
  writeMasquerade(out, mark, author);
  if (around.localhostNodePorts)
    write(out.filter, FIREWALL_CHAIN, localnetGuard(author('localnet-guard')));
  for (const facts of ports) writeServicePort(out, around, onNode(facts, node));
  writeNodePortEntry(out, machine, family, around.localhostNodePorts, author);
  writeForward(out, mark, sysctlGet(netns, TCP_BE_LIBERAL) !== '0', author);
  for (const table of ['filter', 'nat'] as const)
    nfRestore(
      rulesetOf(netns, family),
      table,
      Array.from(out[table], ([name, rules]) => ({ name, rules })),
    );
};

/** syncProxyRules, a full one, for both families. */
export const syncIptables = (machine: Machine): void => {
  for (const family of [4, 6] as const) syncFamily(machine, family);
  serveHealthChecks(machine, nodePortAddresses(machine.cluster.kubeProxy, machine.node, 4));
};
