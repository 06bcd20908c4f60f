/**
 * Which connection a packet belongs to, and how it changes it (nf_conntrack_in, nf_conntrack_confirm;
 * net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_{tcp,udp,icmp}.c).
 */
import type { Icmp, Ipv4 } from '../../wire/packet.ts';
import type { KernelEvent } from '../event.ts';
import type { Skb } from '../skb.ts';
import {
  type ConntrackEntry,
  type CtDir,
  type CtTuple,
  invertTuple,
  reverse,
  tupleOf,
} from './conntrack.ts';
import { nftTracks } from './nft-tracks.ts';
import { type Hook, type NfTable, perRevision } from './ruleset.ts';
import { tcpFirst, tcpNext } from './tcp-state.ts';
import type { NfEnv } from './verdict.ts';

/** A tuple, and for echoes which of the two it is: a request never looks like a reply. */
export interface Flow {
  readonly tuple: CtTuple;
  readonly echo?: 'request' | 'reply';
}

/**
 * The flow that a packet is part of (nf_ct_get_tuple); `undefined` for an ICMP error, which has
 * none of its own, and for data that nobody looks into.
 */
export const flowOf = ({ src, dst, payload }: Ipv4): Flow | undefined => {
  switch (payload.type) {
    case 'tcp':
    case 'udp': {
      const { type, sport, dport } = payload;
      return { tuple: { src, dst, protocol: type, sport, dport } };
    }
    case 'icmp': {
      if (payload.kind !== 'echo-request' && payload.kind !== 'echo-reply') return undefined;
      const id = payload.id ?? 0;
      return {
        tuple: { src, dst, protocol: 'icmp', sport: id, dport: id },
        echo: payload.kind === 'echo-request' ? 'request' : 'reply',
      };
    }
    case 'data':
      return undefined;
    default: {
      const never: never = payload;
      return never;
    }
  }
};

/** The flow of the answers. */
export const invertFlow = ({ tuple, echo }: Flow): Flow => ({
  tuple: invertTuple(tuple),
  ...(echo && { echo: echo === 'request' ? 'reply' : 'request' }),
});

/** A port that only a running kernel knows is the same value wherever packets carry it. */
export const sameTuple = (a: CtTuple, b: CtTuple): boolean =>
  a.protocol === b.protocol &&
  a.src === b.src &&
  a.dst === b.dst &&
  a.sport === b.sport &&
  a.dport === b.dport;

type Found = { readonly entry: ConntrackEntry; readonly dir: CtDir };

/** nf_conntrack_find_get. */
export const lookup = (
  table: readonly ConntrackEntry[],
  { tuple, echo }: Flow,
): Found | undefined => {
  for (const entry of table) {
    if (echo !== 'reply' && sameTuple(entry.original, tuple)) return { entry, dir: 'original' };
    if (echo !== 'request' && sameTuple(entry.reply, tuple)) return { entry, dir: 'reply' };
  }
  return undefined;
};

/**
 * nf_conntrack_tuple_taken: another connection's packets already look like this. A port picked at
 * random is taken where the very same pick is used again, never by another pick of its range.
 */
export const tupleTaken = (
  table: readonly ConntrackEntry[],
  flow: Flow,
  own: ConntrackEntry,
): boolean => {
  const others = table.filter((entry) => !sameTuple(entry.original, own.original));
  return lookup(others, flow) !== undefined;
};

const position = (table: readonly ConntrackEntry[], entry: ConntrackEntry): number => {
  const at = table.indexOf(entry);
  return at >= 0 ? at : table.findIndex((one) => sameTuple(one.original, entry.original));
};

/** Puts a changed entry into the place of the old one; an unconfirmed one has no place yet. */
export const replaceEntry = (
  table: ConntrackEntry[],
  old: ConntrackEntry,
  next: ConntrackEntry,
): void => {
  const at = old.confirmed ? position(table, old) : -1;
  if (at >= 0) table[at] = next;
};

/** nf_ct_kill: the table forgets it; packets under way keep it. */
export const killEntry = (table: ConntrackEntry[], entry: ConntrackEntry): void => {
  const at = position(table, entry);
  if (at >= 0) table.splice(at, 1);
};

type Emit = (event: KernelEvent) => void;

const emitState = (env: NfEnv, emit: Emit, hook: Hook, skb: Skb): void => {
  const { netns } = env;
  const { ct } = skb;
  if (!ct) {
    const detail = { hook, state: 'INVALID', dir: 'original' } as const;
    emit({ kind: 'conntrack', netns: netns.id, action: 'invalid', detail });
    return;
  }
  const actions = {
    NEW: 'new',
    ESTABLISHED: 'established',
    RELATED: 'related',
    INVALID: 'invalid',
    UNTRACKED: 'invalid',
  } as const;
  const detail = { hook, state: ct.state, dir: ct.dir, entry: ct.entry };
  emit({ kind: 'conntrack', netns: netns.id, action: actions[ct.state], detail });
};

/**
 * nf_conntrack_inet_error: an ICMP error belongs to the connection of the packet that it quotes,
 * if it is sent to the one who sent that packet.
 */
const errorTarget = (table: readonly ConntrackEntry[], packet: Ipv4, icmp: Icmp): Skb['ct'] => {
  const inner = icmp.original && flowOf(icmp.original);
  const found = inner && lookup(table, invertFlow(inner));
  if (!found || tupleOf(found.entry, found.dir).dst !== packet.dst) return undefined;
  return { entry: found.entry, dir: found.dir, state: 'RELATED' };
};

const MAX = 'net.netfilter.nf_conntrack_max';
/** What machines with more than 4 GiB have (nf_conntrack_init_start); zero means no limit. */
const USUAL_MAX = 262_144;

/**
 * Whether nf_conntrack_alloc finds no room for one more. early_drop, which then looks through 8
 * buckets of the hash for a connection to give up, is taken to find none.
 */
const isFull = ({ netns, conntrack }: NfEnv): boolean => {
  const written = netns.sysctls.get(MAX);
  const most = written ? Number(written.value) : USUAL_MAX;
  return most > 0 && conntrack.length >= most;
};

const LIBERAL = 'net.netfilter.nf_conntrack_tcp_be_liberal';
const LOOSE = 'net.netfilter.nf_conntrack_tcp_loose';

/** init_conntrack, and whether the protocol takes this packet for a first one. */
const newEntry = (env: NfEnv, packet: Ipv4, { tuple, echo }: Flow): ConntrackEntry | undefined => {
  if (echo === 'reply') return undefined;
  const { payload } = packet;
  const loose = env.netns.sysctls.get(LOOSE)?.value !== '0';
  const tcpState = payload.type === 'tcp' ? tcpFirst(payload.flags, loose) : undefined;
  if (tcpState === 'invalid') return undefined;
  return {
    original: tuple,
    reply: invertTuple(tuple),
    seenReply: false,
    assured: false,
    snat: false,
    dnat: false,
    confirmed: false,
    srcNatDone: false,
    dstNatDone: false,
    ...(tcpState && { tcpState }),
  };
};

const closedBy = (
  entry: ConntrackEntry,
  next: ConntrackEntry['tcpState'],
  dir: CtDir,
): Pick<ConntrackEntry, 'closedBy'> => {
  if (next === 'FIN_WAIT') return { closedBy: 'fin' };
  return next === 'CLOSE' && entry.closedBy !== 'fin' ? { closedBy: dir } : {};
};

type TcpOutcome = 'invalid' | 'reopen' | { readonly entry: ConntrackEntry; readonly kill: boolean };

/** nf_conntrack_tcp_packet for a connection that is known. */
const tcpPacket = ({ entry, dir }: Found, { payload }: Ipv4, liberal: boolean): TcpOutcome => {
  if (payload.type !== 'tcp') return { entry, kill: false };
  const state = entry.tcpState ?? 'SYN_SENT';
  const next = tcpNext(state, dir, payload.flags);
  if (next === 'invalid') return 'invalid';
  if (next === 'ignored') return { entry, kill: false };
  // tcp_in_window: it acknowledges what never came by here.
  const unseen = dir === 'original' && !entry.seenReply && payload.flags.includes('ack');
  if (unseen && next === 'CLOSE' && !liberal) return 'invalid';
  const reopens = next === 'SYN_SENT' && (state === 'TIME_WAIT' || state === 'CLOSE');
  if (reopens)
    return entry.closedBy === 'fin' || entry.closedBy === dir ? 'reopen' : { entry, kill: false };
  const kill = payload.flags.includes('rst') && !entry.seenReply;
  const settled = state === 'SYN_RECV' || state === 'ESTABLISHED';
  const assured = entry.assured || (entry.seenReply && settled && next === 'ESTABLISHED');
  return { entry: { ...entry, tcpState: next, assured, ...closedBy(entry, next, dir) }, kill };
};

/** resolve_normal_ct and the protocol's packet function. `undefined`: INVALID. */
const track = (env: NfEnv, packet: Ipv4, flow: Flow): Skb['ct'] | 'full' => {
  const found = lookup(env.conntrack, flow);
  if (!found) {
    if (isFull(env)) return 'full';
    const entry = newEntry(env, packet, flow);
    return entry && { entry, dir: 'original', state: 'NEW' };
  }
  const { dir } = found;
  const liberal = env.netns.sysctls.get(LIBERAL)?.value === '1';
  const outcome = tcpPacket(found, packet, liberal);
  if (outcome === 'invalid') return undefined;
  if (outcome === 'reopen') {
    killEntry(env.conntrack, found.entry);
    return track(env, packet, flow);
  }
  const seenReply = found.entry.seenReply || dir === 'reply';
  const entry: ConntrackEntry = { ...outcome.entry, seenReply };
  if (outcome.kill) killEntry(env.conntrack, found.entry);
  else replaceEntry(env.conntrack, found.entry, entry);
  // The state is the one before this packet is counted: a second request without answer is NEW.
  const established = dir === 'reply' || found.entry.seenReply;
  return { entry, dir, state: established ? 'ESTABLISHED' : 'NEW' };
};

/**
 * nf_conntrack_in, called at PREROUTING and OUTPUT: gives the packet its connection and moves the
 * connection's state on. A packet that was here before (over lo, or as answer of REJECT) keeps what
 * it has, and one that a rule keeps from conntrack stays without (UNTRACKED). Without connection
 * afterwards it is INVALID.
 * @returns false when there is no room for its connection: the packet is dropped
 */
export const nfConntrackIn = (env: NfEnv, hook: Hook, skb: Skb, emit: Emit): boolean => {
  if (skb.ct || skb.untracked) return true;
  const { packet } = skb;
  const flow = flowOf(packet);
  const ct = flow
    ? track(env, packet, flow)
    : packet.payload.type === 'icmp'
      ? errorTarget(env.conntrack, packet, packet.payload)
      : undefined;
  if (ct === 'full') {
    const detail = { hook, state: 'NEW', dir: 'original' } as const;
    emit({ kind: 'conntrack', netns: env.netns.id, action: 'full', detail });
    return false;
  }
  if (ct) skb.ct = ct;
  emitState(env, emit, hook, skb);
  return true;
};

/**
 * nf_conntrack_confirm, last at POSTROUTING and INPUT: the connection enters the table.
 * @returns false when another connection with these tuples got in first: the packet is dropped
 */
export const nfConntrackConfirm = (env: NfEnv, hook: Hook, skb: Skb, emit: Emit): boolean => {
  const { ct, packet } = skb;
  if (!ct || ct.entry.confirmed || ct.dir !== 'original') return true;
  const echo = flowOf(packet)?.echo;
  const flow: Flow = { tuple: ct.entry.original, ...(echo && { echo: 'request' }) };
  const known = lookup(env.conntrack, flow);
  if (known?.dir === 'original') {
    // nf_ct_resolve_clash: a copy of the same packet was first.
    ct.entry = known.entry;
    return true;
  }
  const answers: Flow = { tuple: ct.entry.reply, ...(echo && { echo: 'reply' }) };
  if (known || tupleTaken(env.conntrack, answers, ct.entry)) return false;
  const entry: ConntrackEntry = { ...ct.entry, confirmed: true };
  ct.entry = entry;
  env.conntrack.push(entry);
  const detail = { hook, state: ct.state, dir: ct.dir, entry };
  emit({ kind: 'conntrack', netns: env.netns.id, action: 'confirm', detail });
  return true;
};

/**
 * nf_conntrack_attach: what the kernel makes about a packet is RELATED to that packet's connection,
 * in the other direction, even while the connection is in no table. So it is with every ICMP error
 * that quotes a packet still on its way (icmp_glue_bits), and with the RST of REJECT
 * (nf_send_reset); not with the port unreachable of a datagram that was delivered (udp_rcv lets the
 * connection go), which finds it by its tuple. About an untracked packet it has no connection, and
 * counts as looked at all the same.
 */
export const nfConntrackAttach = (made: Skb, cause: Skb): void => {
  const { ct } = cause;
  if (!ct) made.madeUntracked = cause.untracked === true;
  else made.ct = { entry: ct.entry, dir: reverse(ct.dir), state: 'RELATED' };
};

/** nf_ct_set_closing: REJECT with a RST closes the connection of the packet that it answers. */
export const nfConntrackSetClosing = (env: Pick<NfEnv, 'conntrack'>, skb: Skb): void => {
  const { ct } = skb;
  if (ct?.entry.tcpState === undefined) return;
  const entry: ConntrackEntry = { ...ct.entry, tcpState: 'CLOSE' };
  replaceEntry(env.conntrack, ct.entry, entry);
  ct.entry = entry;
};

const TRACKING =
  /^(?:-m (?:connmark|connlimit|connbytes|conntrack|state|helper|cluster)|-j (?:CONNMARK|CT --zone|REDIRECT|NETMAP|SNAT|DNAT|MASQUERADE|CONNSECMARK))\b/;

const tracks = ({ chains }: NfTable): boolean =>
  chains.some(({ rules }) =>
    rules.some(({ matches, target }) => {
      if (target.kind === 'SNAT' || target.kind === 'DNAT' || target.kind === 'MASQUERADE')
        return true;
      const text = target.kind === 'unmodelled' ? target.text : '';
      return (
        TRACKING.test(text) ||
        matches.some(
          (match) =>
            match.kind === 'ctstate' || (match.kind === 'unmodelled' && TRACKING.test(match.text)),
        )
      );
    }),
  );

/**
 * Whether the namespace tracks connections at all: while some rule, reached or not, needs it
 * (nf_ct_netns_get). All four hooks come together. An empty nat chain does not ask for it, nor do
 * REJECT, addrtype, physdev, recent.
 */
export const conntrackActive = perRevision(
  ({ tables, nft = [] }) => tables.some(tracks) || nft.some(nftTracks),
);
