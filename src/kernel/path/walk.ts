/** One walk of packets through a World: what the stages share, and where they report to. */
import { layersOf } from '../../wire/layers.ts';
import type { Ethernet, Ip, Ipv4, Layer, Opaque } from '../../wire/packet.ts';
import type { Choice, ChoiceMade } from '../choice.ts';
import type { DropReason } from '../drop-reason.ts';
import type {
  BridgeEvent,
  Errno,
  KernelEvent,
  ReceiveEvent,
  Tap,
  TransmitEvent,
  Unmodelled,
  WireBroadcast,
} from '../event.ts';
import type { FibEntry, Nexthop } from '../fib.ts';
import type { IpvsIdle } from '../ipvs/told.ts';
import type { Origin } from '../origin.ts';
import type { Overlay } from '../overlay.ts';
import { createOverlay } from '../overlay.ts';
import type { PktType, Skb } from '../skb.ts';
import type { Netdev, Netns, NetnsId, World } from '../world.ts';

/** How a packet ended. */
export type Fate =
  | { readonly kind: 'delivered' }
  /** It came to its host, and nothing listens. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'inconclusive'; readonly reason: 'not-modelled' | 'fact-missing' };

/** Where events go: the story of a packet, a list of taps beside it, or nowhere. */
export type Recorder = Story | Taps | { readonly kind: 'mute' };

export interface Story {
  readonly kind: 'story';
  readonly events: KernelEvent[];
  fate?: Fate;
  /** Somebody answered it with an error: an ICMP message, a RST by a rule, an errno at once. */
  rejected?: true;
  /** More than one machine answered or took it, and which one the kernel knows by chance. */
  ambiguous?: true;
}

export interface Taps {
  readonly kind: 'taps';
  readonly taps: Tap[];
  readonly broadcasts: WireBroadcast[];
}

/** What a leg carries, seen from the one who asked. */
export type Carries = 'synack' | 'rst' | 'ack' | 'datagram' | 'echo-reply' | 'icmp-error';

/** A packet that somebody sends because of this one, once this one has ended. */
export interface Pending {
  readonly carries: Carries;
  /** Where it is sent from, and to which address. */
  readonly from: NetnsId;
  readonly to: Ip;
  /** Told behind what answers the packet itself: a redirect. */
  readonly aside?: true;
  /** Told behind everything that had not to wait: nobody answered for a neighbour, for seconds. */
  readonly late?: true;
  run(): void;
}

/** A socket that is part of this walk, beside those that only wait. */
export interface FlowSocket {
  readonly netns: NetnsId;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly process?: string;
  /** The port that it has to itself: nobody else can listen there. */
  readonly holds?: number;
  /** Whether a packet that came to its namespace is for it. */
  owns(packet: Ipv4): boolean;
  /** Whether an ICMP error about the packet is for it: the packet is one that it sent. */
  sent(packet: Ipv4): boolean;
  receive(packet: Ipv4): void;
  /** The errno that a wake-up would give, by icmp_err_convert. */
  error(icmp: { readonly kind: string; readonly code: number; readonly mtu?: number }): void;
}

/**
 * Stages that stages before them call: the stack calls a device, and a device calls the stack.
 * `kernel.ts` fills them in.
 */
export interface Stages {
  netifReceiveSkb(walk: Walk, netns: Netns, dev: Netdev, rx: Received): void;
  devQueueXmit(walk: Walk, netns: Netns, dev: Netdev, frame: Ethernet, skb?: Skb): void;
  ipLocalOut(walk: Walk, netns: Netns, skb: Skb): Errno | undefined;
  icmpSend(walk: Walk, netns: Netns, about: Skb, error: IcmpErrorSpec): void;
}

/** A frame that came out of a device. `skb` is what the kernel remembers of it, if it is IPv4. */
export interface Received {
  readonly frame: Ethernet;
  readonly skb: Skb | undefined;
  readonly from: NonNullable<ReceiveEvent['detail']['from']>;
  /** Taken as it is, whatever its address (PACKET_HOST set by the device). */
  readonly pktType?: PktType | undefined;
}

export interface IcmpErrorSpec {
  readonly kind: 'destination-unreachable' | 'time-exceeded' | 'redirect';
  readonly code: number;
  readonly mtu?: number;
  readonly gateway?: Ip;
  readonly late?: true;
}

export interface Walk {
  readonly world: World;
  readonly overlay: Overlay;
  readonly stages: Stages;
  recorder: Recorder;
  readonly pending: Pending[];
  readonly sockets: FlowSocket[];
  /** The process that is meant to answer in a namespace; another one's listener does not count. */
  readonly expect?: { readonly netns: NetnsId; readonly process?: string };
  /** Counts frames that a stack took for its own: tells the wanted copy of a flooded frame. */
  accepted: number;
  /** Frames that came in by a device in this leg, for loops. */
  visits: Map<Netdev, Ethernet[]>;
  /** An application answered a datagram: whoever hears the answer does not answer that. */
  answered: boolean;
  /** What an application answers to a datagram; absent: what it got. */
  answer?: Opaque | undefined;
  /** The packet carries data whose size was asked for: sizes are worth telling. */
  sized: boolean;
  /** Somebody reads what only a close look shows: the rules that nearly decided. */
  detailed: boolean;
  /** Told of every firewall rule whose conditions hold, as the rule's own counter would be. */
  count: ((netns: NetnsId, table: string, chain: string, number: number) => void) | undefined;
  /** Who was told of a shorter way by whom: routers say it once for a while. */
  readonly redirected: Set<string>;
  /** What to pick where the kernel leaves it to chance, in order. */
  readonly picks: readonly number[];
  readonly choices: ChoiceMade[];
  /** Next hops that flows were given, by route and by what is hashed: a flow keeps its own. */
  readonly hops: Map<FibEntry, Map<string, Nexthop>>;
  lastFrame: Ethernet | undefined;
  lastLayers: readonly Layer[];
}

export const createWalk = (
  world: World,
  stages: Stages,
  expect?: Walk['expect'],
  picks: readonly number[] = [],
): Walk => ({
  world,
  overlay: createOverlay(world),
  stages,
  recorder: { kind: 'mute' },
  pending: [],
  sockets: [],
  ...(expect && { expect }),
  accepted: 0,
  visits: new Map(),
  answered: false,
  sized: false,
  detailed: false,
  count: undefined,
  redirected: new Set(),
  picks,
  choices: [],
  hops: new Map(),
  lastFrame: undefined,
  lastLayers: [],
});

/** Settles what the kernel leaves to chance: the probe's next pick, or the first option. */
export const choose = (walk: Walk, choice: Choice): number => {
  const wanted = walk.picks[walk.choices.length] ?? 0;
  const picked = Math.min(wanted, choice.options - 1);
  const { by, netns, options, at } = choice;
  walk.choices.push({ by, netns, options, at, picked });
  return picked;
};

/** The layers of a frame; a veth's two ends show the same frame, so the last one is kept. */
export const layersIn = (walk: Walk, frame: Ethernet): readonly Layer[] => {
  if (walk.lastFrame !== frame) {
    walk.lastFrame = frame;
    walk.lastLayers = layersOf(frame);
  }
  return walk.lastLayers;
};

/** Whether events would be seen by anybody: spares making them. */
export const isTold = (walk: Walk): boolean => walk.recorder.kind === 'story';

/**
 * Reports what a stage did. A list of taps keeps the frames of an event only.
 * @param origin who wrote the row that decided
 */
export const emit = (walk: Walk, event: KernelEvent, origin?: Origin): void => {
  const { recorder } = walk;
  // Set, not spread: this is the walk's innermost loop.
  if (origin) (event as { origin?: Origin }).origin = origin;
  if (recorder.kind === 'story') recorder.events.push(event);
  else if (recorder.kind === 'taps') keepTaps(recorder, event);
};

const keepTaps = (into: Taps, event: KernelEvent): void => {
  if (event.kind === 'neighbour') {
    into.taps.push(...(event.detail.exchange ?? []));
    into.broadcasts.push(...(event.detail.broadcasts ?? []));
  } else if (event.kind === 'bridge') {
    into.taps.push(...(event.detail.copies ?? []));
    into.broadcasts.push(...(event.detail.broadcasts ?? []));
  }
};

const tap = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  direction: Tap['direction'],
  frame: Ethernet,
): void => {
  const { recorder } = walk;
  if (recorder.kind === 'taps')
    recorder.taps.push({
      netns: netns.id,
      device: dev.ifname,
      direction,
      packet: layersIn(walk, frame),
    });
};

/** dev_queue_xmit_nit: a capture sees the frame leave. */
export const tapTransmit = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  frame: Ethernet,
  detail: TransmitEvent['detail'],
): void => {
  const { recorder } = walk;
  if (recorder.kind !== 'story') {
    tap(walk, netns, dev, 'transmit', frame);
    return;
  }
  const { id } = netns;
  const { ifname: device, origin } = dev;
  const packet = layersIn(walk, frame);
  recorder.events.push(
    origin
      ? { kind: 'transmit', netns: id, device, action: 'xmit', detail, origin, packet }
      : { kind: 'transmit', netns: id, device, action: 'xmit', detail, packet },
  );
};

/** __netif_receive_skb_core: a capture sees the frame come in. */
export const tapReceive = (
  walk: Walk,
  netns: Netns,
  dev: Netdev,
  frame: Ethernet,
  action: ReceiveEvent['action'],
  from: Received['from'],
): void => {
  const { recorder } = walk;
  if (recorder.kind !== 'story') {
    tap(walk, netns, dev, 'receive', frame);
    return;
  }
  const { id } = netns;
  const { ifname: device, origin } = dev;
  const packet = layersIn(walk, frame);
  const detail = { from };
  recorder.events.push(
    origin
      ? { kind: 'receive', netns: id, device, action, detail, origin, packet }
      : { kind: 'receive', netns: id, device, action, detail, packet },
  );
};

export interface DropSpec {
  readonly device?: string;
  readonly about?: Ipv4;
  readonly unmodelled?: Unmodelled;
  readonly ipvs?: IpvsIdle;
  readonly origin?: Origin;
}

/** kfree_skb_reason: the packet ends here. The first end of a packet is its fate. */
export const drop = (walk: Walk, netns: Netns, reason: DropReason, spec: DropSpec = {}): void => {
  const { recorder } = walk;
  if (recorder.kind !== 'story') return;
  const { device, about, unmodelled, ipvs, origin } = spec;
  recorder.events.push({
    kind: 'drop',
    netns: netns.id,
    ...(device !== undefined && { device }),
    action: 'drop',
    detail: {
      reason,
      ...(about && { about }),
      ...(unmodelled && { unmodelled }),
      ...(ipvs && { ipvs }),
    },
    ...(origin && { origin }),
  });
  recorder.fate ??=
    reason === 'not-modelled' || reason === 'fact-missing'
      ? { kind: 'inconclusive', reason }
      : { kind: 'dropped', reason };
};

/** Sets how the packet ended, where that is no drop. */
export const end = (walk: Walk, fate: Fate): void => {
  if (walk.recorder.kind === 'story') walk.recorder.fate ??= fate;
};

/** Somebody answers the packet with an error. */
export const markRejected = (walk: Walk): void => {
  if (walk.recorder.kind === 'story') walk.recorder.rejected = true;
};

export const markAmbiguous = (walk: Walk): void => {
  if (walk.recorder.kind === 'story') walk.recorder.ambiguous = true;
};

/** Runs a part of the walk with another recorder. */
export const recordedBy = (walk: Walk, recorder: Recorder, run: () => void): void => {
  const outer = walk.recorder;
  walk.recorder = recorder;
  run();
  walk.recorder = outer;
};

/** What captures would show of events, flooded copies and ARP included. */
export const tapsOfEvents = (events: readonly KernelEvent[], flooded: boolean): Tap[] => {
  const mark = flooded ? ({ flooded: true } as const) : {};
  const taps: Tap[] = [];
  for (const event of events) {
    if (event.kind === 'transmit' || event.kind === 'receive') {
      const { netns, device, kind, packet } = event;
      if (device !== undefined && packet)
        taps.push({ netns, device, direction: kind, packet, ...mark });
    } else if (event.kind === 'bridge') taps.push(...(event.detail.copies ?? []));
    else if (event.kind === 'neighbour') taps.push(...(event.detail.exchange ?? []));
  }
  return taps;
};

/** Broadcasts that events tell of. */
const broadcastsOfEvents = (events: readonly KernelEvent[]): WireBroadcast[] =>
  events.flatMap((event) =>
    event.kind === 'neighbour' || event.kind === 'bridge' ? (event.detail.broadcasts ?? []) : [],
  );

export interface CopiesOutcome {
  /** Which copy is the story's; undefined: nobody wanted any. */
  readonly main: number | undefined;
  readonly copies: readonly Tap[];
  readonly broadcasts: readonly WireBroadcast[];
  /** Reports the main copy's own story, behind the event that tells of the copies. */
  tell(): void;
}

/** Ends that only mean that the frame was for somebody else. */
const UNWANTED: ReadonlySet<DropReason> = new Set([
  'OTHERHOST',
  'no-attachment',
  'NO_TX_TARGET',
  'BRIDGE_INGRESS_STP_STATE',
  'QDISC_DROP',
  'DEV_READY',
]);

const isUnwanted = ({ fate }: Story): boolean =>
  fate === undefined || (fate.kind === 'dropped' && UNWANTED.has(fate.reason));

/**
 * Walks several copies of one frame. The copy that a stack took is the packet's own way; without
 * one, a copy that ended for a reason of its own (a rule) is. All others end up as taps.
 */
export const walkCopies = (walk: Walk, copies: readonly (() => void)[]): CopiesOutcome => {
  const { recorder } = walk;
  const runs = copies.map((run) => {
    const before = walk.accepted;
    const into: Story | Taps =
      recorder.kind === 'story'
        ? { kind: 'story', events: [] }
        : { kind: 'taps', taps: [], broadcasts: [] };
    recordedBy(walk, recorder.kind === 'mute' ? recorder : into, run);
    return { into, accepted: walk.accepted > before };
  });
  const wanted = runs.findIndex(({ accepted }) => accepted);
  const nothing = { copies: [], broadcasts: [], tell: () => undefined };
  if (recorder.kind === 'mute') return { main: undefined, ...nothing };
  if (recorder.kind === 'taps') {
    for (const { into, accepted } of runs) {
      if (into.kind !== 'taps') continue;
      recorder.taps.push(
        ...(accepted ? into.taps : into.taps.map((one) => ({ ...one, flooded: true }) as const)),
      );
      recorder.broadcasts.push(...into.broadcasts);
    }
    return { main: wanted < 0 ? undefined : wanted, ...nothing };
  }
  const telling = runs.findIndex(({ into }) => into.kind === 'story' && !isUnwanted(into));
  const main = wanted >= 0 ? wanted : telling;
  const others: Tap[] = [];
  const broadcasts: WireBroadcast[] = [];
  for (const [at, { into }] of runs.entries()) {
    if (at === main || into.kind !== 'story') continue;
    others.push(...tapsOfEvents(into.events, true));
    broadcasts.push(...broadcastsOfEvents(into.events));
  }
  if (runs.filter(({ accepted }) => accepted).length > 1) recorder.ambiguous = true;
  return {
    main: main < 0 ? undefined : main,
    copies: others,
    broadcasts,
    tell: () => {
      const story = runs[main]?.into;
      if (story?.kind !== 'story') return;
      recorder.events.push(...story.events);
      if (story.fate) recorder.fate ??= story.fate;
      if (story.rejected) recorder.rejected = true;
      if (story.ambiguous) recorder.ambiguous = true;
    },
  };
};

/** The part of a bridge event that copies are told in. */
export const copiesDetail = ({
  copies,
  broadcasts,
}: CopiesOutcome): Pick<BridgeEvent['detail'], 'copies' | 'broadcasts'> => ({
  ...(copies.length > 0 && { copies }),
  ...(broadcasts.length > 0 && { broadcasts }),
});
