/** Who connects to whom under a set of policies, and what the engine of policies says about it. */
import type { Cluster, Pod } from '../../src/cluster/cluster.ts';
import type { NetnsId } from '../../src/kernel/world.ts';
import type { PolicyEngine } from '../../src/policy/policy-engine.ts';
import type { Party, PolicyQuestion, Verdict } from '../../src/policy/verdict.ts';
import { cidrAt } from '../../src/wire/ip.ts';
import { CLOSED, HOST_POD_PORT, OPEN } from './random-policies.ts';

export type CellKind =
  | 'pods'
  | 'self'
  | 'node to Pod'
  | 'Pod to node'
  | 'Pod to outside'
  | 'Service'
  | 'NodePort'
  | 'hostPort';

/** One connection. */
export interface Cell {
  readonly kind: CellKind;
  readonly from: NetnsId;
  readonly protocol: 'tcp' | 'udp';
  readonly dst: string;
  readonly dport: number;
  /** What is asked of the engine: it must be allowed by all. */
  readonly questions: readonly PolicyQuestion[];
  /** Classes between which the matrix must say the same. */
  readonly pods?: readonly [from: number, to: number];
  /** The frames may stay within one bridge, where only br_netfilter brings them to rules. */
  readonly sameBridge?: boolean;
}

interface Site {
  readonly index: number;
  readonly pod: Pod;
  readonly node: string;
  readonly ip: string;
  readonly netns: NetnsId;
}

const sitesOf = ({ pods }: Cluster): Site[] =>
  pods.flatMap((pod, index) =>
    pod.hostNetwork || pod.node === undefined || pod.ip === undefined
      ? []
      : [
          {
            index,
            pod,
            node: pod.node,
            ip: pod.ip,
            netns: `${pod.node}/${pod.namespace}/${pod.name}`,
          },
        ],
  );

type Port = Pick<Cell, 'protocol' | 'dport'>;

const PORTS: readonly Port[] = [
  ...[...OPEN.tcp, CLOSED.tcp].map((dport): Port => ({ protocol: 'tcp', dport })),
  ...[...OPEN.udp, CLOSED.udp].map((dport): Port => ({ protocol: 'udp', dport })),
];

/** Both sides of a connection between Pods; none where a Pod meets itself. */
const between = (from: Site, to: Site, { protocol, dport }: Port): PolicyQuestion[] =>
  from.index === to.index
    ? []
    : [
        {
          direction: 'egress',
          subject: from.index,
          peer: { kind: 'pod', pod: to.index },
          protocol,
          port: dport,
        },
        {
          direction: 'ingress',
          subject: to.index,
          peer: { kind: 'pod', pod: from.index },
          protocol,
          port: dport,
        },
      ];

/** The address by which Pods of other nodes know a node: a tunnel's end has one of the Pods' range. */
const nodeParty = (
  { network, nodes }: Cluster,
  name: string,
): { peer: Party; peerIp: string | undefined } => {
  const node = nodes.find((one) => one.name === name);
  const peerIp = network.backend === 'vxlan' && node ? cidrAt(node.podCIDR, 0) : undefined;
  return { peer: { kind: 'node', node: name }, peerIp };
};

const fromNode = (cluster: Cluster, node: string, to: Site, port: Port): PolicyQuestion[] => [
  {
    direction: 'ingress',
    subject: to.index,
    ...nodeParty(cluster, node),
    ...(node === to.node && { peerIp: undefined }),
    protocol: port.protocol,
    port: port.dport,
  },
];

const podCells = (from: Site, to: Site): Cell[] =>
  PORTS.map((port) => ({
    kind: from === to ? 'self' : 'pods',
    from: from.netns,
    dst: to.ip,
    ...port,
    questions: between(from, to, port),
    ...(from !== to && { pods: [from.index, to.index] as const }),
    ...(from.node === to.node && { sameBridge: true }),
  }));

const nodeCells = (cluster: Cluster, sites: readonly Site[]): Cell[] =>
  cluster.nodes.flatMap(({ name, ip }) => [
    ...sites.map((to, n): Cell => {
      const port = PORTS[n % PORTS.length] ?? { protocol: 'tcp', dport: 8080 };
      return {
        kind: 'node to Pod',
        from: `${name}/host`,
        dst: to.ip,
        ...port,
        questions: fromNode(cluster, name, to, port),
      };
    }),
    ...sites.map(({ netns, index }, n): Cell => {
      const dport = n % 2 === 0 ? 10250 : HOST_POD_PORT;
      return {
        kind: 'Pod to node',
        from: netns,
        protocol: 'tcp',
        dst: ip,
        dport,
        questions: [
          {
            direction: 'egress',
            subject: index,
            peer: { kind: 'node', node: name },
            protocol: 'tcp',
            port: dport,
          },
        ],
      };
    }),
  ]);

const OUTSIDE_PORTS: readonly Port[] = [
  { protocol: 'tcp', dport: 8080 },
  { protocol: 'tcp', dport: 443 },
  { protocol: 'udp', dport: 5353 },
];

const outsideCells = ({ external }: Cluster, sites: readonly Site[]): Cell[] =>
  sites.map(({ netns, index }, n) => {
    const port = OUTSIDE_PORTS[n % OUTSIDE_PORTS.length] ?? { protocol: 'tcp', dport: 443 };
    return {
      kind: 'Pod to outside',
      from: netns,
      dst: external.ip,
      ...port,
      questions: [
        {
          direction: 'egress',
          subject: index,
          peer: { kind: 'address', ip: external.ip },
          protocol: port.protocol,
          port: port.dport,
        },
      ],
    };
  });

const EXTERNAL = 'external/host';

/** From outside, by a port of a node: on another node than the Pod's, that node's address comes. */
const fromOutside = (cluster: Cluster, node: string, to: Site, port: Port): PolicyQuestion[] => {
  if (node !== to.node) return fromNode(cluster, node, to, port);
  const peer = { kind: 'address', ip: cluster.external.ip } as const;
  const { protocol, dport } = port;
  return [{ direction: 'ingress', subject: to.index, peer, protocol, port: dport }];
};

const serviceCells = (cluster: Cluster, sites: readonly Site[]): Cell[] =>
  cluster.services.flatMap((service) => {
    const to = sites.find(({ pod }) => pod.name === service.name);
    const clusterIP = service.clusterIPs[0]?.ip;
    if (!to || clusterIP === undefined) return [];
    return service.ports.flatMap(({ protocol, port, targetPort, nodePort }, n): Cell[] => {
      if (protocol === 'sctp' || typeof targetPort !== 'number') return [];
      const target: Port = { protocol, dport: targetPort };
      return [
        ...sites
          .filter((_, at) => at % 2 === n)
          .map(
            (from): Cell => ({
              kind: 'Service',
              from: from.netns,
              dst: clusterIP,
              protocol,
              dport: port,
              questions: between(from, to, target),
            }),
          ),
        ...(nodePort === undefined ? [] : cluster.nodes).map(
          ({ name, ip }): Cell => ({
            kind: 'NodePort',
            from: EXTERNAL,
            dst: ip,
            protocol,
            dport: nodePort ?? 0,
            questions: fromOutside(cluster, name, to, target),
          }),
        ),
      ];
    });
  });

const hostPortCells = (cluster: Cluster, sites: readonly Site[]): Cell[] =>
  sites.flatMap((to) =>
    to.pod.containers
      .flatMap(({ ports }) => ports)
      .flatMap(({ hostPort, port }): Cell[] => {
        const ip = cluster.nodes.find(({ name }) => name === to.node)?.ip;
        if (hostPort === undefined || ip === undefined) return [];
        const target: Port = { protocol: 'tcp', dport: port };
        const questions = fromOutside(cluster, to.node, to, target);
        return [
          {
            kind: 'hostPort',
            from: EXTERNAL,
            dst: ip,
            protocol: 'tcp',
            dport: hostPort,
            questions,
          },
        ];
      }),
  );

/** Every pair of Pods by several ports, and what comes from nodes, outside and through Services. */
export const cellsOf = (cluster: Cluster): Cell[] => {
  const sites = sitesOf(cluster);
  const cells = [
    ...sites.flatMap((from) => sites.flatMap((to) => podCells(from, to))),
    ...nodeCells(cluster, sites),
    ...outsideCells(cluster, sites),
    ...serviceCells(cluster, sites),
    ...hostPortCells(cluster, sites),
  ];
  return cells.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
};

/** What the engine expects of a cell. */
export interface Expected {
  readonly decision: 'allow' | 'deny' | 'unknown';
  /** Of the side that denies first. */
  readonly by?: Verdict;
  /** Some rule about names would have been asked. */
  readonly undecided: boolean;
}

/** The source's side is asked first, as the packet meets it first. */
export const expectedOf = (engine: PolicyEngine, { questions }: Cell): Expected => {
  const verdicts = questions.map((question) => engine.judge(question));
  const undecided = verdicts.some(({ outcomes }) =>
    outcomes.some(({ outcome }) => outcome === 'unknown'),
  );
  const denied = verdicts.find(({ decision }) => decision === 'deny');
  if (denied) return { decision: 'deny', by: denied, undecided };
  const unknown = verdicts.some(({ decision }) => decision === 'unknown');
  return { decision: unknown ? 'unknown' : 'allow', undecided };
};

/** The cause of a trace that a denial must have. */
export const causeOfDenial = ({ direction, by }: Verdict): string => {
  if (by.kind === 'rule') return 'NETPOL_EXPLICIT_DENY';
  return `NETPOL_${direction.toUpperCase()}_DEFAULT_DENY`;
};
