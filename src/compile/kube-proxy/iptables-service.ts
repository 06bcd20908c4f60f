/**
 * The rules of one Service port in iptables mode, in the order in which kube-proxy writes them
 * (kubernetes v1.34.0, pkg/proxy/iptables/proxier.go: syncProxyRules, writeServiceToEndpointRules).
 */
import type { EndpointSlice } from '../../cluster/cluster.ts';
import type { Match, Rule, Target } from '../../kernel/netfilter/ruleset.ts';
import type { Origin } from '../../kernel/origin.ts';
import {
  ACCEPT,
  DROP,
  from,
  jump,
  ofProtocol,
  plainRule,
  to,
  toPort,
  typed,
} from '../iptables-rule.ts';
import { type Author, forService, forSlice } from '../object-origin.ts';
import { endpointChain, type ServiceChains, serviceChains } from './chain-name.ts';
import {
  counted,
  EXTERNAL_SERVICES,
  MARK_MASQ,
  NODE_PORTS,
  PROXY_FIREWALL,
  REJECT,
  type RestoreInput,
  SERVICES,
  write,
} from './iptables-base.ts';
import type { NodeServicePort } from './node-service-port.ts';
import { type Family, familyOf, type ProxyEndpoint } from './service-port.ts';

/** What the rules of every Service port of a node and family have in common. */
export interface Surroundings {
  readonly family: Family;
  readonly masqueradeAll: boolean;
  /** Conditions of traffic of the node's own Pods, and of all other; absent: nobody can tell. */
  readonly local: { readonly is: readonly Match[]; readonly isNot: readonly Match[] } | undefined;
  readonly localhostNodePorts: boolean;
  /** More than a thousand endpoints: the rules of endpoints have no comments. */
  readonly large: boolean;
  /** Whether a range holds the node's own address. */
  holdsNode(range: string): boolean;
}

const TO_MARK: Target = jump(MARK_MASQ);
const LOOPBACK = '127.0.0.0/8';
const FROM_NODE = typed('src', 'LOCAL');
const TO_NODE = typed('dst', 'LOCAL');
const LOCALHOST_COUNTER = 'localhost_nps_accepted_pkts';

/** One address as iptables prints it. */
export const single = (ip: string): string => `${ip}/${familyOf(ip) === 4 ? 32 : 128}`;

/** A Service port while its rules are written. */
interface Writing {
  readonly out: RestoreInput;
  readonly around: Surroundings;
  readonly web: NodeServicePort;
  readonly chains: ServiceChains;
  readonly author: Author;
  /** `-p <protocol> -d <ip> --dport <port>`. */
  toService(ip: string): readonly Match[];
}

/** What traffic without an endpoint to go to meets, in table filter. */
const refusal = (
  { web: { hasEndpoints, facts }, around, author }: Writing,
  field: string,
): ((matches: readonly Match[]) => Rule) => {
  const [target, comment, why] = hasEndpoints
    ? ([DROP, `${facts.name} has no local endpoints`, 'service-no-local-endpoints'] as const)
    : ([REJECT[around.family], `${facts.name} has no endpoints`, 'service-no-endpoints'] as const);
  const origin = author(why, field);
  return (matches) => plainRule(origin, matches, target, comment);
};

const writeClusterIp = (writing: Writing): void => {
  const { out, web, chains, author, toService } = writing;
  const { facts, hasInternal } = web;
  const matches = toService(facts.clusterIP);
  const chain = facts.internalLocal ? chains.local : chains.cluster;
  if (hasInternal)
    write(
      out.nat,
      SERVICES,
      plainRule(
        author('service-cluster-ip', 'spec.clusterIP'),
        matches,
        jump(chain),
        `${facts.name} cluster IP`,
      ),
    );
  else write(out.filter, SERVICES, refusal(writing, 'spec.clusterIP')(matches));
};

const writeExternalIps = (writing: Writing): void => {
  const { out, web, chains, author, toService } = writing;
  const { facts, hasEndpoints, hasExternal } = web;
  for (const ip of facts.externalIPs) {
    const matches = toService(ip);
    if (hasEndpoints)
      write(
        out.nat,
        SERVICES,
        plainRule(
          author('service-external-ip', 'spec.externalIPs'),
          matches,
          jump(chains.external),
          `${facts.name} external IP`,
        ),
      );
    if (!hasExternal)
      write(out.filter, EXTERNAL_SERVICES, refusal(writing, 'spec.externalIPs')(matches));
  }
};

const BALANCER = 'status.loadBalancer';
const RANGES = 'spec.loadBalancerSourceRanges';

const writeVips = (writing: Writing): void => {
  const { out, web, chains, author, toService } = writing;
  const { facts, hasEndpoints, hasExternal, usesFirewall } = web;
  for (const ip of facts.vips) {
    const matches = toService(ip);
    if (hasEndpoints)
      write(
        out.nat,
        SERVICES,
        plainRule(
          author('service-load-balancer', BALANCER),
          matches,
          jump(usesFirewall ? chains.firewall : chains.external),
          `${facts.name} loadbalancer IP`,
        ),
      );
    if (usesFirewall)
      write(
        out.filter,
        PROXY_FIREWALL,
        plainRule(
          author('service-firewall', RANGES),
          matches,
          DROP,
          `${facts.name} traffic not accepted by ${chains.firewall}`,
        ),
      );
  }
  if (!hasExternal)
    for (const ip of facts.vips)
      write(out.filter, EXTERNAL_SERVICES, refusal(writing, BALANCER)(toService(ip)));
};

const writeNodePort = (writing: Writing): void => {
  const { out, around, web, chains, author } = writing;
  const { facts, hasEndpoints, hasExternal } = web;
  if (facts.nodePort === undefined) return;
  const matches = [ofProtocol(facts.protocol), toPort(facts.nodePort)];
  if (hasEndpoints) {
    const origin = author('service-node-port', 'spec.ports.nodePort');
    const target = jump(chains.external);
    if (around.localhostNodePorts)
      write(
        out.nat,
        NODE_PORTS,
        plainRule(
          origin,
          [to(LOOPBACK), ...matches, counted(LOCALHOST_COUNTER)],
          target,
          facts.name,
        ),
      );
    write(out.nat, NODE_PORTS, plainRule(origin, matches, target, facts.name));
  }
  if (!hasExternal)
    write(
      out.filter,
      EXTERNAL_SERVICES,
      refusal(writing, 'spec.ports.nodePort')([TO_NODE, ...matches]),
    );
};

const writeHealthCheck = ({ out, web: { facts }, author }: Writing): void => {
  if (facts.healthCheckNodePort === undefined) return;
  write(
    out.filter,
    NODE_PORTS,
    plainRule(
      author('service-health-check', 'spec.healthCheckNodePort'),
      [ofProtocol('tcp'), toPort(facts.healthCheckNodePort)],
      ACCEPT,
      `${facts.name} health check node port`,
    ),
  );
};

/** At the top of the chain of the ClusterIP: what does not come from Pods is masqueraded. */
const writeInternal = ({ out, around, web, chains, author, toService }: Writing): void => {
  const { facts, hasInternal } = web;
  const also = around.masqueradeAll ? [] : around.local?.isNot;
  if (!hasInternal || !also) return;
  write(
    out.nat,
    facts.internalLocal ? chains.local : chains.cluster,
    plainRule(
      author('service-cluster-masquerade'),
      [...also, ...toService(facts.clusterIP)],
      TO_MARK,
      `${facts.name} cluster IP`,
    ),
  );
};

const writeExternal = ({ out, around, web, chains, author }: Writing): void => {
  const { facts, hasExternal, usesExternal } = web;
  if (!usesExternal) return;
  const { name, externalLocal } = facts;
  const add = (rule: Rule): void => write(out.nat, chains.external, rule);
  const what = `${name} external destinations`;
  const policy = 'spec.externalTrafficPolicy';
  if (!externalLocal) {
    add(
      plainRule(
        author('service-external-masquerade', policy),
        [],
        TO_MARK,
        `masquerade traffic for ${what}`,
      ),
    );
  } else {
    const toAll = jump(chains.cluster);
    if (around.local)
      add(
        plainRule(
          author('service-local-pod', policy),
          around.local.is,
          toAll,
          `pod traffic for ${what}`,
        ),
      );
    const origin = author('service-local-node', policy);
    add(plainRule(origin, [FROM_NODE], TO_MARK, `masquerade LOCAL traffic for ${what}`));
    add(plainRule(origin, [FROM_NODE], toAll, `route LOCAL traffic for ${what}`));
  }
  if (hasExternal)
    add(
      plainRule(
        author('service-external-policy', policy),
        [],
        jump(externalLocal ? chains.local : chains.cluster),
      ),
    );
};

const writeFirewall = ({ out, around, web, chains, author }: Writing): void => {
  const { facts, usesFirewall } = web;
  if (!usesFirewall) return;
  const { name, sourceRanges, vips } = facts;
  const origin = author('service-source-range', RANGES);
  // A VIP may be an address of the node, which then calls it from that address.
  const nodeToo = sourceRanges.some((range) => around.holdsNode(range));
  const allowed = [...sourceRanges, ...(nodeToo ? vips.map(single) : [])];
  write(
    out.nat,
    chains.firewall,
    ...allowed.map((range) =>
      plainRule(origin, [from(range)], jump(chains.external), `${name} loadbalancer IP`),
    ),
    plainRule(
      origin,
      [],
      { kind: 'NONE' },
      `other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL`,
    ),
  );
};

/** One, as `-m statistic` counts (xt_statistic.c). */
const CERTAIN = 2 ** 31;

/** `--probability` with ten decimals (proxier.probability), as iptables keeps it. */
const oneOf = (n: number): Match => ({
  kind: 'statistic',
  probability: Math.round(Number((1 / n).toFixed(10)) * CERTAIN),
  negate: false,
});

const chances: Match[][] = [];

/** The condition of the first rule of `n` that stand for equal parts; the last has none. */
const chanceOf = (n: number): readonly Match[] => {
  chances[n] ??= n === 1 ? [] : [oneOf(n)];
  return chances[n];
};

interface Named {
  readonly endpoint: ProxyEndpoint;
  readonly chain: string;
}

const WHOLE: Record<Family, string> = {
  4: '255.255.255.255',
  6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
};

/** The list of senders that an endpoint's chain keeps: looked at, or the sender put into it. */
const recent = (family: Family, name: string, seconds?: number): Match => ({
  kind: 'recent',
  op: seconds === undefined ? 'set' : 'rcheck',
  name,
  ...(seconds !== undefined && { seconds, reap: true as const }),
  mask: WHOLE[family],
  side: 'source',
  negate: false,
});

/** writeServiceToEndpointRules: first those who were here before, then by chance. */
const writeBackends = (
  { out, around, web: { facts }, author }: Writing,
  chain: string,
  backends: readonly Named[],
): void => {
  if (backends.length === 0) return;
  const { name, affinitySeconds } = facts;
  const comment = ({ endpoint }: Named): string | undefined =>
    around.large ? undefined : `${name} -> ${endpoint.text}`;
  if (affinitySeconds !== undefined) {
    const origin = author('service-affinity', 'spec.sessionAffinity');
    for (const backend of backends) {
      const before = recent(around.family, backend.chain, affinitySeconds);
      write(out.nat, chain, plainRule(origin, [before], jump(backend.chain), comment(backend)));
    }
  }
  const origin = author('service-backend');
  let left = backends.length;
  for (const backend of backends) {
    const by = chanceOf(left--);
    write(out.nat, chain, plainRule(origin, by, jump(backend.chain), comment(backend)));
  }
};

/** What the rules of all endpoints of one slice have in common. */
interface Shared {
  readonly hairpin: Origin;
  readonly address: Origin;
  /** `-p tcp` and `-m tcp`. */
  readonly protocol: Match;
  readonly extension: Match;
  readonly comment: string | undefined;
}

const sharedBy = ({ around, web: { facts } }: Writing, slice: EndpointSlice): Shared => {
  const author = forSlice('kube-proxy', facts.service, slice);
  return {
    hairpin: author('endpoint-hairpin'),
    address: author('endpoint-address'),
    protocol: ofProtocol(facts.protocol),
    extension: { kind: 'extension', name: facts.protocol },
    comment: around.large ? undefined : facts.name,
  };
};

const writeEndpoints = (writing: Writing, backends: readonly Named[]): void => {
  const { out, web } = writing;
  const { affinitySeconds } = web.facts;
  const slices = new Map<EndpointSlice, Shared>();
  for (const { endpoint, chain } of backends) {
    const { slice, ip, port } = endpoint;
    const shared = slices.get(slice) ?? sharedBy(writing, slice);
    slices.set(slice, shared);
    const { protocol, extension, comment } = shared;
    const noted = affinitySeconds === undefined ? [] : [recent(writing.around.family, chain)];
    out.nat.set(chain, [
      plainRule(shared.hairpin, [from(single(ip))], TO_MARK, comment),
      plainRule(
        shared.address,
        [protocol, ...noted, extension],
        { kind: 'DNAT', ip, port },
        comment,
      ),
    ]);
  }
};

/** Writes the rules of one Service port into the input of iptables-restore. */
export const writeServicePort = (
  out: RestoreInput,
  around: Surroundings,
  web: NodeServicePort,
): void => {
  const { facts, reachable, clusterEndpoints, localEndpoints } = web;
  const reach = [ofProtocol(facts.protocol), toPort(facts.port.port)];
  const writing: Writing = {
    out,
    around,
    web,
    chains: serviceChains(facts),
    author: forService('kube-proxy', facts.service),
    toService: (ip) => [to(single(ip)), ...reach],
  };
  writeClusterIp(writing);
  writeExternalIps(writing);
  writeVips(writing);
  writeNodePort(writing);
  writeHealthCheck(writing);
  writeInternal(writing);
  writeExternal(writing);
  writeFirewall(writing);
  const named = reachable.map((endpoint) => ({ endpoint, chain: endpointChain(facts, endpoint) }));
  const among = (endpoints: readonly ProxyEndpoint[]): readonly Named[] => {
    if (endpoints === reachable) return named;
    const wanted = new Set(endpoints);
    return named.filter(({ endpoint }) => wanted.has(endpoint));
  };
  writeBackends(writing, writing.chains.cluster, among(clusterEndpoints));
  writeBackends(writing, writing.chains.local, among(localEndpoints));
  writeEndpoints(writing, named);
};
