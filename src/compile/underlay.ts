/** The wires: the nodes' own network, and the one between its router and the world outside. */
import type { Cluster } from '../cluster/cluster.ts';
import { canonicalSysctl } from '../kernel/sysctl.ts';
import type { Attachment, Segment } from '../kernel/world.ts';
import { cidrAt, cidrOf } from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import { derivedMac, nodeKey } from './derived-name.ts';
import { NIC } from './machine.ts';

export const UNDERLAY = 'underlay';
export const OUTSIDE = 'outside';

/** MTU of the wire to the outside, in bytes. */
export const OUTSIDE_MTU = 1500;
/** The router's second device. */
export const GW_OUTSIDE_NIC = 'eth1';

/** What the wire to the outside is addressed with: external's own address, and the router's. */
export const outsideOf = ({ external }: Cluster): { cidr: Cidr; gateway: Ip } => {
  const cidr = cidrOf(external.ip, 24);
  const first = cidrAt(cidr, 1);
  return { cidr, gateway: first === external.ip ? cidrAt(cidr, 2) : first };
};

/** Names of the machines beside the nodes; a node of the same name keeps it. */
export interface OtherHosts {
  readonly gw: string;
  readonly external: string;
}

export const otherHosts = ({ nodes }: Cluster): OtherHosts => {
  const taken = new Set(nodes.map(({ name }) => name));
  const free = (name: string): string => (taken.has(name) ? free(`k8snet-${name}`) : name);
  return { gw: free('gw'), external: free('external') };
};

const PROXY_ARP = [NIC, 'all', 'default'].map((dev) => `net.ipv4.conf.${dev}.proxy_arp`);

/** What a scenario sets is known before its node is compiled. */
const mayProxy = ({ sysctl }: Cluster['nodes'][number]): boolean =>
  Object.entries(sysctl).some(
    ([key, value]) => PROXY_ARP.includes(canonicalSysctl(key)) && value !== '0',
  );

const attach = (host: string, ifname: string, ips: readonly Ip[], proxies = false): Attachment => ({
  host,
  netns: `${host}/host`,
  ifname,
  mac: derivedMac(nodeKey(host), ifname),
  ips,
  ...(proxies && { proxies }),
});

/**
 * Both wires with everybody on them, known without compiling anyone.
 * @param addressesOf all addresses that a node answers for, its own first
 */
export const segmentsOf = (
  cluster: Cluster,
  { gw, external }: OtherHosts,
  addressesOf: (node: Cluster['nodes'][number]) => readonly Ip[],
): Segment[] => {
  const outside = outsideOf(cluster);
  const gwIps = [cluster.underlay.gateway, outside.gateway];
  return [
    {
      name: UNDERLAY,
      mtu: cluster.underlay.mtu,
      attachments: [
        ...cluster.nodes.map((node) => attach(node.name, NIC, addressesOf(node), mayProxy(node))),
        attach(gw, NIC, gwIps),
      ],
      cuts: [],
    },
    {
      name: OUTSIDE,
      mtu: OUTSIDE_MTU,
      attachments: [
        attach(gw, GW_OUTSIDE_NIC, gwIps),
        attach(external, NIC, [cluster.external.ip]),
      ],
      cuts: [],
    },
  ];
};
