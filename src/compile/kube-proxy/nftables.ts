/** kube-proxy in nftables mode (kubernetes v1.34.1, pkg/proxy/nftables/proxier.go), both families. */
import type { KubeProxyConfig } from '../../cluster/cluster.ts';
import { nftAddElement, nftLoad } from '../../kernel/netfilter/nft-edit.ts';
import type { NftExpr, NftTable } from '../../kernel/netfilter/nft-table.ts';
import { edited } from '../../kernel/netfilter/ruleset.ts';
import { cidrContains } from '../../wire/ip.ts';
import type { Machine } from '../machine.ts';
import { matching, notMatching, saddr, value } from '../nft-rule.ts';
import { forKubeProxy } from '../object-origin.ts';
import { serveHealthChecks } from './health-check.ts';
import { type LocalTraffic, localTraffic } from './local-traffic.ts';
import { baseTable, NODE_PORT_IPS } from './nftables-base.ts';
import { type NftNode, writeNftServicePort } from './nftables-service.ts';
import { type NodePortAddresses, nodePortAddresses, nodePortIps } from './node-port-addresses.ts';
import { onNode } from './node-service-port.ts';
import { type Family, familyOf, servicePorts } from './service-port.ts';

const FAMILIES = [4, 6] as const;

/** In this mode NodePorts answer on the node's primary addresses, unless it is told otherwise. */
const addressesOf = ({ cluster, node }: Machine, family: Family): NodePortAddresses => {
  const { kubeProxy } = cluster;
  const config: KubeProxyConfig =
    kubeProxy.nodePortAddresses.length > 0
      ? kubeProxy
      : { ...kubeProxy, nodePortAddresses: ['primary'] };
  return nodePortAddresses(config, node, family);
};

const tableName = (family: Family) => (family === 4 ? 'ip' : 'ip6');

const makeTable = (machine: Machine, family: Family): NftTable => {
  const { kubeProxy, network } = machine.cluster;
  return baseTable(
    {
      family,
      mark: (1 << kubeProxy.masqueradeBit) >>> 0,
      serviceCIDRs: [network.serviceCIDR].filter((cidr) => familyOf(cidr) === family),
      everyAddress: addressesOf(machine, family).matchAll,
    },
    forKubeProxy(kubeProxy),
  );
};

/** The first sync, before there is a Service: base chains have their place among others from then on. */
export const startNftables = (machine: Machine): void => {
  for (const family of FAMILIES) nftLoad(machine.netns.netfilter, makeTable(machine, family));
};

const conditions = (local: LocalTraffic, family: Family): NonNullable<NftNode['local']> => {
  if (local.kind === 'source')
    return {
      is: matching(saddr(family), value(local.cidr)),
      isNot: notMatching(saddr(family), value(local.cidr)),
    };
  const device: NftExpr = { kind: 'meta', key: 'iifname' };
  const name = value(local.kind === 'device' ? local.ifname : `${local.prefix}*`);
  return { is: matching(device, name), isNot: notMatching(device, name) };
};

const writeNodePortIps = (machine: Machine, family: Family, table: NftTable): void => {
  const { netns, cluster } = machine;
  const addresses = addressesOf(machine, family);
  if (addresses.matchAll) return;
  const origin = forKubeProxy(cluster.kubeProxy)('node-port-entry');
  for (const ip of nodePortIps(addresses, netns))
    if (familyOf(ip) === family && !ip.startsWith('127.'))
      nftAddElement(table, NODE_PORT_IPS, { key: [ip], origin });
};

const syncFamily = (machine: Machine, family: Family): void => {
  const { netns, cluster, node } = machine;
  const { kubeProxy } = cluster;
  const table = netns.netfilter.nft?.find(
    (one) => one.family === tableName(family) && one.name === 'kube-proxy',
  );
  if (!table) throw new TypeError('kube-proxy has not been started');
  writeNodePortIps(machine, family, table);
  const local = localTraffic(kubeProxy, node, family);
  const around: NftNode = {
    table,
    family,
    masqueradeAll: kubeProxy.masqueradeAll,
    local: local && conditions(local, family),
    clusterIPs: new Set(),
    holdsNode: (range) => familyOf(range) === 4 && cidrContains(range, node.ip),
  };
  for (const facts of servicePorts(cluster.services, family))
    writeNftServicePort(around, onNode(facts, node));
  edited(netns.netfilter);
};

/** syncProxyRules, a full one, for both families. */
export const syncNftables = (machine: Machine): void => {
  for (const family of FAMILIES) syncFamily(machine, family);
  serveHealthChecks(machine, addressesOf(machine, 4));
};
