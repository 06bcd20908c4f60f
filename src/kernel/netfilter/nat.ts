/**
 * Address translation (net/netfilter/nf_nat_core.c, nf_nat_proto.c, nf_nat_masquerade.c). Rules only
 * bind: they change what the answers of a connection must look like, once. Every packet is then
 * edited after the binding, whichever rules are there by now.
 */
import type { Icmp, Ip, Ipv4, Unknown } from '../../wire/packet.ts';
import type { KernelEvent, NatEvent } from '../event.ts';
import type { Skb } from '../skb.ts';
import {
  type ConntrackEntry,
  type CtDir,
  type CtTuple,
  invertTuple,
  reverse,
  tupleOf,
} from './conntrack.ts';
import { type Flow, flowOf, killEntry, replaceEntry, tupleTaken } from './conntrack-in.ts';
import type { Hook } from './ruleset.ts';
import type { NfEnv, NfState, NfVerdict } from './verdict.ts';
import type { RuleAt, WalkEnd } from './walk.ts';

/** enum nf_nat_manip_type: which address of the packet. */
type Manip = 'src' | 'dst';

/** HOOK2MANIP: where destinations are changed, and where sources are. */
const manipAt = (hook: Hook): Manip => (hook === 'PREROUTING' || hook === 'OUTPUT' ? 'dst' : 'src');

const otherManip = (manip: Manip): Manip => (manip === 'src' ? 'dst' : 'src');

/** struct nf_nat_range2: what the new address and port may be. Absent: as they are. */
interface Range {
  readonly ip: Ip;
  readonly port?: number;
  /** NF_NAT_RANGE_PROTO_RANDOM_ALL. */
  readonly random?: boolean;
}

type Port = number | Unknown;

const randomPort = (low: number, high: number): Unknown => ({
  unknown: 'random-port',
  range: [low, high],
});

/** nf_nat_l4proto_unique_tuple without a range of ports: any free one of the same class. */
const anyPort = (port: Port, protocol: CtTuple['protocol']): Unknown => {
  if (protocol === 'icmp') return randomPort(0, 65535);
  const low = typeof port === 'number' ? port : port.range[0];
  if (low < 512) return randomPort(1, 511);
  return low < 1024 ? randomPort(600, 1023) : randomPort(1024, 65535);
};

const withSource = (tuple: CtTuple, src: Ip, sport: Port): CtTuple => ({
  ...tuple,
  src,
  sport,
  // An echo has one id, whichever way it goes.
  dport: tuple.protocol === 'icmp' ? sport : tuple.dport,
});

const withDestination = (tuple: CtTuple, dst: Ip, dport: Port): CtTuple => ({
  ...tuple,
  dst,
  dport,
  sport: tuple.protocol === 'icmp' ? dport : tuple.sport,
});

const answersTo = (tuple: CtTuple): Flow => ({
  tuple: invertTuple(tuple),
  ...(tuple.protocol === 'icmp' && { echo: 'reply' as const }),
});

const taken = (env: NfEnv, tuple: CtTuple, entry: ConntrackEntry): boolean =>
  tupleTaken(env.conntrack, answersTo(tuple), entry);

/** find_appropriate_src: the same source is already translated to an address of the range. */
const currentSource = (env: NfEnv, tuple: CtTuple, range: Range): CtTuple | undefined => {
  const known = env.conntrack.find(
    ({ original, reply, srcNatDone }) =>
      srcNatDone === true &&
      original.protocol === tuple.protocol &&
      original.src === tuple.src &&
      original.sport === tuple.sport &&
      reply.dst === range.ip &&
      (range.port === undefined || reply.dport === range.port),
  );
  return known && withSource(tuple, known.reply.dst, known.reply.dport);
};

/** get_unique_tuple for a source. */
const uniqueSource = (env: NfEnv, tuple: CtTuple, range: Range, entry: ConntrackEntry): CtTuple => {
  const { ip, port, random } = range;
  const inRange = tuple.src === ip && (port === undefined || tuple.sport === port);
  if (!random) {
    const kept = inRange ? tuple : currentSource(env, tuple, range);
    if (kept && !taken(env, kept, entry)) return kept;
  }
  // One port to choose from is taken whether it is free or not.
  if (port !== undefined) return withSource(tuple, ip, port);
  const moved = withSource(tuple, ip, tuple.sport);
  if (!random && !taken(env, moved, entry)) return moved;
  return withSource(tuple, ip, anyPort(tuple.sport, tuple.protocol));
};

/** get_unique_tuple for a destination: without a port in the rule, the port stays as it is. */
const uniqueDestination = (
  env: NfEnv,
  tuple: CtTuple,
  { ip, port }: Range,
  entry: ConntrackEntry,
): CtTuple => {
  const moved = withDestination(tuple, ip, port ?? tuple.dport);
  const clash = port === undefined && tuple.protocol === 'icmp' && taken(env, moved, entry);
  return clash ? withDestination(tuple, ip, randomPort(0, 65535)) : moved;
};

const isDone = (entry: ConntrackEntry, manip: Manip): boolean =>
  (manip === 'src' ? entry.srcNatDone : entry.dstNatDone) === true;

/** nf_nat_setup_info: binds one half of the connection, as long as it is not in the table yet. */
const setupInfo = (
  env: NfEnv,
  entry: ConntrackEntry,
  range: Range,
  manip: Manip,
): ConntrackEntry => {
  if (entry.confirmed) return entry;
  const current = invertTuple(entry.reply);
  const chosen =
    manip === 'src'
      ? uniqueSource(env, current, range, entry)
      : uniqueDestination(env, current, range, entry);
  const changed =
    chosen.src !== current.src ||
    chosen.dst !== current.dst ||
    chosen.sport !== current.sport ||
    chosen.dport !== current.dport;
  const reply = changed ? invertTuple(chosen) : entry.reply;
  return manip === 'src'
    ? { ...entry, reply, snat: entry.snat || changed, srcNatDone: true }
    : { ...entry, reply, dnat: entry.dnat || changed, dstNatDone: true };
};

/** nf_nat_alloc_null_binding: the address as it is; a port that is taken still moves. */
const nullBinding = (env: NfEnv, entry: ConntrackEntry, manip: Manip): ConntrackEntry =>
  setupInfo(env, entry, { ip: manip === 'src' ? entry.reply.dst : entry.reply.src }, manip);

const withPorts = (payload: Ipv4['payload'], manip: Manip, port: Port): Ipv4['payload'] => {
  switch (payload.type) {
    case 'tcp':
    case 'udp':
      return manip === 'src' ? { ...payload, sport: port } : { ...payload, dport: port };
    case 'icmp':
      return payload.kind === 'echo-request' || payload.kind === 'echo-reply'
        ? { ...payload, id: port }
        : payload;
    case 'data':
      return payload;
    default: {
      const never: never = payload;
      return never;
    }
  }
};

/** nf_nat_ipv4_manip_pkt: the packet with one address and port as the tuple says. */
const manipPacket = (packet: Ipv4, target: CtTuple, manip: Manip): Ipv4 => {
  const port = manip === 'src' || target.protocol === 'icmp' ? target.sport : target.dport;
  return { ...packet, [manip]: target[manip], payload: withPorts(packet.payload, manip, port) };
};

/** One end of a packet: address, and port or the id of an echo. */
export const endOf = (packet: Ipv4, manip: Manip): { ip: Ip; port?: Port } => {
  const tuple = flowOf(packet)?.tuple;
  const port = manip === 'src' ? tuple?.sport : tuple?.dport;
  return { ip: packet[manip], ...(port !== undefined && { port }) };
};

const actionOf = (manip: Manip, dir: CtDir, at: RuleAt | undefined): NatEvent['action'] => {
  if (at?.rule.target.kind === 'MASQUERADE') return 'masquerade';
  if (dir === 'original') return manip === 'src' ? 'snat' : 'dnat';
  return manip === 'src' ? 'un-dnat' : 'un-snat';
};

type Emit = (event: KernelEvent) => void;

interface Edit {
  readonly hook: Hook;
  readonly manip: Manip;
  readonly before: Ipv4;
  readonly at: RuleAt | undefined;
}

const emitNat = (env: NfEnv, emit: Emit, skb: Skb, { hook, manip, before, at }: Edit): void => {
  const { ct, packet } = skb;
  if (!ct) return;
  const from = endOf(before, manip);
  const to = endOf(packet, manip);
  if (!at && from.ip === to.ip && from.port === to.port) return;
  emit({
    kind: 'nat',
    netns: env.netns.id,
    action: actionOf(manip, ct.dir, at),
    detail: {
      hook,
      field: manip,
      before: from,
      after: to,
      ...(at && { table: 'nat' as const, ...at }),
      entry: ct.entry,
    },
    ...(at?.rule.origin && { origin: at.rule.origin }),
  });
};

/** Whether packets of this direction have this address changed (IPS_NAT_MASK). */
const isTranslated = (entry: ConntrackEntry, manip: Manip, dir: CtDir): boolean => {
  const half = dir === 'original' ? manip : otherManip(manip);
  return half === 'src' ? entry.snat : entry.dnat;
};

/** nf_nat_packet. */
const natPacket = (packet: Ipv4, entry: ConntrackEntry, dir: CtDir, manip: Manip): Ipv4 =>
  isTranslated(entry, manip, dir)
    ? manipPacket(packet, invertTuple(tupleOf(entry, reverse(dir))), manip)
    : packet;

/**
 * nf_nat_icmp_reply_translation: an error about a translated packet is addressed to the one who
 * sent it, and the packet that it quotes is shown as that one sent it.
 */
const natError = (
  packet: Ipv4,
  icmp: Icmp,
  entry: ConntrackEntry,
  dir: CtDir,
  manip: Manip,
): Ipv4 => {
  if (!isTranslated(entry, manip, dir) || !icmp.original) return packet;
  const sent = tupleOf(entry, reverse(dir));
  const original = manipPacket(icmp.original, sent, otherManip(manip));
  return { ...packet, [manip]: invertTuple(sent)[manip], payload: { ...icmp, original } };
};

/**
 * A redirect about a translated connection would be about the wrong addresses. One that is not
 * bound in both halves yet counts as translated: so it is with every redirect that a router sends
 * about the first packet of a connection.
 */
const mayTranslate = (entry: ConntrackEntry): boolean =>
  entry.snat || entry.dnat || !isDone(entry, 'src') || !isDone(entry, 'dst');

const ACCEPT: NfVerdict = { kind: 'ACCEPT' };

const dropAt = (hook: Hook, at?: RuleAt): NfVerdict => ({
  kind: 'DROP',
  by: {
    table: at?.table ?? 'nat',
    chain: at?.chain ?? hook,
    ...(at && { number: at.number, rule: at.rule }),
  },
});

const unknownAt = (hook: Hook, at?: RuleAt): NfVerdict => ({
  kind: 'UNKNOWN',
  by: {
    table: at?.table ?? 'nat',
    chain: at?.chain ?? hook,
    ...(at && { number: at.number, rule: at.rule }),
  },
});

type Bound =
  | { readonly kind: 'bound'; readonly entry: ConntrackEntry; readonly at?: RuleAt }
  | { readonly kind: 'verdict'; readonly verdict: NfVerdict };

/** nf_nat_masquerade_ipv4. */
const masquerade = (
  env: NfEnv,
  { out }: NfState,
  skb: Skb,
  entry: ConntrackEntry,
  random: boolean,
): ConntrackEntry | undefined => {
  if (entry.original.src === '0.0.0.0') return entry;
  const ip = out === undefined ? undefined : env.masqueradeAddress(out, skb.packet.dst);
  if (ip === undefined || out === undefined) return undefined;
  return { ...setupInfo(env, entry, { ip, random }, 'src'), masqueradeOut: out };
};

/** What the walk of the nat chain says about a connection that has no binding of this kind yet. */
const bind = (
  env: NfEnv,
  state: NfState,
  skb: Skb,
  entry: ConntrackEntry,
  end: WalkEnd | undefined,
): Bound => {
  const { hook } = state;
  const manip = manipAt(hook);
  const unbound = (): Bound => ({ kind: 'bound', entry: nullBinding(env, entry, manip) });
  if (!end) return unbound();
  switch (end.kind) {
    case 'policy':
      return end.policy === 'ACCEPT' ? unbound() : { kind: 'verdict', verdict: dropAt(hook) };
    case 'unmodelled':
      return { kind: 'verdict', verdict: unknownAt(hook, end.at) };
    case 'target': {
      const { target, at } = end;
      switch (target.kind) {
        case 'ACCEPT':
          return unbound();
        case 'DROP':
          return { kind: 'verdict', verdict: dropAt(hook, at) };
        case 'MASQUERADE': {
          const bound = masquerade(env, state, skb, entry, target.randomFully);
          return bound
            ? { kind: 'bound', entry: bound, at }
            : { kind: 'verdict', verdict: dropAt(hook, at) };
        }
        case 'SNAT':
        case 'DNAT': {
          const { ip, port } = target;
          const range = { ip, ...(port !== undefined && { port }) };
          const half = target.kind === 'SNAT' ? 'src' : 'dst';
          return { kind: 'bound', entry: setupInfo(env, entry, range, half), at };
        }
        case 'REJECT':
          return { kind: 'verdict', verdict: unknownAt(hook, at) };
        default: {
          const never: never = target;
          return never;
        }
      }
    }
    default: {
      const never: never = end;
      return never;
    }
  }
};

/** nf_nat_ipv4_local_fn: the packet made here no longer goes where it was routed to. */
const leavesElsewhere = (entry: ConntrackEntry, dir: CtDir): boolean =>
  tupleOf(entry, dir).dst !== tupleOf(entry, reverse(dir)).src;

/**
 * nf_nat_inet_fn, called at each nat hook while any nat chain is registered. `walk` asks the
 * namespace's nat chain of this hook, if it has one; that happens once for each half of a
 * connection. Packets without connection pass untouched.
 */
export const nfNatInetFn = (
  env: NfEnv,
  state: NfState,
  skb: Skb,
  walk: () => WalkEnd | undefined,
  emit: Emit,
): NfVerdict => {
  const { ct, packet } = skb;
  if (!ct) return ACCEPT;
  const { hook } = state;
  const manip = manipAt(hook);
  const { dir } = ct;
  let at: RuleAt | undefined;
  const { payload } = packet;

  if (ct.state === 'RELATED' && payload.type === 'icmp') {
    if (payload.kind === 'redirect' && mayTranslate(ct.entry)) return dropAt(hook);
    skb.packet = natError(packet, payload, ct.entry, dir, manip);
  } else {
    if (ct.state !== 'ESTABLISHED' && !isDone(ct.entry, manip)) {
      const bound = bind(env, state, skb, ct.entry, walk());
      if (bound.kind === 'verdict') return bound.verdict;
      at = bound.at;
      replaceEntry(env.conntrack, ct.entry, bound.entry);
      ct.entry = bound.entry;
    } else if (oifChanged(ct.entry, dir, state)) {
      killEntry(env.conntrack, ct.entry);
      return dropAt(hook);
    }
    skb.packet = natPacket(packet, ct.entry, dir, manip);
  }
  const { entry } = ct;
  emitNat(env, emit, skb, { hook, manip, before: packet, at });
  return hook === 'OUTPUT' && leavesElsewhere(entry, dir)
    ? { kind: 'ACCEPT', reroute: true }
    : ACCEPT;
};

/** nf_nat_oif_changed: a masqueraded connection is bound to the device it left by. */
const oifChanged = ({ masqueradeOut }: ConntrackEntry, dir: CtDir, state: NfState): boolean =>
  masqueradeOut !== undefined &&
  state.hook === 'POSTROUTING' &&
  dir === 'original' &&
  masqueradeOut !== state.out;
