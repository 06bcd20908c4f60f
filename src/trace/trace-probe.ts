/** One probe through a World: the legs there and back, how they ended, what the sender saw. */
import type { ChoiceMade } from '../kernel/choice.ts';
import type { Errno } from '../kernel/event.ts';
import { netnsOf } from '../kernel/netns.ts';
import { pingError, tcpError, udpError } from '../kernel/path/icmp-errno.ts';
import { defaultTtl } from '../kernel/path/reply.ts';
import { dstMtu, routeOutput } from '../kernel/path/route.ts';
import { KERNEL } from '../kernel/path/stages.ts';
import {
  ACK_OPTIONS,
  advmss,
  HEADERS,
  segmentPacket,
  synOptions,
  TIMESTAMPS,
} from '../kernel/path/tcp-segment.ts';
import type { FlowSocket, Pending, Story, Walk } from '../kernel/path/walk.ts';
import { createWalk, drop, emit, markRejected, recordedBy } from '../kernel/path/walk.ts';
import type { Assumption, Probe } from '../kernel/probe.ts';
import type { Dst } from '../kernel/skb.ts';
import { allocSkb } from '../kernel/skb.ts';
import type { Netns, World } from '../kernel/world.ts';
import { ipv4Length } from '../wire/length.ts';
import type { Ip, Ipv4, Opaque, Tcp } from '../wire/packet.ts';
import { attributeCause } from './cause.ts';
import { type Ended, legDisposition, traceDisposition } from './disposition.ts';
import { hopsOf } from './hops.ts';
import type { PolicyView } from './policies.ts';
import { withPolicySteps } from './policy-steps.ts';
import { sourceSeen, targetReached } from './seen.ts';
import type { ServiceView } from './services.ts';
import { type Heard, symptomOf } from './symptom.ts';
import type { Leg, LegPacket, TraceFacts, TraceProbe } from './trace.ts';

/** Bytes of application data of a probe that says nothing. */
export const DEFAULT_SIZE = { tcp: 0, udp: 0, icmp: 56 } as const;

export interface TraceMeta {
  /** Name of the scenario. */
  readonly scenario: string;
  /** What a person asked for, as the trace repeats it. */
  readonly probe: TraceProbe;
  readonly assumptions: readonly Assumption[];
  /** The World without the scenario's faults: says what should be there. */
  readonly intended?: World | undefined;
  /** Of the cluster, for the cause of a packet to a Service. */
  readonly services?: ServiceView | undefined;
  /** Of the cluster, where it has any. */
  readonly policies?: PolicyView | undefined;
  /** With the firewall rules that nearly decided, which take time to find. Default false. */
  readonly detailed?: boolean | undefined;
  /** Told of every firewall rule whose conditions hold, as the rule's own counter would be. */
  readonly count?: Walk['count'];
}

/** A packet's whole way. */
interface Walked {
  readonly direction: Leg['direction'];
  readonly packet: LegPacket;
  readonly story: Story;
  readonly aside: boolean;
}

/** What the sending socket has heard so far. */
interface Client {
  answered: boolean;
  errno?: Errno;
  /** TCP: the listener's SYN/ACK, and whether data was acknowledged. */
  synack?: Ipv4;
  acked: boolean;
  /** TCP: an ICMP error said that the data was too long. */
  tooLong: boolean;
}

/** What all parts of one trace share. */
interface Run {
  readonly walk: Walk;
  readonly netns: Netns;
  readonly probe: Probe;
  readonly client: Client;
  readonly legs: Walked[];
  /** What will be sent when everything else is over. */
  readonly late: Sent[];
}

/** A packet that is to be sent because of another one. */
interface Sent {
  readonly pending: Pending;
  readonly cause: Walked;
}

const other = (direction: Leg['direction']): Leg['direction'] =>
  direction === 'request' ? 'reply' : 'request';

/** Walks one packet from its sender on, then every packet that was sent because of it. */
const walkLeg = (
  run: Run,
  direction: Leg['direction'],
  packet: LegPacket,
  send: () => void,
): Walked => {
  const leg = walkOne(run.walk, direction, packet, send);
  run.legs.push(leg);
  const redirects: Walked[] = [];
  const queue = takePending(run, leg);
  for (let next = queue.shift(); next; next = queue.shift()) {
    if (next.pending.late) run.late.push(next);
    else queue.push(...walkAnswer(run, next, next.pending.aside ? redirects : run.legs));
  }
  run.legs.push(...redirects);
  return leg;
};

/** What was sent late, once nothing else goes on. */
const walkLate = (run: Run): void => {
  const { late, legs } = run;
  for (let next = late.shift(); next; next = late.shift())
    late.push(...walkAnswer(run, next, legs));
};

/** What a packet makes others send. */
const takePending = ({ walk }: Run, cause: Walked): Sent[] =>
  walk.pending.splice(0).map((pending) => ({ pending, cause }));

/** Walks what somebody sent because of another packet. @returns what is sent because of it */
const walkAnswer = (run: Run, { pending, cause }: Sent, into: Walked[]): Sent[] => {
  const { carries, aside } = pending;
  const direction = other(cause.direction);
  const answer = walkOne(run.walk, direction, carries, pending.run);
  // An error that never left its machine answers nobody: there is no route back, or a rule.
  if (carries === 'icmp-error' && !aside && !hasLeft(answer)) delete cause.story.rejected;
  if (answer.story.events.length > 0) into.push({ ...answer, aside: isAside(pending, direction) });
  return takePending(run, answer);
};

const hasLeft = ({ story }: Walked): boolean =>
  story.events.some(({ kind }) => kind === 'transmit');

/** Redirects, and errors about answers: the client hears nothing of them. */
const isAside = ({ aside, carries }: Pending, direction: Leg['direction']): boolean =>
  aside === true || (carries === 'icmp-error' && direction === 'request');

const walkOne = (
  walk: Walk,
  direction: Leg['direction'],
  packet: LegPacket,
  send: () => void,
): Walked => {
  const story: Story = { kind: 'story', events: [] };
  walk.visits = new Map();
  recordedBy(walk, story, send);
  return { direction, packet, story, aside: false };
};

/** The call that sends fails: its errno is the sender's, and the last thing that happens. */
const fail = ({ walk, netns, client }: Run, errno: Errno): void => {
  emit(walk, { kind: 'socket', netns: netns.id, action: 'error', detail: { errno } });
  markRejected(walk);
  client.errno ??= errno;
};

/** The errno that the socket hears while it waits. */
const hear = ({ walk, netns, client }: Run, errno: Errno | undefined): void => {
  if (errno === undefined || client.errno !== undefined) return;
  emit(walk, { kind: 'socket', netns: netns.id, action: 'error', detail: { errno } });
  client.errno = errno;
};

const isFlow = (probe: Probe, src: Ip, packet: Ipv4, flip: boolean): boolean => {
  const { payload } = packet;
  // raw_v4_input: ping's socket is connected to nobody, and knows its echoes by their id.
  if (flip && payload.type === 'icmp')
    return probe.protocol === 'icmp' && payload.id === probe.sport;
  const [from, to] = flip ? [packet.dst, packet.src] : [packet.src, packet.dst];
  if (from !== src || to !== probe.dst) return false;
  switch (payload.type) {
    case 'icmp':
      return probe.protocol === 'icmp' && payload.id === probe.sport;
    case 'tcp':
    case 'udp': {
      const [near, far] = flip ? [payload.dport, payload.sport] : [payload.sport, payload.dport];
      return probe.protocol === payload.type && near === probe.sport && far === probe.dport;
    }
    default:
      return false;
  }
};

const ERRORS = { tcp: tcpError, udp: udpError, icmp: pingError } as const;

/** The sender's socket, once it knows its own address. */
const clientSocket = (run: Run, src: Ip): FlowSocket => {
  const { probe, client } = run;
  return {
    netns: run.netns.id,
    protocol: probe.protocol,
    ...(probe.from.process !== undefined && { process: probe.from.process }),
    holds: probe.sport,
    owns: (packet) => isFlow(probe, src, packet, true),
    sent: (packet) => isFlow(probe, src, packet, false),
    receive: (packet) => receive(run, packet),
    error: (icmp) => {
      if (icmp.mtu !== undefined) client.tooLong = true;
      hear(run, ERRORS[probe.protocol](icmp, client.answered));
    },
  };
};

/** tcp_rcv_synsent_state_process and what follows; datagrams and echoes are the answer itself. */
const receive = (run: Run, packet: Ipv4): void => {
  const { client } = run;
  const { payload } = packet;
  if (payload.type !== 'tcp') client.answered = true;
  else if (payload.flags.includes('rst'))
    hear(run, client.answered ? 'ECONNRESET' : 'ECONNREFUSED');
  else if (payload.flags.includes('syn')) {
    if (client.errno !== undefined) return;
    client.synack = packet;
    client.answered = true;
  } else client.acked = true;
};

/** What a socket says when its route leads to everybody. */
const toEverybody = (probe: Probe): Errno => (probe.protocol === 'tcp' ? 'ENETUNREACH' : 'EACCES');

/** connect() or sendto(): finds the way, which gives the source, and hands the packet over. */
const sendFirst = (run: Run, make: (src: Ip, dst: Ip, mtu: number) => Ipv4): void => {
  const { walk, netns, probe } = run;
  const { process } = probe.from;
  const key = { dst: probe.dst, ...(probe.src !== undefined && { src: probe.src }) };
  const route = routeOutput(walk, netns, key, {
    connect: probe.protocol !== 'icmp',
    before: (src) =>
      emit(walk, {
        kind: 'socket',
        netns: netns.id,
        action: 'send',
        detail: {
          protocol: probe.protocol,
          src,
          ...(probe.protocol !== 'icmp' && { sport: probe.sport }),
          dst: probe.dst,
          ...(probe.dport !== undefined && { dport: probe.dport }),
          ...(process !== undefined && { process }),
        },
      }),
  });
  if (route.kind === 'not-modelled') return;
  if (route.kind === 'error') {
    fail(run, route.errno);
    return;
  }
  const { dst, src, to } = route;
  if (dst.type === 'broadcast' || dst.type === 'multicast') {
    fail(run, toEverybody(probe));
    return;
  }
  walk.sockets.push(clientSocket(run, src));
  const packet = make(src, to, dstMtu(netns, dst));
  const errno = walk.stages.ipLocalOut(walk, netns, allocSkb(packet, 0, dst));
  // TCP takes no notice: it sends again later.
  if (errno !== undefined && probe.protocol !== 'tcp') fail(run, errno);
};

const data = (length: number): Opaque => ({ type: 'data', length });

const ttlOf = ({ probe, netns }: Run): number => probe.ttl ?? defaultTtl(netns);

/** A datagram or an echo; longer than the MTU, it would leave in fragments. */
const whole = (run: Run, src: Ip, dst: Ip, mtu: number, payload: Ipv4['payload']): Ipv4 => {
  const packet: Ipv4 = {
    type: 'ipv4',
    src,
    dst,
    ttl: ttlOf(run),
    tos: 0,
    df: true,
    id: 0,
    payload,
  };
  return ipv4Length(packet) > mtu ? { ...packet, df: false } : packet;
};

const runDatagram = (run: Run): void => {
  const { probe } = run;
  walkLeg(run, 'request', 'datagram', () =>
    sendFirst(run, (src, dst, mtu) =>
      whole(run, src, dst, mtu, {
        type: 'udp',
        sport: probe.sport,
        dport: probe.dport ?? 0,
        payload: probe.payload ?? data(probe.size ?? DEFAULT_SIZE.udp),
      }),
    ),
  );
};

const runEcho = (run: Run): void => {
  const { probe } = run;
  walkLeg(run, 'request', 'echo', () =>
    sendFirst(run, (src, dst, mtu) =>
      whole(run, src, dst, mtu, {
        type: 'icmp',
        kind: 'echo-request',
        code: 0,
        id: probe.sport,
        seq: 1,
        payload: data(probe.size ?? DEFAULT_SIZE.icmp),
      }),
    ),
  );
};

/** A segment of the open connection, by the route as it is now. */
const sendSegment = (
  run: Run,
  synack: Ipv4,
  make: (dst: Dst) => Pick<Tcp, 'flags' | 'payload'>,
): void => {
  const { walk, netns, probe } = run;
  const { src, dst } = synack;
  const { payload: answer } = synack;
  const { process } = probe.from;
  const route = routeOutput(
    walk,
    netns,
    { dst: src, src: dst },
    {
      before: () =>
        emit(walk, {
          kind: 'socket',
          netns: netns.id,
          action: 'send',
          detail: {
            protocol: 'tcp',
            src: dst,
            sport: probe.sport,
            dst: src,
            ...(probe.dport !== undefined && { dport: probe.dport }),
            ...(process !== undefined && { process }),
          },
        }),
    },
  );
  if (route.kind === 'error') drop(walk, netns, 'IP_OUTNOROUTES');
  if (route.kind !== 'route' || answer.type !== 'tcp') return;
  const packet = segmentPacket({
    src: dst,
    dst: src,
    sport: probe.sport,
    dport: probe.dport ?? 0,
    seq: answer.ack,
    ack: answer.seq + 1,
    options: ACK_OPTIONS,
    ttl: ttlOf(run),
    ...make(route.dst),
  });
  walk.stages.ipLocalOut(walk, netns, allocSkb(packet, 0, route.dst));
};

/** Where captures saw a packet: two packets that go one way have the same. */
const wayOf = ({ story }: Walked): string =>
  story.events
    .filter(({ kind }) => kind === 'transmit' || kind === 'receive')
    .map(({ kind, netns, device }) => `${kind} ${netns} ${device}`)
    .join();

const wasFlooded = ({ story }: Walked): boolean =>
  story.events.some((event) => event.kind === 'bridge' && event.detail.copies !== undefined);

/** The ACK that closes the handshake; it is kept only if it fares otherwise than the SYN. */
const runAck = (run: Run, syn: Walked, synack: Ipv4): Walked => {
  const { legs } = run;
  const before = legs.length;
  const ack = walkLeg(run, 'request', 'ack', () =>
    sendSegment(run, synack, () => ({ flags: ['ack'], payload: data(0) })),
  );
  const same =
    ack.story.fate?.kind === syn.story.fate?.kind && wayOf(ack) === wayOf(syn) && !wasFlooded(ack);
  if (same) legs.length = before;
  return ack;
};

/** How often a sender that is told a smaller MTU tries again. */
const TRIES = 5;

/** Data after the handshake: one segment, cut to what both ends and the known way can take. */
const runData = (run: Run, synack: Ipv4, size: number): void => {
  const { walk, netns, client } = run;
  const answer = synack.payload;
  const option =
    answer.type === 'tcp' ? answer.options.find(({ kind }) => kind === 'mss') : undefined;
  const peer = option?.kind === 'mss' ? option.mss : advmss(1500);
  walk.sized = true;
  for (let tries = 0; tries < TRIES && !client.acked; tries++) {
    client.tooLong = false;
    walkLeg(run, 'request', 'data', () =>
      sendSegment(run, synack, (dst) => {
        const room = Math.min(peer, dstMtu(netns, dst) - HEADERS) - TIMESTAMPS;
        // Only the last segment of what the application wrote is pushed (tcp_mark_push).
        return {
          flags: size > room ? ['ack'] : ['psh', 'ack'],
          payload: data(Math.min(size, room)),
        };
      }),
    );
    if (!client.tooLong) break;
  }
  walk.sized = false;
};

const runHandshake = (run: Run): void => {
  const { probe, client } = run;
  const syn = walkLeg(run, 'request', 'syn', () =>
    sendFirst(run, (src, dst, mtu) =>
      segmentPacket({
        src,
        dst,
        sport: probe.sport,
        dport: probe.dport ?? 0,
        flags: ['syn'],
        seq: 0,
        ack: 0,
        options: synOptions(advmss(mtu)),
        payload: data(0),
        ttl: ttlOf(run),
      }),
    ),
  );
  const { synack } = client;
  if (!synack) return;
  const ack = runAck(run, syn, synack);
  const size = probe.size ?? DEFAULT_SIZE.tcp;
  if (size > 0 && legDisposition(ack.story) === 'delivered') runData(run, synack, size);
};

const numbered = (legs: readonly Walked[], { book }: World, policies?: PolicyView): Leg[] => {
  let next = 1;
  return legs.map(({ direction, packet, story }) => {
    const events = policies
      ? withPolicySteps({ direction, packet, events: story.events }, book, policies)
      : story.events;
    const hops = hopsOf(events, next);
    next += events.length;
    return { direction, packet, disposition: legDisposition(story), hops };
  });
};

/**
 * Sends a probe through a World.
 *
 * TCP: SYN, SYN/ACK or RST, ACK; with `size` then one segment of data and its acknowledgement. UDP:
 * a datagram and an answer of as many bytes. ICMP: an echo and its reply. ICMP errors come back as
 * legs of their own.
 *
 * @returns the facts, and the World with what the packets left behind
 * @throws {RangeError} when the World has no namespace `probe.from.netns`
 */
export const traceProbe = (
  world: World,
  probe: Probe,
  meta: TraceMeta,
): {
  readonly facts: TraceFacts;
  readonly world: World;
  /** What was left to chance, and how it was settled. */
  readonly choices: readonly ChoiceMade[];
} => {
  const netns = netnsOf(world, probe.from.netns);
  const walk = createWalk(world, KERNEL, probe.expect, probe.picks);
  const client: Client = { answered: false, acked: false, tooLong: false };
  const run: Run = { walk, netns, probe, client, legs: [], late: [] };
  walk.detailed = meta.detailed === true;
  walk.answer = probe.answer;
  walk.count = meta.count;
  walk.sized = probe.size !== undefined && probe.protocol !== 'tcp';
  switch (probe.protocol) {
    case 'tcp':
      runHandshake(run);
      break;
    case 'udp':
      runDatagram(run);
      break;
    case 'icmp':
      runEcho(run);
      break;
    default: {
      const never: never = probe.protocol;
      throw new TypeError(`not a protocol: ${never}`);
    }
  }
  walkLate(run);
  const { legs } = run;
  const ended: Ended[] = legs.map(({ packet, story, aside }) => ({
    packet,
    disposition: legDisposition(story),
    aside,
  }));
  const disposition = traceDisposition(ended, client.answered);
  const sentData = legs.some(({ packet }) => packet === 'data');
  const heard: Heard = {
    answered: client.answered,
    ...(client.errno !== undefined && { errno: client.errno }),
    stuck: sentData && !client.acked,
  };
  const told = numbered(legs, world, meta.policies);
  const seen = sourceSeen(told[0]);
  const dnat = targetReached(told[0]);
  const facts: TraceFacts = {
    scenario: meta.scenario,
    probe: meta.probe,
    disposition,
    symptom: symptomOf(heard, disposition),
    legs: told,
    ...(seen && { sourceSeen: seen }),
    ...(dnat && { dnat }),
    assumptions: meta.assumptions,
  };
  const cause = attributeCause({ world, intended: meta.intended, services: meta.services }, facts);
  return {
    facts: cause ? { ...facts, cause } : facts,
    world: walk.overlay.world(),
    choices: walk.choices,
  };
};
