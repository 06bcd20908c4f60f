/**
 * What one Service port brings in IPVS mode: virtual servers, their real servers, members of sets,
 * addresses of kube-ipvs0 (kubernetes v1.34.0, pkg/proxy/ipvs/proxier.go: syncProxyRules,
 * syncService, syncEndpoint).
 */
import {
  type RealServer,
  type Scheduler,
  type VirtualServer,
  type VirtualServers,
  virtualServerSet,
} from '../../kernel/ipvs/virtual-server.ts';
import type { OriginWhy } from '../../kernel/origin.ts';
import { type Author, forService, forSlice } from '../object-origin.ts';
import type { NodeBlock } from './ipvs-rules.ts';
import type { ProxySets } from './ipvs-sets.ts';
import type { NodeServicePort } from './node-service-port.ts';
import type { ProxyEndpoint, ServicePortFacts } from './service-port.ts';

/** A node while its virtual servers are made. */
export interface IpvsNode {
  readonly name: string;
  readonly servers: VirtualServers;
  readonly sets: ProxySets;
  readonly scheduler: Scheduler;
  /** Addresses of the node's other devices, loopback apart. */
  readonly own: ReadonlySet<string>;
  /** Where NodePorts answer. */
  readonly nodeIps: readonly string[];
  /** Addresses for kube-ipvs0, with who wants them. */
  readonly bound: Map<string, Author>;
  readonly blocked: NodeBlock[];
  /** Whether a range holds the node's own address. */
  holdsNode(range: string): boolean;
}

const serversOf = (
  { service }: ServicePortFacts,
  endpoints: readonly ProxyEndpoint[],
): RealServer[] =>
  endpoints.map(({ ip, port, slice }) => ({
    ip,
    port,
    weight: 1,
    origin: forSlice('kube-proxy', service, slice)('service-backend'),
  }));

/** Of a Local policy without a local endpoint all endpoints serve, unlike in the other modes. */
const endpointsFor = (
  { clusterEndpoints, localEndpoints }: NodeServicePort,
  local: boolean,
): readonly ProxyEndpoint[] =>
  local && localEndpoints.length > 0 ? localEndpoints : clusterEndpoints;

interface Wanted {
  readonly ip: string;
  readonly port: number;
  /** Its policy is Local. */
  readonly local: boolean;
  /** The address goes on kube-ipvs0, unless another device has it. */
  readonly bind: boolean;
  readonly why: OriginWhy;
}

const serve = (node: IpvsNode, port: NodeServicePort, wanted: Wanted): void => {
  const { facts } = port;
  const author = forService('kube-proxy', facts.service);
  const { scheduler } = node;
  const server: VirtualServer = {
    protocol: facts.protocol,
    ip: wanted.ip,
    port: wanted.port,
    scheduler,
    servers: serversOf(facts, endpointsFor(port, wanted.local)),
    origin: author(wanted.why),
    ...(facts.affinitySeconds !== undefined && { persistent: facts.affinitySeconds }),
    ...(scheduler === 'mh' && { flags: ['mh-port'] as const }),
  };
  virtualServerSet(node.servers, server);
  if (wanted.bind && !node.bound.has(wanted.ip)) node.bound.set(wanted.ip, author);
};

/** A Pod that reaches itself through a Service would get its answer past this node. */
const addHairpins = ({ name, sets }: IpvsNode, { facts }: NodeServicePort): void => {
  for (const { ip, port, slice, of } of facts.endpoints) {
    if (of.nodeName !== name) continue;
    const origin = forSlice('kube-proxy', facts.service, slice)('endpoint-hairpin');
    sets.add('KUBE-LOOP-BACK', `${ip},${facts.protocol}:${port},${ip}`, origin);
  }
};

const addClusterIp = (node: IpvsNode, port: NodeServicePort): void => {
  const { facts } = port;
  const { clusterIP: ip, internalLocal: local, protocol } = facts;
  const origin = forService('kube-proxy', facts.service)('service-cluster-ip');
  node.sets.add('KUBE-CLUSTER-IP', `${ip},${protocol}:${facts.port.port}`, origin);
  serve(node, port, { ip, port: facts.port.port, local, bind: true, why: 'service-cluster-ip' });
};

const addExternalIps = (node: IpvsNode, port: NodeServicePort): void => {
  const { facts } = port;
  const { externalLocal: local, protocol } = facts;
  const origin = forService('kube-proxy', facts.service)('service-external-ip');
  for (const ip of facts.externalIPs) {
    const set = local ? 'KUBE-EXTERNAL-IP-LOCAL' : 'KUBE-EXTERNAL-IP';
    node.sets.add(set, `${ip},${protocol}:${facts.port.port}`, origin);
    const bind = !node.own.has(ip);
    serve(node, port, { ip, port: facts.port.port, local, bind, why: 'service-external-ip' });
  }
};

/** Who may use a VIP, where not everybody may. */
const addSourceRanges = (node: IpvsNode, { facts }: NodeServicePort, ip: string): void => {
  const { sets } = node;
  const { sourceRanges, protocol, port } = facts;
  if (sourceRanges.length === 0) return;
  const author = forService('kube-proxy', facts.service);
  const entry = `${ip},${protocol}:${port.port}`;
  sets.add('KUBE-LOAD-BALANCER-FW', entry, author('service-firewall'));
  const allowed = author('service-source-range');
  for (const range of sourceRanges) {
    const whole = range.endsWith(node.sets.family === 4 ? '/32' : '/128');
    const net = whole ? range.slice(0, range.indexOf('/')) : range;
    sets.add('KUBE-LOAD-BALANCER-SOURCE-CIDR', `${entry},${net}`, allowed);
  }
  if (sourceRanges.some((range) => node.holdsNode(range)))
    sets.add('KUBE-LOAD-BALANCER-SOURCE-IP', `${entry},${ip}`, allowed);
  else node.blocked.push({ ip, port: port.port, protocol, origin: author('service-firewall') });
};

const addVips = (node: IpvsNode, port: NodeServicePort): void => {
  const { facts } = port;
  const { externalLocal: local, protocol } = facts;
  const origin = forService('kube-proxy', facts.service)('service-load-balancer');
  for (const ip of facts.vips) {
    const entry = `${ip},${protocol}:${facts.port.port}`;
    node.sets.add('KUBE-LOAD-BALANCER', entry, origin);
    if (local) node.sets.add('KUBE-LOAD-BALANCER-LOCAL', entry, origin);
    addSourceRanges(node, port, ip);
    const bind = !node.own.has(ip);
    serve(node, port, { ip, port: facts.port.port, local, bind, why: 'service-load-balancer' });
  }
};

const SET_KIND = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP-HASH' } as const;

const addNodePort = (node: IpvsNode, port: NodeServicePort): void => {
  const { facts } = port;
  const { nodePort, protocol, externalLocal: local } = facts;
  if (nodePort === undefined || node.nodeIps.length === 0) return;
  const origin = forService('kube-proxy', facts.service)('service-node-port');
  const entries =
    protocol === 'sctp' ? node.nodeIps.map((ip) => `${ip},sctp:${nodePort}`) : [String(nodePort)];
  const kind = SET_KIND[protocol];
  for (const entry of entries) {
    node.sets.add(`KUBE-NODE-PORT-${kind}`, entry, origin);
    if (local) node.sets.add(`KUBE-NODE-PORT-LOCAL-${kind}`, entry, origin);
  }
  for (const ip of node.nodeIps)
    serve(node, port, { ip, port: nodePort, local, bind: false, why: 'service-node-port' });
};

/** Everything that a Service port brings to a node. */
export const addServicePort = (node: IpvsNode, port: NodeServicePort): void => {
  addHairpins(node, port);
  addClusterIp(node, port);
  addExternalIps(node, port);
  addVips(node, port);
  addNodePort(node, port);
  const { healthCheckNodePort, service } = port.facts;
  if (healthCheckNodePort === undefined) return;
  const origin = forService('kube-proxy', service)('service-health-check');
  node.sets.add('KUBE-HEALTH-CHECK-NODE-PORT', String(healthCheckNodePort), origin);
};
