/**
 * What kube-proxy in nftables mode has on every node, whatever Services there are (kubernetes
 * v1.34.1, pkg/proxy/nftables/proxier.go: setupNFTables).
 */
import { nftAddChain, nftAddRule, nftAddSet } from '../../kernel/netfilter/nft-edit.ts';
import { addressSet } from '../../kernel/netfilter/nft-order.ts';
import {
  type NftBase,
  type NftStatement,
  type NftTable,
  nftTable,
} from '../../kernel/netfilter/nft-table.ts';
import type { Origin } from '../../kernel/origin.ts';
import {
  addressPort,
  addressType,
  CT_NEW,
  concat,
  DROP,
  daddr,
  inSet,
  isLocalType,
  jumpTo,
  L4PROTO,
  matching,
  notMatching,
  RETURN,
  TH_DPORT,
  value,
  vmap,
} from '../nft-rule.ts';
import type { Author } from '../object-origin.ts';
import type { Family } from './service-port.ts';

export const CLUSTER_IPS = 'cluster-ips';
export const NODE_PORT_IPS = 'nodeport-ips';
export const SERVICE_IPS = 'service-ips';
export const SERVICE_NODE_PORTS = 'service-nodeports';
export const FIREWALL_IPS = 'firewall-ips';
export const NO_ENDPOINT_SERVICES = 'no-endpoint-services';
export const NO_ENDPOINT_NODE_PORTS = 'no-endpoint-nodeports';
export const MARK_FOR_MASQUERADE = 'mark-for-masquerade';
export const REJECT_CHAIN = 'reject-chain';

const SERVICES = 'services';
const MASQUERADING = 'masquerading';
const CLUSTER_IPS_CHECK = 'cluster-ips-check';
const FIREWALL_CHECK = 'firewall-check';
const NODE_PORT_ENDPOINTS_CHECK = 'nodeport-endpoints-check';
const SERVICE_ENDPOINTS_CHECK = 'service-endpoints-check';

const DNAT = -100;
const SNAT = 100;
const FILTER = 0;
const BEFORE_DNAT = DNAT - 10;

const BASE_CHAINS: readonly (readonly [
  name: string,
  type: NftBase['type'],
  hook: NftBase['hook'],
  priority: number,
])[] = [
  ['filter-prerouting-pre-dnat', 'filter', 'prerouting', BEFORE_DNAT],
  ['filter-output-pre-dnat', 'filter', 'output', BEFORE_DNAT],
  ['filter-input', 'filter', 'input', FILTER],
  ['filter-forward', 'filter', 'forward', FILTER],
  ['filter-output', 'filter', 'output', FILTER],
  ['nat-prerouting', 'nat', 'prerouting', DNAT],
  ['nat-output', 'nat', 'output', DNAT],
  ['nat-postrouting', 'nat', 'postrouting', SNAT],
];

const JUMPS: readonly (readonly [to: string, from: string, ...only: NftStatement[]])[] = [
  [NODE_PORT_ENDPOINTS_CHECK, 'filter-input', CT_NEW],
  [SERVICE_ENDPOINTS_CHECK, 'filter-input', CT_NEW],
  [SERVICE_ENDPOINTS_CHECK, 'filter-forward', CT_NEW],
  [SERVICE_ENDPOINTS_CHECK, 'filter-output', CT_NEW],
  [FIREWALL_CHECK, 'filter-prerouting-pre-dnat', CT_NEW],
  [FIREWALL_CHECK, 'filter-output-pre-dnat', CT_NEW],
  [SERVICES, 'nat-output'],
  [SERVICES, 'nat-prerouting'],
  [MASQUERADING, 'nat-postrouting'],
  [CLUSTER_IPS_CHECK, 'filter-forward', CT_NEW],
  [CLUSTER_IPS_CHECK, 'filter-output', CT_NEW],
];

/** What of a node and its configuration the table is made after. */
export interface NftSurroundings {
  readonly family: Family;
  /** masqueradeMark: one bit of the packet's mark. */
  readonly mark: number;
  /** Ranges of the family that ClusterIPs are from. */
  readonly serviceCIDRs: readonly string[];
  /** NodePorts answer on every address of the node, not on those of a set alone. */
  readonly everyAddress: boolean;
}

interface Making {
  readonly table: NftTable;
  readonly around: NftSurroundings;
  readonly author: Author;
}

const add = ({ table }: Making, chain: string, origin: Origin, ...statements: NftStatement[]) =>
  nftAddRule(table, chain, { statements, origin });

const note = (
  { table }: Making,
  chain: string,
  origin: Origin,
  comment: string,
  ...statements: NftStatement[]
) => nftAddRule(table, chain, { statements, comment, origin });

const makeChains = (making: Making): void => {
  const { table, author } = making;
  for (const [name, type, hook, priority] of BASE_CHAINS)
    nftAddChain(table, { name, base: { type, hook, priority, policy: 'accept' } });
  for (const name of new Set([...JUMPS.map(([to]) => to), MARK_FOR_MASQUERADE]))
    nftAddChain(table, { name });
  for (const [to, from, ...only] of JUMPS)
    add(making, from, author('proxy-chain'), ...only, jumpTo(to));
};

const writeMasquerade = (making: Making): void => {
  const { author, around } = making;
  const { mark } = around;
  const marked = { kind: 'masked', of: { kind: 'meta', key: 'mark' }, mask: mark } as const;
  const origin = author('proxy-masquerade');
  add(making, MARK_FOR_MASQUERADE, author('proxy-mark'), { kind: 'mark', op: 'or', value: mark });
  add(making, MASQUERADING, origin, matching(marked, value(0)), RETURN);
  add(making, MASQUERADING, origin, { kind: 'mark', op: 'xor', value: mark });
  add(making, MASQUERADING, origin, { kind: 'masquerade', fullyRandom: true });
};

/** What is for a ClusterIP and no Service took: a port that it does not have, or nobody's address. */
const writeClusterIps = (making: Making): void => {
  const { table, around, author } = making;
  const { family, serviceCIDRs } = around;
  const type = addressType(family);
  nftAddSet(table, {
    kind: 'set',
    name: CLUSTER_IPS,
    key: [type],
    flags: [],
    comment: 'Active ClusterIPs',
  });
  note(
    making,
    CLUSTER_IPS_CHECK,
    author('service-port-undefined'),
    'Reject traffic to invalid ports of ClusterIPs',
    matching(daddr(family), inSet(CLUSTER_IPS)),
    { kind: 'reject' },
  );
  if (serviceCIDRs.length > 0)
    note(
      making,
      CLUSTER_IPS_CHECK,
      author('cluster-ip-unallocated'),
      'Drop traffic to unallocated ClusterIPs',
      matching(daddr(family), addressSet(type, serviceCIDRs)),
      DROP,
    );
};

const addMap = ({ table, around }: Making, name: string, comment: string, whole = true): void => {
  const key = whole ? addressPort(around.family) : (['inet_proto', 'inet_service'] as const);
  nftAddSet(table, { kind: 'map', name, key, data: 'verdict', flags: [], comment });
};

const writeMaps = (making: Making): void => {
  const { table, around, author } = making;
  const { family, everyAddress } = around;
  const origin = author('proxy-chain');
  const destination = daddr(family);
  const whole = concat(destination, L4PROTO, TH_DPORT);
  const portAlone = concat(L4PROTO, TH_DPORT);
  const notLocalhost = notMatching(destination, value(family === 4 ? '127.0.0.0/8' : '::1'));
  const ofSet = matching(destination, inSet(NODE_PORT_IPS));
  if (!everyAddress)
    nftAddSet(table, {
      kind: 'set',
      name: NODE_PORT_IPS,
      key: [addressType(family)],
      flags: [],
      comment: 'IPs that accept NodePort traffic',
    });
  addMap(
    making,
    NO_ENDPOINT_SERVICES,
    'vmap to drop or reject packets to services with no endpoints',
  );
  addMap(
    making,
    NO_ENDPOINT_NODE_PORTS,
    'vmap to drop or reject packets to service nodeports with no endpoints',
    false,
  );
  nftAddChain(table, {
    name: REJECT_CHAIN,
    comment: 'helper for @no-endpoint-services / @no-endpoint-nodeports',
  });
  add(making, REJECT_CHAIN, origin, { kind: 'reject' });
  add(making, SERVICE_ENDPOINTS_CHECK, origin, vmap(whole, NO_ENDPOINT_SERVICES));
  add(
    making,
    NODE_PORT_ENDPOINTS_CHECK,
    origin,
    everyAddress ? notLocalhost : ofSet,
    vmap(portAlone, NO_ENDPOINT_NODE_PORTS),
  );
  addMap(making, FIREWALL_IPS, 'destinations that are subject to LoadBalancerSourceRanges');
  add(making, FIREWALL_CHECK, origin, vmap(whole, FIREWALL_IPS));
  addMap(making, SERVICE_IPS, 'ClusterIP, ExternalIP and LoadBalancer IP traffic');
  addMap(making, SERVICE_NODE_PORTS, 'NodePort traffic', false);
  add(making, SERVICES, origin, vmap(whole, SERVICE_IPS));
  add(
    making,
    SERVICES,
    author('node-port-entry'),
    ...(everyAddress ? [isLocalType('daddr'), notLocalhost] : [ofSet]),
    vmap(portAlone, SERVICE_NODE_PORTS),
  );
};

/** The table as it is before any Service is in it. */
export const baseTable = (around: NftSurroundings, author: Author): NftTable => {
  const table = nftTable(around.family === 4 ? 'ip' : 'ip6', 'kube-proxy', 'rules for kube-proxy');
  const making: Making = { table, around, author };
  makeChains(making);
  writeMasquerade(making);
  writeClusterIps(making);
  writeMaps(making);
  return table;
};
