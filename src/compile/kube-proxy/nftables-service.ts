/**
 * The chains, elements and sets of one Service port in nftables mode, in the order in which
 * kube-proxy writes them (kubernetes v1.34.1, pkg/proxy/nftables/proxier.go: syncProxyRules,
 * writeServiceToEndpointRules).
 */
import {
  nftAddChain,
  nftAddElement,
  nftAddRule,
  nftAddSet,
} from '../../kernel/netfilter/nft-edit.ts';
import { addressSet } from '../../kernel/netfilter/nft-order.ts';
import type {
  NftStatement,
  NftTable,
  NftValue,
  NftVerdict,
} from '../../kernel/netfilter/nft-table.ts';
import type { Origin } from '../../kernel/origin.ts';
import {
  addressType,
  DROP,
  daddr,
  goTo,
  inSet,
  isLocalType,
  jumpTo,
  L4PROTO,
  matching,
  notMatching,
  PROTOCOL,
  saddr,
  value,
} from '../nft-rule.ts';
import { type Author, forService, forSlice } from '../object-origin.ts';
import {
  CLUSTER_IPS,
  FIREWALL_IPS,
  MARK_FOR_MASQUERADE,
  NO_ENDPOINT_NODE_PORTS,
  NO_ENDPOINT_SERVICES,
  REJECT_CHAIN,
  SERVICE_IPS,
  SERVICE_NODE_PORTS,
} from './nftables-base.ts';
import { type NftServiceChains, nftEndpointNames, nftServiceChains } from './nftables-name.ts';
import type { NodeServicePort } from './node-service-port.ts';
import type { Family, ProxyEndpoint } from './service-port.ts';

/** What all Service ports of a node and family have in common. */
export interface NftNode {
  readonly table: NftTable;
  readonly family: Family;
  readonly masqueradeAll: boolean;
  /** Conditions of traffic of the node's own Pods, and of all other; absent: nobody can tell. */
  readonly local: { readonly is: NftStatement; readonly isNot: NftStatement } | undefined;
  /** ClusterIPs that are in their set already: a Service has one for all its ports. */
  readonly clusterIPs: Set<string>;
  /** Whether a range holds the node's own address. */
  holdsNode(range: string): boolean;
}

/** A Service port while it is written. */
interface Writing {
  readonly node: NftNode;
  readonly web: NodeServicePort;
  readonly chains: NftServiceChains;
  readonly author: Author;
  readonly protocol: number;
}

const IPS = {
  cluster: ['service-cluster-ip', 'spec.clusterIP'],
  external: ['service-external-ip', 'spec.externalIPs'],
  balancer: ['service-load-balancer', 'status.loadBalancer'],
  nodePort: ['service-node-port', 'spec.ports.nodePort'],
} as const;

type Way = keyof typeof IPS;

const MARK = jumpTo(MARK_FOR_MASQUERADE);

const rule = (
  { node }: Writing,
  chain: string,
  origin: Origin,
  statements: readonly NftStatement[],
  comment?: string,
): void =>
  nftAddRule(node.table, chain, {
    statements,
    ...(comment !== undefined && { comment }),
    origin,
  });

/** Where no endpoint is: refused without any, dropped where others have one. */
const refuse = (writing: Writing, map: string, key: readonly NftValue[], way: Way): void => {
  const { node, web, author } = writing;
  const [, field] = IPS[way];
  const verdict: NftVerdict = web.hasEndpoints
    ? { kind: 'drop' }
    : { kind: 'goto', chain: REJECT_CHAIN };
  const why = web.hasEndpoints ? 'service-no-local-endpoints' : 'service-no-endpoints';
  nftAddElement(node.table, map, {
    key,
    verdict,
    comment: web.facts.name,
    origin: author(why, field),
  });
};

const lead = (
  { node, author }: Writing,
  map: string,
  key: readonly NftValue[],
  chain: string,
  way: Way,
): void => {
  const [why, field] = IPS[way];
  const verdict: NftVerdict = { kind: 'goto', chain };
  nftAddElement(node.table, map, { key, verdict, origin: author(why, field) });
};

const makeChains = ({ node, web, chains }: Writing): void => {
  const { table } = node;
  const { facts, clusterEndpoints, localEndpoints, reachable, usesExternal } = web;
  for (const endpoint of reachable)
    nftAddChain(table, { name: nftEndpointNames(facts, endpoint).chain });
  if (clusterEndpoints.length > 0) nftAddChain(table, { name: chains.cluster });
  if (localEndpoints.length > 0) nftAddChain(table, { name: chains.local });
  if (usesExternal) nftAddChain(table, { name: chains.external });
};

const internalChain = ({ web, chains }: Writing): string =>
  web.facts.internalLocal ? chains.local : chains.cluster;

const writeClusterIp = (writing: Writing): void => {
  const { node, web, author, protocol } = writing;
  const { facts, hasInternal } = web;
  const { clusterIP, port } = facts;
  if (!node.clusterIPs.has(clusterIP))
    nftAddElement(node.table, CLUSTER_IPS, {
      key: [clusterIP],
      origin: author(...IPS.cluster),
    });
  node.clusterIPs.add(clusterIP);
  const key = [clusterIP, protocol, port.port];
  if (hasInternal) lead(writing, SERVICE_IPS, key, internalChain(writing), 'cluster');
  else refuse(writing, NO_ENDPOINT_SERVICES, key, 'cluster');
};

const writeExternalIps = (writing: Writing, ips: readonly string[], way: Way): void => {
  const { web, chains, protocol } = writing;
  const { facts, hasEndpoints, hasExternal } = web;
  for (const ip of ips) {
    const key = [ip, protocol, facts.port.port];
    if (hasEndpoints) lead(writing, SERVICE_IPS, key, chains.external, way);
    if (!hasExternal) refuse(writing, NO_ENDPOINT_SERVICES, key, way);
  }
};

const RANGES = 'spec.loadBalancerSourceRanges';

/** Asked before a destination is changed: it holds whether there are endpoints or not. */
const writeFirewall = (writing: Writing): void => {
  const { node, web, chains, author, protocol } = writing;
  const { vips, sourceRanges, port } = web.facts;
  if (vips.length === 0 || sourceRanges.length === 0) return;
  const origin = author('service-firewall', RANGES);
  nftAddChain(node.table, { name: chains.firewall });
  for (const ip of vips)
    nftAddElement(node.table, FIREWALL_IPS, {
      key: [ip, protocol, port.port],
      verdict: { kind: 'goto', chain: chains.firewall },
      origin,
    });
  const fromNode = sourceRanges.some((range) => node.holdsNode(range)) ? vips : [];
  const allowed = addressSet(addressType(node.family), [...sourceRanges, ...fromNode]);
  rule(writing, chains.firewall, origin, [notMatching(saddr(node.family), allowed), DROP]);
};

const writeNodePort = (writing: Writing): void => {
  const { web, chains, protocol } = writing;
  const { facts, hasEndpoints, hasExternal } = web;
  if (facts.nodePort === undefined) return;
  const key = [protocol, facts.nodePort];
  if (hasEndpoints) lead(writing, SERVICE_NODE_PORTS, key, chains.external, 'nodePort');
  if (!hasExternal) refuse(writing, NO_ENDPOINT_NODE_PORTS, key, 'nodePort');
};

const writeInternal = (writing: Writing): void => {
  const { node, web, author } = writing;
  if (!web.hasInternal || !(node.masqueradeAll || node.local)) return;
  const to = matching(daddr(node.family), value(web.facts.clusterIP));
  const origin = author('service-cluster-masquerade', 'spec.clusterIP');
  const who = node.masqueradeAll || !node.local ? [] : [node.local.isNot];
  rule(writing, internalChain(writing), origin, [to, ...who, MARK]);
};

const POLICY = 'spec.externalTrafficPolicy';

const writeExternal = (writing: Writing): void => {
  const { node, web, chains, author } = writing;
  const { facts, hasExternal, usesExternal } = web;
  if (!usesExternal) return;
  const chain = chains.external;
  if (facts.externalLocal) {
    const fromNode = isLocalType('saddr');
    if (node.local)
      rule(
        writing,
        chain,
        author('service-local-pod', POLICY),
        [node.local.is, goTo(chains.cluster)],
        'short-circuit pod traffic',
      );
    const origin = author('service-local-node', POLICY);
    rule(writing, chain, origin, [fromNode, MARK], 'masquerade local traffic');
    rule(writing, chain, origin, [fromNode, goTo(chains.cluster)], 'short-circuit local traffic');
  } else rule(writing, chain, author('service-external-masquerade', POLICY), [MARK]);
  if (hasExternal)
    rule(writing, chain, author('service-external-policy', POLICY), [
      goTo(facts.externalLocal ? chains.local : chains.cluster),
    ]);
};

const writeAffinitySets = ({ node, web }: Writing): void => {
  const { affinitySeconds } = web.facts;
  if (affinitySeconds === undefined) return;
  for (const endpoint of web.reachable)
    nftAddSet(node.table, {
      kind: 'set',
      name: nftEndpointNames(web.facts, endpoint).affinity,
      key: [addressType(node.family)],
      flags: ['dynamic', 'timeout'],
      timeout: affinitySeconds,
    });
};

const writeBackends = (
  writing: Writing,
  chain: string,
  endpoints: readonly ProxyEndpoint[],
): void => {
  const { node, web, author } = writing;
  const { facts } = web;
  if (endpoints.length === 0) return;
  const names = endpoints.map((endpoint) => nftEndpointNames(facts, endpoint));
  if (facts.affinitySeconds !== undefined)
    for (const { affinity, chain: to } of names)
      rule(writing, chain, author('service-affinity', 'spec.sessionAffinity'), [
        matching(saddr(node.family), inSet(affinity)),
        goTo(to),
      ]);
  const map = names.map(({ chain: to }, at) => ({
    key: [at],
    verdict: { kind: 'goto', chain: to } as const,
  }));
  rule(writing, chain, author('service-backend'), [
    { kind: 'vmap', on: { kind: 'numgen', mode: 'random', mod: endpoints.length }, map },
  ]);
};

const writeEndpoints = (writing: Writing): void => {
  const { node, web, protocol } = writing;
  const { facts, reachable } = web;
  const source = saddr(node.family);
  for (const endpoint of reachable) {
    const { ip, port } = endpoint;
    const { chain, affinity } = nftEndpointNames(facts, endpoint);
    const author = forSlice('kube-proxy', facts.service, endpoint.slice);
    rule(writing, chain, author('endpoint-hairpin'), [matching(source, value(ip)), MARK]);
    if (facts.affinitySeconds !== undefined)
      rule(writing, chain, writing.author('service-affinity', 'spec.sessionAffinity'), [
        { kind: 'set-element', op: 'update', set: affinity, key: source },
      ]);
    rule(writing, chain, author('endpoint-address'), [
      matching(L4PROTO, value(protocol)),
      { kind: 'dnat', to: { ip, port } },
    ]);
  }
};

/** All that one Service port brings to the table of a node. */
export const writeNftServicePort = (node: NftNode, web: NodeServicePort): void => {
  const { facts } = web;
  const writing: Writing = {
    node,
    web,
    chains: nftServiceChains(facts),
    author: forService('kube-proxy', facts.service),
    protocol: PROTOCOL[facts.protocol],
  };
  makeChains(writing);
  writeClusterIp(writing);
  writeExternalIps(writing, facts.externalIPs, 'external');
  writeFirewall(writing);
  writeExternalIps(writing, facts.vips, 'balancer');
  writeNodePort(writing);
  writeInternal(writing);
  writeExternal(writing);
  writeAffinitySets(writing);
  writeBackends(writing, writing.chains.cluster, web.clusterEndpoints);
  writeBackends(writing, writing.chains.local, web.localEndpoints);
  writeEndpoints(writing);
};
