/** Random clusters with random policies of every kind, small enough to be asked cell by cell. */
import type { ClusterNode, Pod } from '../../src/cluster/cluster.ts';
import type {
  Policy,
  PolicyPeer,
  PolicyPort,
  PolicyRule,
} from '../../src/cluster/policy/policy.ts';
import type { Labels, Requirement, Selector } from '../../src/cluster/selector.ts';
import type { PolicyCluster } from '../../src/policy/party.ts';
import { clusterOf, node, pod } from './parts.ts';

/** mulberry32: the same numbers on every machine. */
export const numbersFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Ports at which some rule or container may make a difference, and their neighbours. */
export const INTERESTING = [1, 52, 53, 54, 79, 80, 81, 89, 90, 91, 443, 8079, 8080, 8081, 65_535];

const NAMESPACES = ['shop', 'data', 'ops'];
const POD_LABELS: Readonly<Record<string, readonly string[]>> = {
  app: ['web', 'db', 'cache'],
  tier: ['front', 'back'],
};
const NAMESPACE_LABELS: Readonly<Record<string, readonly string[]>> = { team: ['a', 'b'] };
const NODE_LABELS: Readonly<Record<string, readonly string[]>> = { zone: ['x', 'y'] };
const PORTS = ['http:80', 'http:8080', 'http:90', 'dns:53/udp', 'dns:53', 'sig:80/sctp', '443'];
const V4 = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.244.0.0/16',
  '10.244.1.0/24',
  '10.244.1.2/31',
  '192.168.10.0/24',
  '192.168.10.11/32',
  '203.0.113.0/24',
  '0.0.0.0/1',
];
const V6 = ['::/0', 'fd00::/8', 'fd00:10:244:1::/64', 'fd00:10:244:1::2/127', '2001:db8::/32'];

export const randomCluster = (seed: number): PolicyCluster => {
  const next = numbersFrom(seed);
  const chance = (odds: number): boolean => next() < odds;
  const below = (count: number): number => Math.floor(next() * count);
  const one = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const many = <T>(most: number, make: () => T): T[] =>
    Array.from({ length: below(most + 1) }, make);

  const labels = (keys: Readonly<Record<string, readonly string[]>>): Labels =>
    Object.fromEntries(
      Object.entries(keys).flatMap(([key, values]) => (chance(0.7) ? [[key, one(values)]] : [])),
    );

  const requirement = (keys: Readonly<Record<string, readonly string[]>>): Requirement => {
    const key = one(Object.keys(keys));
    const values = keys[key] ?? [];
    const operator = chance(0.6) ? 'In' : one(['NotIn', 'Exists', 'DoesNotExist'] as const);
    const isListed = operator === 'In' || operator === 'NotIn';
    return {
      key,
      operator,
      values: isListed ? (chance(0.3) ? [one(values), one(values)] : [one(values)]) : [],
    };
  };
  const selector = (keys: Readonly<Record<string, readonly string[]>>): Selector =>
    chance(0.25) ? [] : chance(0.75) ? [requirement(keys)] : [requirement(keys), requirement(keys)];
  const namespaceSelector = (): Selector =>
    chance(0.3)
      ? [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [one(NAMESPACES)] }]
      : selector(NAMESPACE_LABELS);

  const isDual = chance(0.4);
  const nodes: ClusterNode[] = [1, 2].map((at) =>
    node(`node-${at}`, `192.168.10.${10 + at}`, labels(NODE_LABELS)),
  );
  const pods: Pod[] = Array.from({ length: 3 + below(5) }, (_, index) => {
    const at = 1 + below(2);
    const hostNetwork = chance(0.15);
    const isPending = chance(0.08);
    const onlyIpv6 = !hostNetwork && isDual && chance(0.15);
    const v6 = `fd00:10:244:${at}::${(2 + index).toString(16)}`;
    const address: Partial<Pod> = isPending
      ? { phase: 'Pending', node: chance(0.5) ? `node-${at}` : undefined }
      : hostNetwork
        ? { ip: `192.168.10.${10 + at}` }
        : onlyIpv6
          ? { onlyIpv6: v6 }
          : { ip: `10.244.${at}.${2 + index}`, ...(isDual && chance(0.7) && { ipv6: v6 }) };
    return pod(`${one(NAMESPACES)}/pod-${index}`, labels(POD_LABELS), {
      node: `node-${at}`,
      hostNetwork,
      ports: many(3, () => one(PORTS)),
      ...(chance(0.06) && { phase: 'Succeeded' as const }),
      ...address,
    });
  });

  const cidr = (): PolicyPeer & { readonly kind: 'block' } => {
    const pool = isDual && chance(0.4) ? V6 : V4;
    return { kind: 'block', cidr: one(pool), except: chance(0.4) ? many(2, () => one(pool)) : [] };
  };
  const number = (): number => one([53, 80, 81, 90, 443, 8080]);
  const port = (anyNames: boolean): PolicyPort => {
    const protocol = chance(0.6) ? 'tcp' : one(['udp', 'sctp'] as const);
    if (chance(0.3)) {
      const name = one(['http', 'dns', 'sig', 'nobody']);
      return { protocol: anyNames ? 'any' : protocol, port: name };
    }
    if (chance(0.2)) return { protocol };
    const from = number();
    return chance(0.4)
      ? { protocol, port: from, endPort: from + below(12) }
      : { protocol, port: from };
  };
  const ports = (anyNames: boolean): PolicyRule['ports'] =>
    chance(0.35) ? 'all' : Array.from({ length: 1 + below(2) }, () => port(anyNames));

  const networkRule = (): PolicyRule => ({
    action: 'accept',
    peers: chance(0.2)
      ? 'everyone'
      : Array.from({ length: 1 + below(2) }, () =>
          chance(0.35)
            ? cidr()
            : {
                kind: 'pods',
                namespaces: chance(0.5) ? 'own' : namespaceSelector(),
                pods: selector(POD_LABELS),
              },
        ),
    ports: ports(false),
  });
  const tierRule = (isEgress: boolean): PolicyRule => {
    const action = one(['accept', 'deny', 'pass'] as const);
    const peer = (): PolicyPeer => {
      if (isEgress && chance(0.25)) return { ...cidr(), except: [] };
      if (isEgress && chance(0.2)) return { kind: 'nodes', nodes: selector(NODE_LABELS) };
      if (isEgress && chance(0.2))
        return {
          kind: 'domain-names',
          names: [chance(0.7) ? 'example.com' : '*.shop.svc.cluster.local'],
        };
      return { kind: 'pods', namespaces: namespaceSelector(), pods: selector(POD_LABELS) };
    };
    return { action, peers: Array.from({ length: 1 + below(2) }, peer), ports: ports(true) };
  };

  const networkPolicies = many(4, (): Policy => {
    const directions = one(['ingress', 'egress', 'both'] as const);
    return {
      kind: 'NetworkPolicy',
      tier: 'network-policy',
      namespace: one(NAMESPACES),
      name: `policy-${below(1000)}`,
      subject: { namespaces: 'own', pods: selector(POD_LABELS) },
      ...(directions !== 'egress' && { ingress: many(3, networkRule) }),
      ...(directions !== 'ingress' && { egress: many(3, networkRule) }),
    };
  });
  const tierPolicies = (tier: 'admin' | 'baseline', most: number): Policy[] =>
    many(
      most,
      (): Policy => ({
        kind: chance(0.5)
          ? 'ClusterNetworkPolicy'
          : tier === 'admin'
            ? 'AdminNetworkPolicy'
            : 'BaselineAdminNetworkPolicy',
        tier,
        name: `${tier}-${below(1000)}`,
        priority: below(4),
        subject: { namespaces: namespaceSelector(), pods: selector(POD_LABELS) },
        ...(chance(0.7) && { ingress: many(3, () => tierRule(false)) }),
        ...(chance(0.7) && { egress: many(3, () => tierRule(true)) }),
      }),
    );
  // In the order of the file, not of evaluation.
  return clusterOf(
    pods,
    [...tierPolicies('baseline', 2), ...networkPolicies, ...tierPolicies('admin', 3)],
    Object.fromEntries(NAMESPACES.map((name) => [name, labels(NAMESPACE_LABELS)])),
    nodes,
  );
};
