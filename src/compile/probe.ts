/** A question between two endpoints becomes a probe of the World, with everything it assumes. */
import type { Cluster, ServicePort, Target } from '../cluster/cluster.ts';
import { NODE_DAEMONS } from '../cluster/node-daemon.ts';
import { serviceOfNodePort } from '../cluster/service/lookup.ts';
import { socketAdd, socketHolder } from '../kernel/netlink.ts';
import { cloneNetns, netnsOf } from '../kernel/netns.ts';
import type { Assumption, Probe } from '../kernel/probe.ts';
import type { Netns, Socket, World } from '../kernel/world.ts';
import { withHost } from '../kernel/world-build.ts';
import type { Ip } from '../wire/packet.ts';
import { assumptionsAbout } from './assumption.ts';
import { hostPortsOf } from './cni/portmap.ts';
import { type Endpoint, findEndpoint, type Owned } from './endpoint.ts';
import { ANY, processName } from './listener.ts';
import { isRunning, podNetnsName } from './machine.ts';
import { forMachine, forNode, forPod } from './object-origin.ts';
import {
  type Asked,
  choosePort,
  type Evidence,
  evidenceOf,
  type PortChoice,
} from './port-choice.ts';
import {
  nameOf,
  type ProbeOptions,
  type ProbePlan,
  type Unsupported,
  withText,
} from './probe-plan.ts';
import { hasNoRoom, sentBy } from './sender.ts';
import { serviceProbe } from './service-probe.ts';

export type { ProbeEnd } from './endpoint.ts';
export type { Evidence } from './port-choice.ts';
export type { ProbeOptions, ProbePlan, Unsupported } from './probe-plan.ts';

const LOCALHOST: Ip = '127.0.0.1';

/** The address to send to: a container of the same Pod is on localhost. */
const addressOf = (source: Endpoint, target: Endpoint): Ip => {
  if (target.kind !== 'owned') return target.kind === 'nobody' ? target.ip : ANY;
  const samePod = source.kind === 'owned' && source.pod && source.pod === target.pod;
  return samePod && target.container !== undefined ? LOCALHOST : target.ip;
};

/** Which process is meant: the container that was named, or whoever of the Pod has the port. */
const expectedProcess = (
  { pod, container }: Owned,
  netns: Netns,
  wanted: Pick<Socket, 'protocol' | 'ip' | 'port'> | undefined,
): string | undefined => {
  if (!pod) return undefined;
  if (container !== undefined) return processName(pod, container);
  if (!pod.hostNetwork) return undefined;
  const own = new Set(pod.containers.map(({ name }) => processName(pod, name)));
  const holder = wanted && socketHolder(netns, { ...wanted, process: '' });
  return holder && own.has(holder.process) ? holder.process : [...own][0];
};

/**
 * A Pod on its node's network that shows no port at all is assumed to listen, which the node as a
 * whole is not: the World gets its socket.
 */
const assumeListener = (world: World, target: Owned, socket: Socket): World => {
  const { pod, netns: id } = target;
  if (!pod?.hostNetwork || pod.listeners.unlisted !== 'assumed-open') return world;
  const host = world.host(pod.node);
  const netns = cloneNetns(netnsOf(world, id));
  if (socketHolder(netns, socket)) return world;
  socketAdd(netns, socket);
  return withHost(world, { ...host, netns: new Map(host.netns).set(netns.name, netns) });
};

/** Whether somebody else than who is meant has the port. */
const isElsewhere = (
  world: World,
  { pod, container, netns }: Owned,
  { protocol, port }: Pick<Socket, 'protocol' | 'port'>,
): boolean => {
  const holder = socketHolder(netnsOf(world, netns), { protocol, port, ip: ANY, process: '' });
  if (!pod || !holder) return false;
  const meant = container === undefined ? pod.containers.map(({ name }) => name) : [container];
  return !meant.some((name) => processName(pod, name) === holder.process);
};

/** What is assumed about the port: that it was meant, and that somebody listens on it. */
const aboutPort = (
  world: World,
  target: Endpoint,
  choice: PortChoice,
  rows: readonly Evidence[],
): Assumption[] => {
  if (target.kind !== 'owned') return [];
  const subject = target.pod ? podNetnsName(target.pod) : nameOf(target.end);
  if (target.outside)
    return [
      {
        code: 'external-answers',
        subject: target.ip,
        origin: forMachine('external')('external-listener'),
      },
    ];
  if (choice.kind !== 'port') return [];
  const { port, protocol, chosen } = choice;
  const values = { port: `${port}/${protocol}` };
  const onNode: Assumption[] =
    target.node && (!target.pod || target.pod.hostNetwork) && protocol === 'tcp'
      ? [
          {
            code: 'node-listeners',
            subject: target.node.name,
            values: {
              ports: NODE_DAEMONS.map((one) => `${one.port}/tcp (${one.name})`).join(' and '),
            },
            origin: forNode('kubelet', target.node)('node-listener'),
          },
        ]
      : [];
  const row = rows.find((one) => one.port === port && one.protocol === protocol);
  const origin = row?.origin && { origin: row.origin };
  const picked: Assumption[] = [
    ...(chosen ? [{ code: 'port-chosen' as const, subject, values, ...origin }] : []),
    ...onNode,
  ];
  if (!target.pod) return picked;
  if (row)
    return row.evidence === 'annotation' || isElsewhere(world, target, choice)
      ? picked
      : [...picked, { code: 'listener-declared', subject, values, ...origin }];
  return target.pod.listeners.unlisted === 'assumed-open'
    ? [
        ...picked,
        {
          code: 'listener-assumed',
          subject,
          values,
          origin: forPod('scenario', target.pod)('listener'),
        },
      ]
    : picked;
};

/** Sends from one endpoint to another; both are there. */
const plan = (
  world: World,
  source: Owned,
  target: Owned | Extract<Endpoint, { kind: 'nobody' }>,
  choice: Exclude<PortChoice, { kind: 'problem' }>,
  dst: Ip,
  options: ProbeOptions,
): { probe: Probe; world: World } => {
  const socket = choice.kind === 'port' && {
    protocol: choice.protocol,
    ip: ANY,
    port: choice.port,
  };
  const owner = target.kind === 'owned' ? target : undefined;
  const process = owner && expectedProcess(owner, netnsOf(world, owner.netns), socket || undefined);
  const protocol = socket ? socket.protocol : 'icmp';
  const probe: Probe = {
    ...sentBy(world, source, protocol, options),
    dst,
    ...(socket && { dport: socket.port }),
    ...(owner && {
      expect: { netns: owner.netns, ...(process !== undefined && { process }) },
    }),
  };
  if (!socket || !owner?.pod || process === undefined) return { probe, world };
  const origin = forPod('scenario', owner.pod)('listener');
  return {
    probe,
    world: assumeListener(world, owner, { ...socket, process, assumed: true, origin }),
  };
};

/**
 * The probe that answers a question. Without a port it is the target's first port with evidence,
 * TCP first, else an ICMP echo; a container of the same Pod is asked on 127.0.0.1, the Pod itself
 * on its own address.
 * @param world what `compileWorld` made of the cluster, faults and all
 * @returns what to send and what it assumes; or which Pod does not run; or what is not modelled
 * @throws {RangeError} for a target that the cluster does not have
 */
export const probeFor = (
  cluster: Cluster,
  world: World,
  from: Target,
  to: Target,
  options: ProbeOptions = {},
): ProbePlan => {
  const source = findEndpoint(cluster, world, from);
  const target = findEndpoint(
    cluster,
    world,
    to,
    source.kind === 'owned' ? source.netns : undefined,
  );
  if (target.kind === 'service') return serviceProbe(cluster, world, [source, target], to, options);
  const asked: Asked = { ...options, ...(to.port !== undefined && { port: to.port }) };
  const dst = addressOf(source, target);
  const rows = target.kind === 'owned' ? evidenceOf(world, target) : [];
  const declared = declaredBy(cluster, target, asked.port);
  const choice = choosePort(asked, [...rows, ...declared], dst);
  const port = choice.kind === 'port' ? choice.port : asked.port;
  const protocol =
    choice.kind === 'port'
      ? choice.protocol
      : (asked.protocol ?? (port === undefined ? 'icmp' : 'tcp'));
  const about = assumptionsAbout(cluster, world, [source, target]);
  const answer = {
    from: withText(source.end, options.text?.from),
    to: withText(
      target.kind === 'owned' ? { ...target.end, ip: dst } : target.end,
      options.text?.to,
    ),
    protocol,
    ...(port !== undefined && { port }),
    assumptions: about,
  };
  const unsupported = (why: Unsupported): ProbePlan => ({ kind: 'unsupported', ...answer, why });

  if (source.kind === 'not-running')
    return { kind: 'not-running', ...answer, cause: 'SRC_NOT_RUNNING', pod: source.pod };
  if (target.kind === 'not-running')
    return { kind: 'not-running', ...answer, cause: 'DST_NOT_RUNNING', pod: target.pod };
  if (source.kind === 'unanswerable') return unsupported(source.why);
  if (target.kind === 'unanswerable') return unsupported(target.why);
  if (source.kind !== 'owned') return unsupported('no-such-source');
  if (choice.kind === 'problem') return unsupported(choice.why);
  if (hasNoRoom(cluster, source) || hasNoRoom(cluster, target))
    return unsupported('range-too-small');
  return {
    kind: 'probe',
    ...answer,
    assumptions: [...about, ...aboutPort(world, target, choice, rows)],
    ...plan(world, source, target, choice, dst, options),
    ...(choice.kind === 'port' && choice.chosen && { portChosen: choice.chosen }),
  };
};

/** Ports that lead on by rules: of a Service's address, of every node, or of one as a host port. */
const declaredBy = (cluster: Cluster, target: Endpoint, port: number | undefined): Evidence[] => {
  if (target.kind === 'nobody')
    return target.service ? evidenceIn(target.service.ports, target.ip) : [];
  if (target.kind !== 'owned' || !target.node || port === undefined) return [];
  const { node } = target;
  const mapped = cluster.pods.flatMap((pod) =>
    isRunning(pod) && pod.node === node.name && !pod.hostNetwork
      ? hostPortsOf(pod).filter(({ hostPort }) => hostPort === port)
      : [],
  );
  const ports = [...serviceOfNodePort(cluster, port), ...mapped];
  return evidenceIn(
    ports.map((one) => ({ ...one, port })),
    target.ip,
  );
};

const evidenceIn = (ports: readonly Pick<ServicePort, 'port' | 'protocol'>[], ip: Ip): Evidence[] =>
  ports.flatMap(({ port, protocol }) =>
    protocol === 'sctp' ? [] : [{ protocol, port, ip, evidence: 'service' }],
  );

/**
 * What is assumed about the listener of an endpoint that a Service stands for; nothing where nobody
 * has the address.
 */
export const listenerBehind = (
  cluster: Cluster,
  world: World,
  {
    ip,
    port,
    protocol,
  }: { readonly ip: Ip; readonly port: number; readonly protocol: 'tcp' | 'udp' },
): Assumption[] => {
  const target = findEndpoint(cluster, world, { kind: 'ip', ip, port });
  if (target.kind !== 'owned') return [];
  return aboutPort(world, target, { kind: 'port', port, protocol }, evidenceOf(world, target));
};
