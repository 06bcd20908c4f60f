/**
 * Where on a packet's way policies are asked, and the steps that tell it.
 *
 * An agent that enforces by address has its rules at a node's forward and input hooks, and asks only
 * about Pods of that node: the source's egress where the packet of its Pod is first routed or
 * switched, the destination's ingress where it is about to reach its Pod. What IPVS takes at the input
 * hook goes on by the output hook: it is asked about there, once its server is known. Without an agent
 * these are the places at which one would ask.
 */
import type { KernelEvent } from '../kernel/event.ts';
import type { NftTableName } from '../kernel/netfilter/nft-table.ts';
import type { Book, NetnsId } from '../kernel/world.ts';
import type { Ip, Layer, Unknown } from '../wire/packet.ts';
import type { PolicyEvent, PolicyFacts, PolicyQuery, PolicySide, PolicyView } from './policies.ts';
import type { Leg } from './trace.ts';
import type { TraceEvent } from './trace-event.ts';

/** A packet's whole way, before its steps are numbered. */
export interface Way {
  readonly direction: Leg['direction'];
  readonly packet: Leg['packet'];
  readonly events: readonly KernelEvent[];
}

/** The packet as it is at some point: its outermost addresses. */
interface Passing {
  src: Ip;
  dst: Ip;
  protocol: PolicyQuery['protocol'];
  port: number | undefined;
}

/** What a visit to a node's own namespace has shown so far. */
interface Visit {
  readonly netns: NetnsId;
  readonly node: string;
  packet: Passing | undefined;
  /** The packet belongs to a connection that was let through before. */
  isKnown: boolean;
  /** A process of the node has sent it. */
  isOwn: boolean;
  /** IPVS has taken it at the input hook, and given it a server. */
  isSentOn: boolean;
}

type HookName = 'FORWARD' | 'INPUT' | 'OUTPUT';

/** A point at which policies are asked. */
interface Gate {
  readonly sides: readonly PolicySide[];
  readonly hook: HookName | undefined;
  /** The step comes before the event, not after it. */
  readonly isBefore?: true;
  /** Something else may end the packet before the hook: there is nothing to ask then. */
  readonly needsHook?: true;
}

const BEGINNINGS: ReadonlySet<Leg['packet']> = new Set<Leg['packet']>(['syn', 'datagram', 'echo']);

/**
 * The events of a leg with those of policies among them, each once for a Pod and a side. Only what
 * begins a connection is judged; of what comes later, only what a table that enforces takes for new.
 */
export const withPolicySteps = (way: Way, book: Book, view: PolicyView): readonly TraceEvent[] => {
  const { events } = way;
  const begins = way.direction === 'request' && BEGINNINGS.has(way.packet);
  if (!begins && view.enforcedBy === undefined) return events;
  const told = new Set<string>();
  const all: TraceEvent[] = [];
  let visit: Visit | undefined;
  for (const [at, event] of events.entries()) {
    if (event.netns !== visit?.netns) visit = visitOf(event.netns);
    look(visit, event);
    const gate = gateOf(visit, events, at);
    if (gate?.isBefore !== true) all.push(event);
    if (gate && visit.packet && !visit.isKnown) {
      const hook = gate.hook && hookBehind(events, at, gate.hook);
      if (gate.needsHook && hook === undefined) continue;
      const isAsked = hook !== undefined && isWalked(hook, view.enforcedBy);
      for (const side of begins || isAsked ? gate.sides : []) {
        const pod = podAt(visit, side, book);
        const key = `${side} ${pod}`;
        if (pod === undefined || told.has(key) || isStoppedBefore(hook, view.enforcedBy)) continue;
        told.add(key);
        const facts = view.ask(queryOf(visit, visit.packet, side, pod));
        if (!facts) continue;
        const step = eventOf(visit.netns, facts, view, isAsked);
        all.push(step);
        // It goes no further: nobody asks the other side.
        if (step.action === 'denied' || step.action === 'unknown') break;
      }
    }
    if (gate?.isBefore === true) all.push(event);
  }
  return all;
};

const visitOf = (netns: NetnsId): Visit => ({
  netns,
  node: netns.slice(0, netns.indexOf('/')),
  packet: undefined,
  isKnown: false,
  isOwn: false,
  isSentOn: false,
});

const portOf = (port: number | Unknown | undefined): number | undefined =>
  typeof port === 'number' ? port : undefined;

const isNode = ({ netns, node }: Visit): boolean => netns === `${node}/host`;

/** What an event says about the packet as it is from there on. */
const look = (visit: Visit, event: KernelEvent): void => {
  switch (event.kind) {
    case 'receive':
    case 'transmit':
      if (event.packet) visit.packet = outermost(event.packet);
      return;
    case 'socket': {
      if (event.action !== 'send') return;
      visit.isOwn = true;
      if (visit.packet) return;
      const { src, dst, dport, protocol } = event.detail;
      if (protocol === 'tcp' || protocol === 'udp' || protocol === 'icmp')
        visit.packet = { src, dst, protocol, port: dport };
      return;
    }
    case 'nat': {
      const { packet } = visit;
      const { field, after } = event.detail;
      if (isTakenByIpvs(event)) visit.isSentOn = true;
      if (!packet) return;
      packet[field] = after.ip;
      if (field === 'dst' && packet.protocol !== 'icmp')
        packet.port = portOf(after.port) ?? packet.port;
      return;
    }
    case 'conntrack':
      if (event.action === 'established' || event.action === 'related') visit.isKnown = true;
      else if (event.action === 'new' || event.action === 'invalid') visit.isKnown = false;
      return;
    case 'encapsulate':
    case 'decapsulate':
      visit.packet = undefined;
      visit.isKnown = false;
      visit.isOwn = false;
      visit.isSentOn = false;
      return;
    default:
  }
};

const outermost = (layers: readonly Layer[]): Passing | undefined => {
  const at = layers.findIndex(({ type }) => type === 'ipv4');
  const [header, above] = [layers[at], layers[at + 1]];
  if (header?.type !== 'ipv4') return undefined;
  const { src, dst } = header;
  switch (above?.type) {
    case 'tcp':
    case 'udp':
      return { src, dst, protocol: above.type, port: portOf(above.dport) };
    case 'icmp':
      return { src, dst, protocol: 'icmp', port: undefined };
    default:
      return undefined;
  }
};

const BOTH: readonly PolicySide[] = ['egress', 'ingress'];

/** ip_vs_remote_request4: IPVS at LOCAL_IN. */
const isTakenByIpvs = (event: KernelEvent): boolean =>
  event.kind === 'nat' && event.action === 'ipvs' && event.detail.hook === 'INPUT';

const gateOf = (visit: Visit, events: readonly KernelEvent[], at: number): Gate | undefined => {
  const event = events[at];
  if (!event || !isNode(visit)) return undefined;
  switch (event.kind) {
    case 'forward':
      return { sides: BOTH, hook: 'FORWARD' };
    case 'bridge':
      // What the bridge's own stack sends was routed before.
      return event.action !== 'local' && event.detail.inPort !== undefined
        ? { sides: BOTH, hook: 'FORWARD' }
        : undefined;
    case 'route':
      return routeGate(visit, event, events.slice(at + 1));
    case 'transmit':
      // The node's own packet has passed neither hook.
      return event.detail.via === 'veth'
        ? { sides: ['ingress'], hook: undefined, isBefore: true }
        : undefined;
    default:
      return undefined;
  }
};

/** A packet that the node takes itself, and one that IPVS took for its server: elsewhere, or here. */
const routeGate = (
  { isSentOn }: Visit,
  { detail: { purpose, result } }: Extract<KernelEvent, { kind: 'route' }>,
  later: readonly KernelEvent[],
): Gate | undefined => {
  if (isSentOn && purpose === 'output')
    return result === 'local'
      ? { sides: ['egress'], hook: 'INPUT' }
      : { sides: BOTH, hook: 'OUTPUT', needsHook: true };
  if (purpose !== 'input' || result !== 'local') return undefined;
  const end = later.findIndex(({ kind }) => kind === 'transmit' || kind === 'receive');
  const here = end < 0 ? later : later.slice(0, end);
  return here.some(isTakenByIpvs) ? undefined : { sides: ['egress'], hook: 'INPUT' };
};

type HookEvent = Extract<KernelEvent, { kind: 'hook' }>;

/** The hook that the packet passes behind a gate, in the same visit. */
const hookBehind = (
  events: readonly KernelEvent[],
  at: number,
  name: HookName,
): HookEvent | undefined => {
  const { netns } = events[at] as KernelEvent;
  for (const event of events.slice(at + 1)) {
    if (event.netns !== netns || event.kind === 'transmit' || event.kind === 'encapsulate')
      return undefined;
    if (event.kind === 'hook' && event.detail.hook === name) return event;
  }
  return undefined;
};

const isWalked = ({ detail }: HookEvent, table: NftTableName | undefined): boolean =>
  detail.chains.some((chain) => chain.table === table);

/** Somebody else's rule, asked earlier at the same hook, has ended the packet. */
const isStoppedBefore = (hook: HookEvent | undefined, table: NftTableName | undefined): boolean =>
  table !== undefined && hook !== undefined && hook.action !== 'accept' && !isWalked(hook, table);

/** The Pod of this node whose policies a side is about. */
const podAt = (
  { packet, node, netns }: Visit,
  side: PolicySide,
  book: Book,
): NetnsId | undefined => {
  if (!packet) return undefined;
  const owners = book.owners(side === 'egress' ? packet.src : packet.dst);
  return owners.find((owner) => owner.host === node && owner.netns !== netns)?.netns;
};

const queryOf = (
  { isOwn }: Visit,
  { src, dst, protocol, port }: Passing,
  direction: PolicySide,
  netns: NetnsId,
): PolicyQuery => ({
  direction,
  netns,
  peer: direction === 'egress' ? dst : src,
  ...(isOwn && direction === 'ingress' && { fromOwnNode: true }),
  protocol,
  ...(port !== undefined && { port }),
});

const eventOf = (
  netns: NetnsId,
  detail: PolicyFacts,
  view: PolicyView,
  isAsked: boolean,
): PolicyEvent => ({ kind: 'policy', netns, action: actionOf(detail, view, isAsked), detail });

const actionOf = (
  { policies, decision, by }: PolicyFacts,
  { enforcedBy }: PolicyView,
  isAsked: boolean,
): PolicyEvent['action'] => {
  if (policies.length === 0) return 'not-isolated';
  if (enforcedBy === undefined) return 'not-enforced';
  if (!isAsked && by !== 'self' && by !== 'own-node') return 'escaped';
  switch (decision) {
    case 'allow':
      return 'allowed';
    case 'deny':
      return 'denied';
    case 'unknown':
      return 'unknown';
    default:
      return decision satisfies never;
  }
};
