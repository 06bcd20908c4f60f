/** Who calls which Service, by which of its addresses. */
import type { Cluster, Pod, Service } from '../../src/cluster/cluster.ts';
import type { Probe } from '../../src/kernel/probe.ts';
import type { NetnsId, World } from '../../src/kernel/world.ts';
import type { Random } from './random.ts';

/** An address and a port that somebody may call. */
interface Called {
  readonly dst: string;
  readonly protocol: 'tcp' | 'udp';
  readonly dport: number;
}

/** The ways in which something is called. */
interface Callable {
  /** From everywhere, and only from within the cluster. */
  readonly outside: readonly Called[];
  readonly inside: readonly Called[];
  /** Where nobody is to answer. */
  readonly wrong: readonly Called[];
  /** Namespaces of those that answer. */
  readonly backends: readonly NetnsId[];
}

const netnsOfPod = ({ node, namespace, name, hostNetwork }: Pod): NetnsId =>
  hostNetwork ? `${node}/host` : `${node}/${namespace}/${name}`;

const callable = (
  { nodes, pods }: Cluster,
  { clusterIPs, ingress, externalIPs, slices, ports }: Service,
): Callable => {
  const own = clusterIPs.map(({ ip }) => ip);
  const others = [...ingress.flatMap(({ ip }) => (ip === undefined ? [] : [ip])), ...externalIPs];
  const endpoints = slices.flatMap((slice) => slice.endpoints);
  const inside: Called[] = [];
  const outside: Called[] = [];
  for (const { protocol, port, nodePort } of ports) {
    if (protocol === 'sctp') continue;
    inside.push(...own.map((dst) => ({ dst, protocol, dport: port })));
    outside.push(...others.map((dst) => ({ dst, protocol, dport: port })));
    if (nodePort !== undefined)
      outside.push(...nodes.map(({ ip }) => ({ dst: ip, protocol, dport: nodePort })));
  }
  if (own.length === 0)
    inside.push(
      ...endpoints.map(({ address }): Called => ({ dst: address, protocol: 'tcp', dport: 8080 })),
    );
  return {
    inside,
    outside,
    wrong: [...own, ...others].flatMap((dst): Called[] => [
      { dst, protocol: 'tcp', dport: 99 },
      { dst, protocol: 'udp', dport: 80 },
    ]),
    backends: endpoints.flatMap(({ pod }) => {
      const found = pod === undefined ? undefined : pods[pod];
      return found ? [netnsOfPod(found)] : [];
    }),
  };
};

/** Ports of nodes that lead to Pods without a Service. */
const hostPortsOf = ({ nodes, pods }: Cluster): Callable => ({
  inside: [],
  wrong: [],
  backends: pods.map(netnsOfPod),
  outside: pods.flatMap(({ node, containers }) =>
    containers
      .flatMap(({ ports }) => ports)
      .flatMap(({ hostPort, protocol }): Called[] => {
        const dst = nodes.find(({ name }) => name === node)?.ip;
        return hostPort === undefined || dst === undefined || protocol === 'sctp'
          ? []
          : [{ dst, protocol, dport: hostPort }];
      }),
  ),
});

/** Everybody with a socket of their own: Pods, nodes, the router, the host outside. */
const sourcesIn = (world: World): { readonly pods: string[]; readonly others: string[] } => {
  const all = world.hostNames.flatMap((name) => [...world.host(name).netns.values()]);
  return {
    pods: all.filter(({ name }) => name !== 'host').map(({ id }) => id),
    others: all.filter(({ name, host }) => name === 'host' && host !== 'gw').map(({ id }) => id),
  };
};

/** Who calls and what is called. The host outside mostly asks for what is meant for it. */
const callOf = (
  { pods, others }: ReturnType<typeof sourcesIn>,
  { inside, outside, wrong, backends }: Callable,
  { chance, pick }: Random,
): { readonly from: NetnsId; readonly called: Called | undefined } => {
  const everything = [...inside, ...outside];
  const from =
    backends.length > 0 && chance(0.15) ? pick(backends) : pick(chance(0.6) ? pods : others);
  const wanted = from.startsWith('external') && chance(0.85) ? outside : everything;
  const among = chance(0.07) ? wrong : wanted;
  return { from, called: among.length > 0 ? pick(among) : undefined };
};

/**
 * Calls of Services and host ports, from everywhere.
 * @param world in which nothing is broken yet
 */
export const randomCalls = (
  cluster: Cluster,
  world: World,
  flows: number,
  random: Random,
): Probe[] => {
  const callables = [
    ...cluster.services.map((service) => callable(cluster, service)),
    hostPortsOf(cluster),
  ];
  const sources = sourcesIn(world);
  const probes: Probe[] = [];
  while (probes.length < flows) {
    const { from, called } = callOf(sources, random.pick(callables), random);
    if (called === undefined) continue;
    const { dst, protocol, dport } = called;
    const isNodes = /^node-.*\/host$/.test(from) && dport >= 30_000;
    probes.push({
      from: { netns: from },
      protocol,
      dst: isNodes && random.chance(0.15) ? '127.0.0.1' : dst,
      sport: 40_000 + probes.length,
      dport,
      ...(protocol === 'udp' && random.chance(0.5) && { size: random.below(200) }),
    });
  }
  return probes;
};
