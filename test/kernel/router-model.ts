/**
 * A client, a router and a server as the test believes them to be: the least that turns flows into
 * packets at the router's hooks. Addresses and ports are those of `netfilter.test.ts`.
 */

import type { ConntrackEntry } from '../../src/kernel/netfilter/conntrack.ts';
import {
  nfConntrackAttach,
  nfConntrackSetClosing,
} from '../../src/kernel/netfilter/conntrack-in.ts';
import { nfHook } from '../../src/kernel/netfilter/nf-hook.ts';
import type { Hook, RejectWith, Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import type { NfEnv, NfState, NfVerdict } from '../../src/kernel/netfilter/verdict.ts';
import type { Skb } from '../../src/kernel/skb.ts';
import type { Netns } from '../../src/kernel/world.ts';
import { cidrContains, isMulticast } from '../../src/wire/ip.ts';
import { ipv4Length } from '../../src/wire/length.ts';
import { type Icmp, type Ipv4, NO_DATA, type Tcp, type Udp } from '../../src/wire/packet.ts';

export type Place = 'client' | 'router' | 'server';

/** What the three have, and how the router reaches the others. */
export interface Net {
  readonly addresses: Readonly<Record<Place, readonly string[]>>;
  readonly broadcasts: readonly string[];
  /** The router's device towards an address; `lo` for its own. */
  deviceTo(ip: string): string;
  /** What the router sends from, by device. */
  readonly mainAddress: Readonly<Record<string, string>>;
  /** Client and server are on ports of one bridge, which hands their frames to iptables. */
  readonly bridge?: {
    readonly device: string;
    readonly ports: Readonly<Record<'client' | 'server', string>>;
  };
}

/** Client 10.1.0.0/24 and server 10.2.0.0/24, routed. */
export const ROUTED: Net = {
  addresses: {
    client: ['10.1.0.2', '10.1.0.3'],
    router: ['10.1.0.1', '10.2.0.1', '10.2.0.9'],
    server: ['10.2.0.2', '10.2.0.3'],
  },
  broadcasts: ['10.1.0.255', '10.2.0.255'],
  deviceTo: (ip) => {
    if (ROUTED.addresses.router.includes(ip) || cidrContains('127.0.0.0/8', ip)) return 'lo';
    return cidrContains('10.1.0.0/24', ip) ? 'toc' : 'tos';
  },
  mainAddress: { toc: '10.1.0.1', tos: '10.2.0.1' },
};

/** All in 10.3.0.0/24, on one bridge of the router. */
export const BRIDGED: Net = {
  addresses: { client: ['10.3.0.2'], router: ['10.3.0.1'], server: ['10.3.0.3'] },
  broadcasts: ['10.3.0.255'],
  deviceTo: (ip) =>
    BRIDGED.addresses.router.includes(ip) || cidrContains('127.0.0.0/8', ip) ? 'lo' : 'br0',
  mainAddress: { br0: '10.3.0.1' },
  bridge: { device: 'br0', ports: { client: 'pc', server: 'ps' } },
};

export const OPEN_PORT = 80;

export interface Flow {
  readonly n: number;
  readonly from: Place;
  /** Absent: the first address, or what the router's route says. */
  readonly src?: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  readonly size: number;
  /** Of an echo request; absent: 64. */
  readonly ttl?: number;
}

/** What the kernel counts for one rule. */
export interface Counter {
  packets: number;
  bytes: number;
}

export interface RouterModel {
  readonly conntrack: ConntrackEntry[];
  readonly counters: ReadonlyMap<string, Counter>;
  /** What the flow's socket sees. */
  send(flow: Flow): 'answered' | 'refused' | 'silent';
}

const REJECT_CODE: Readonly<Record<Exclude<RejectWith, 'tcp-reset'>, number>> = {
  'icmp-net-unreachable': 0,
  'icmp-host-unreachable': 1,
  'icmp-proto-unreachable': 2,
  'icmp-port-unreachable': 3,
  'icmp-net-prohibited': 9,
  'icmp-host-prohibited': 10,
  'icmp-admin-prohibited': 13,
};

const ipv4 = (src: string, dst: string, payload: Ipv4['payload']): Ipv4 => ({
  type: 'ipv4',
  src,
  dst,
  ttl: 64,
  tos: 0,
  df: true,
  id: 0,
  payload,
});

const TIMESTAMPS: Tcp['options'] = [
  { kind: 'nop' },
  { kind: 'nop' },
  { kind: 'timestamps', value: 0, echo: 0 },
];

const SYN_OPTIONS: Tcp['options'] = [
  { kind: 'mss', mss: 1460 },
  { kind: 'sack-permitted' },
  { kind: 'timestamps', value: 0, echo: 0 },
  { kind: 'nop' },
  { kind: 'window-scale', shift: 7 },
];

const tcp = (
  { sport, dport }: Pick<Tcp, 'sport' | 'dport'>,
  flags: Tcp['flags'],
  options: Tcp['options'] = [],
): Tcp => ({
  type: 'tcp',
  sport,
  dport,
  seq: 0,
  ack: 0,
  flags,
  window: 0,
  options,
  payload: NO_DATA,
});

const back = ({ sport, dport }: Tcp | Udp): Pick<Tcp, 'sport' | 'dport'> => ({
  sport: dport,
  dport: sport,
});

const errorAbout = (kind: Icmp['kind'], code: number, original: Ipv4): Icmp => ({
  type: 'icmp',
  kind,
  code,
  original,
  payload: NO_DATA,
});

const isError = ({ payload }: Ipv4): boolean => payload.type === 'icmp' && !!payload.original;

const isReset = ({ payload }: Ipv4): boolean =>
  payload.type === 'tcp' && payload.flags.includes('rst');

/** A socket that a flow opened. */
interface FlowSocket {
  readonly flow: Flow;
  readonly src: string;
  state: 'waiting' | 'connected' | 'answered' | 'refused';
}

type State = Omit<NfState, 'hook' | 'bridged'> & { bridged?: boolean };

export const routerModel = (
  ruleset: Ruleset,
  net: Net,
  more: Partial<Pick<NfEnv, 'choose'>> = {},
): RouterModel => {
  const { addresses, deviceTo, mainAddress, bridge } = net;
  const ownerOf = (ip: string): Place | undefined =>
    (['client', 'router', 'server'] as const).find((place) => addresses[place].includes(ip));
  const conntrack: ConntrackEntry[] = [];
  const counters = new Map<string, Counter>();
  const netns: Netns = {
    id: 'router/host',
    host: 'router',
    name: 'host',
    members: [],
    devices: [],
    rules: [],
    routes: [],
    neighbours: [],
    sysctls: new Map(),
    netfilter: ruleset,
    netfilter6: { tables: [] },
    ipsets: new Map(),
    ipvs: new Map(),
    sockets: [],
    listeners: { unlisted: 'refused' },
  };
  let counted: Skb | undefined;
  const env: NfEnv = {
    netns,
    conntrack,
    recent: new Map(),
    emit: () => undefined,
    nftSets: new Map(),
    choose: () => 0,
    addrType: (ip) => {
      if (deviceTo(ip) === 'lo') return 'LOCAL';
      if (net.broadcasts.includes(ip)) return 'BROADCAST';
      return isMulticast(ip) ? 'MULTICAST' : 'UNICAST';
    },
    masqueradeAddress: (out) => mainAddress[out] ?? addresses.router[0],
    count: (table, chain, number) => {
      const key = `${table} ${chain} ${number}`;
      const counter = counters.get(key) ?? { packets: 0, bytes: 0 };
      counter.packets += 1;
      counter.bytes += counted ? ipv4Length(counted.packet) : 0;
      counters.set(key, counter);
    },
    ...more,
  };

  const sockets: FlowSocket[] = [];
  /** Packets under way to a host, and what is to be done when none is. */
  const queue: (() => void)[] = [];
  const later: (() => void)[] = [];

  const hook = (name: Hook, skb: Skb, state: State): NfVerdict => {
    counted = skb;
    return nfHook(env, name, skb, { hook: name, bridged: false, ...state });
  };

  const reject = (skb: Skb, answer: RejectWith, hookName: Hook): void => {
    const { packet } = skb;
    const { payload } = packet;
    if (answer === 'tcp-reset') {
      if (payload.type !== 'tcp' || isReset(packet)) return;
      const flags: Tcp['flags'] = payload.flags.includes('ack') ? ['rst'] : ['rst', 'ack'];
      const made: Skb = {
        packet: ipv4(packet.dst, packet.src, tcp(back(payload), flags)),
        mark: 0,
      };
      nfConntrackAttach(made, skb);
      // Out of a bridge's port, the RST leaves by the port, past all hooks.
      if (skb.physin !== undefined) arriveAt(ownerOf(packet.src) ?? 'client', made.packet);
      else output(made);
      nfConntrackSetClosing(env, skb);
      return;
    }
    if (isError(packet)) return;
    // While the kernel sends an ICMP packet of its own, it sends no other (icmp_xmit_lock).
    if (hookName === 'OUTPUT' && payload.type === 'icmp' && payload.kind === 'echo-reply') return;
    const code = REJECT_CODE[answer];
    complain(skb, errorAbout('destination-unreachable', code, packet), hookName === 'OUTPUT');
  };

  /** icmp_send: from the address that the packet was sent to, if that is here. */
  const complain = (skb: Skb, error: Icmp, sentHere: boolean): void => {
    const { packet } = skb;
    const local = sentHere ? packet.src : mainAddress[deviceTo(packet.src)];
    const src = deviceTo(packet.dst) === 'lo' ? packet.dst : (local ?? packet.dst);
    const made: Skb = { packet: ipv4(src, packet.src, error), mark: 0 };
    nfConntrackAttach(made, skb);
    output(made);
  };

  const passes = (name: Hook, skb: Skb, state: State): NfVerdict | undefined => {
    const verdict = hook(name, skb, state);
    if (verdict.kind === 'ACCEPT') return verdict;
    if (verdict.kind === 'UNKNOWN') throw new Error(`UNKNOWN by ${JSON.stringify(verdict.by)}`);
    if (verdict.kind === 'REJECT') reject(skb, verdict.with, name);
    return undefined;
  };

  const arriveAt = (place: Place, packet: Ipv4): void => {
    queue.push(() => receive(place, packet));
  };

  // ip_output knows the device that a forwarded packet came in by.
  const leave = (skb: Skb, out: string, entered?: string): void => {
    if (!passes('POSTROUTING', skb, entered === undefined ? { out } : { in: entered, out })) return;
    const { packet } = skb;
    if (out === 'lo') queue.push(() => enter(skb, 'lo'));
    else if (bridge) arriveAt(ownerOf(packet.dst) ?? 'server', packet);
    else arriveAt(out === 'toc' ? 'client' : 'server', packet);
  };

  const output = (skb: Skb): void => {
    const verdict = passes('OUTPUT', skb, { out: deviceTo(skb.packet.dst) });
    if (verdict?.kind !== 'ACCEPT') return;
    leave(skb, deviceTo(skb.packet.dst));
  };

  const enter = (skb: Skb, device: string): void => {
    if (!passes('PREROUTING', skb, { in: device })) return;
    const out = deviceTo(skb.packet.dst);
    if (out === 'lo') {
      if (passes('INPUT', skb, { in: device })) receive('router', skb.packet);
    } else if (skb.packet.ttl <= 1) {
      complain(skb, errorAbout('time-exceeded', 0, skb.packet), false);
    } else if (passes('FORWARD', skb, { in: device, out })) {
      leave(skb, out, device);
    }
  };

  /** br_nf_pre_routing, br_nf_forward, br_nf_post_routing; or up the stack of the bridge. */
  const enterBridge = (skb: Skb, device: string, physin: string): void => {
    skb.physin = physin;
    if (!passes('PREROUTING', skb, { in: device, physin, bridged: true })) return;
    const owner = ownerOf(skb.packet.dst);
    if (owner === 'router') {
      if (passes('INPUT', skb, { in: device })) receive('router', skb.packet);
      return;
    }
    const physout = bridge?.ports[owner ?? 'server'] ?? '';
    const ports = { physin, physout, bridged: true };
    if (!passes('FORWARD', skb, { in: device, out: device, ...ports })) return;
    if (!passes('POSTROUTING', skb, { out: device, ...ports })) return;
    arriveAt(owner ?? 'server', skb.packet);
  };

  const transmit = (from: Place, packet: Ipv4): void => {
    const skb: Skb = { packet, mark: 0 };
    if (from === 'router') output(skb);
    else if (bridge) enterBridge(skb, bridge.device, bridge.ports[from]);
    else enter(skb, from === 'client' ? 'toc' : 'tos');
  };

  const socketOf = (place: Place, packet: Ipv4): FlowSocket | undefined => {
    const { payload } = packet;
    if (payload.type !== 'tcp' && payload.type !== 'udp') return undefined;
    return sockets.findLast(
      ({ flow, src }) =>
        flow.from === place &&
        flow.protocol === payload.type &&
        src === packet.dst &&
        flow.dst === packet.src &&
        flow.sport === payload.dport &&
        flow.dport === payload.sport,
    );
  };

  const errorFor = (place: Place, { original, code }: Icmp): void => {
    const payload = original?.payload;
    // A datagram's socket does not hear of nets and hosts (icmp_err_convert).
    if (payload?.type === 'udp' && code <= 1) return;
    if (!original || (payload?.type !== 'tcp' && payload?.type !== 'udp')) return;
    const mirrored = { ...payload, ...back(payload) };
    const socket = socketOf(place, {
      ...original,
      src: original.dst,
      dst: original.src,
      payload: mirrored,
    });
    if (socket?.state === 'waiting') socket.state = 'refused';
  };

  const receiveTcp = (place: Place, packet: Ipv4, segment: Tcp): void => {
    const answer = (flags: Tcp['flags'], options: Tcp['options'] = []): void =>
      transmit(place, ipv4(packet.dst, packet.src, tcp(back(segment), flags, options)));
    const socket = socketOf(place, packet);
    const { flags } = segment;
    const syn = flags.includes('syn');
    const ack = flags.includes('ack');
    if (flags.includes('rst')) {
      if (socket) socket.state = socket.state === 'waiting' ? 'refused' : 'answered';
    } else if (syn && ack) {
      if (socket?.state !== 'waiting') {
        answer(['rst']);
        return;
      }
      socket.state = 'connected';
      queue.push(() => answer(['ack'], TIMESTAMPS));
      later.push(() => {
        if (socket.state !== 'connected') return;
        socket.state = 'answered';
        answer(['rst', 'ack'], TIMESTAMPS);
      });
    } else if (syn) {
      if (place === 'server' && segment.dport === OPEN_PORT) answer(['syn', 'ack'], SYN_OPTIONS);
      else answer(['rst', 'ack']);
    }
  };

  const receiveUdp = (place: Place, packet: Ipv4, udp: Udp): void => {
    const socket = socketOf(place, packet);
    if (socket) socket.state = 'answered';
    else if (place === 'server' && udp.dport === OPEN_PORT)
      transmit(place, ipv4(packet.dst, packet.src, { ...udp, ...back(udp) }));
    else
      transmit(
        place,
        ipv4(packet.dst, packet.src, errorAbout('destination-unreachable', 3, packet)),
      );
  };

  const receiveIcmp = (place: Place, packet: Ipv4, icmp: Icmp): void => {
    if (icmp.kind === 'echo-request')
      transmit(place, ipv4(packet.dst, packet.src, { ...icmp, kind: 'echo-reply' }));
    else if (icmp.kind === 'echo-reply') {
      const socket = sockets.findLast(
        ({ flow, src }) =>
          flow.from === place &&
          flow.protocol === 'icmp' &&
          flow.sport === icmp.id &&
          src === packet.dst,
      );
      if (socket) socket.state = 'answered';
    } else errorFor(place, icmp);
  };

  const receive = (place: Place, packet: Ipv4): void => {
    if (ownerOf(packet.dst) !== place) return;
    // Nobody takes a packet from the wire that says it is from himself (fib_validate_source).
    if (place !== 'router' && ownerOf(packet.src) === place) return;
    const { payload } = packet;
    if (payload.type === 'tcp') receiveTcp(place, packet, payload);
    else if (payload.type === 'udp') receiveUdp(place, packet, payload);
    else if (payload.type === 'icmp') receiveIcmp(place, packet, payload);
  };

  const drain = (): void => {
    for (let next = queue.shift(); next; next = queue.shift()) next();
  };

  return {
    conntrack,
    counters,
    send: (flow) => {
      const { from, protocol, dst, sport, dport, size } = flow;
      const local = deviceTo(dst) === 'lo' ? dst : (mainAddress[deviceTo(dst)] ?? dst);
      const src = flow.src ?? (from === 'router' ? local : (addresses[from][0] ?? ''));
      const socket: FlowSocket = { flow, src, state: 'waiting' };
      sockets.push(socket);
      const data = { type: 'data', length: size } as const;
      const first: Ipv4['payload'] =
        protocol === 'tcp'
          ? tcp({ sport, dport }, ['syn'], SYN_OPTIONS)
          : protocol === 'udp'
            ? { type: 'udp', sport, dport, payload: data }
            : { type: 'icmp', kind: 'echo-request', code: 0, id: sport, seq: 1, payload: data };
      transmit(from, { ...ipv4(src, dst, first), ttl: flow.ttl ?? 64 });
      drain();
      for (const act of later.splice(0)) act();
      drain();
      if (socket.state === 'answered' || socket.state === 'refused') return socket.state;
      return socket.state === 'connected' ? 'answered' : 'silent';
    },
  };
};
