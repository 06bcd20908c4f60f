/**
 * What the kernel model reports while a packet walks: facts, one event a stage, never sentences.
 *
 * `kind` is closed per apiVersion. `action` and `detail` are closed per kind. The trace numbers
 * events into steps and groups them into hops; of its own it adds what policies say.
 */
import type { DnsRcode, DnsRecord, DnsType } from '../wire/dns.ts';
import type { Ip, Ipv4, Layer, Mac, Unknown } from '../wire/packet.ts';
import type { DropReason } from './drop-reason.ts';
import type { FdbEntry } from './fdb.ts';
import type { FibEntry, FibRule, Nexthop } from './fib.ts';
import type { IpvsIdle, IpvsRewrite } from './ipvs/told.ts';
import type { Neigh } from './neigh.ts';
import type { ConntrackEntry, CtDir } from './netfilter/conntrack.ts';
import type { NftTableName } from './netfilter/nft-table.ts';
import type { CtState, Hook, Match, Rule, TableName } from './netfilter/ruleset.ts';
import type { Origin } from './origin.ts';
import type { NetnsId } from './world.ts';

/** One frame seen by a non-promiscuous capture on one device. */
export interface Tap {
  readonly netns: NetnsId;
  readonly device: string;
  readonly direction: 'transmit' | 'receive';
  readonly packet: readonly Layer[];
  /** A copy that a bridge or a wire made for somebody who does not want it. */
  readonly flooded?: true;
}

/** A broadcast on a wire: copies for owners nobody walked, counted instead of compiled. */
export interface WireBroadcast {
  readonly segment: string;
  /** How many attachments got a copy that is not listed in the taps. */
  readonly others: number;
  readonly packet: readonly Layer[];
}

/** A row that would have matched if the winner had not been there, or nearly matched. */
export interface NearMiss<Row> {
  readonly row: Row;
  readonly reason:
    | 'shorter-prefix'
    | 'higher-metric'
    | 'later-rule'
    | 'other-table'
    | 'device-down'
    | 'other-device'
    | 'other-address'
    | 'rule-condition';
}

/** A firewall rule that would have decided otherwise, had one condition of it held. */
export interface RuleMiss {
  readonly chain: string;
  /** 1-based position in the chain. */
  readonly number: number;
  readonly rule: Rule;
  /** The jumps and gotos that led into `chain`, from the built-in chain on. */
  readonly path: readonly { chain: string; number: number }[];
  /** The only condition that does not hold. */
  readonly condition: Match;
  /** What the packet has where the condition looks; empty: nothing of that kind. */
  readonly found: readonly (string | number | Unknown)[];
  /** Of a jump or goto: the rule that would have decided behind it. */
  readonly leadsTo?: { readonly chain: string; readonly number: number };
}

interface Base<Kind extends string, Action extends string, Detail> {
  readonly kind: Kind;
  readonly netns: NetnsId;
  readonly device?: string;
  readonly action: Action;
  readonly detail: Detail;
  readonly origin?: Origin;
  /** The packet at this point; on `transmit` and `receive` it is the tap. */
  readonly packet?: readonly Layer[];
}

export type SocketEvent =
  | Base<
      'socket',
      'send',
      { protocol: string; src: Ip; sport?: number; dst: Ip; dport?: number; process?: string }
    >
  /** The kernel itself sends: RST, echo reply, ICMP error. */
  | Base<
      'socket',
      'kernel-send',
      {
        protocol: string;
        what: 'rst' | 'syn-ack' | 'echo-reply' | 'icmp-error' | 'answer';
        src: Ip;
        dst: Ip;
      }
    >
  | Base<'socket', 'error', { errno: Errno }>;

export type RouteEvent = Base<
  'route',
  'lookup',
  {
    dst: Ip;
    src?: Ip;
    /** Source that the route made the socket use, when it had none. */
    chosenSource?: Ip;
    iif?: string;
    mark?: number;
    purpose: 'output' | 'input' | 'reverse-path' | 'underlay';
    rule?: FibRule;
    row?: FibEntry;
    /** Which next hop of the row's several was taken. */
    nexthop?: Nexthop;
    nearMiss?: NearMiss<FibEntry>;
    result:
      | 'unicast'
      | 'local'
      | 'broadcast'
      | 'blackhole'
      | 'unreachable'
      | 'prohibit'
      | 'no-route';
    /** Bytes; where a learned PMTU or a route MTU lowers the device's. */
    pmtu?: number;
  }
>;

export type NeighbourEvent = Base<
  'neighbour',
  'known' | 'resolved' | 'failed' | 'noarp',
  {
    ip: Ip;
    lladdr?: Mac;
    row?: Neigh;
    /** The ARP exchange that the packet waited for, in order of time. */
    exchange?: readonly Tap[];
    broadcasts?: readonly WireBroadcast[];
    /** Requests sent (Linux asks `mcast_solicit` times before it gives up). */
    asked?: number;
    nearMiss?: NearMiss<Neigh>;
  }
>;

export type TransmitEvent = Base<
  'transmit',
  'xmit',
  {
    via?: 'veth' | 'bridge-port' | 'wire' | 'loopback' | 'tunnel';
    peer?: { netns: NetnsId; device: string };
  }
>;
export type ReceiveEvent = Base<
  'receive',
  'accept' | 'other-host' | 'to-bridge' | 'from-bridge',
  { from?: 'veth' | 'wire' | 'loopback' | 'bridge' | 'tunnel' }
>;

export type BridgeEvent = Base<
  'bridge',
  'forward' | 'flood' | 'local',
  {
    mac: Mac;
    inPort?: string;
    outPort?: string;
    row?: FdbEntry;
    learned?: { mac: Mac; port: string };
    /** Copies that went to ports whose owner does not want them. */
    copies?: readonly Tap[];
    /** Broadcasts on wires that copies caused. */
    broadcasts?: readonly WireBroadcast[];
    /** br_netfilter hands the frame to iptables. */
    callsIptables?: boolean;
  }
>;

export type EncapsulateEvent = Base<
  'encapsulate',
  'vxlan',
  {
    vni: number;
    local: Ip;
    remote: Ip;
    dport: number;
    overhead: number;
    row: FdbEntry;
    lower?: string;
  }
>;
export type DecapsulateEvent = Base<
  'decapsulate',
  'vxlan',
  { vni: number; remote: Ip; learned?: FdbEntry }
>;

/** One hook walked without an edit; rules that decided are `rule` events. */
export type HookEvent = Base<
  'hook',
  'accept' | 'drop' | 'reject' | 'unknown',
  {
    hook: Hook;
    in?: string;
    out?: string;
    physin?: string;
    physout?: string;
    /** In the order of their priorities; a nat chain only where the packet had to consult it. */
    chains: readonly {
      /** Of nf_tables with its family: `ip kube-proxy`. */
      table: TableName | NftTableName;
      chain: string;
      rules: number;
      policy: 'ACCEPT' | 'DROP';
      /** Where no rule of it decided: the one that nearly did. Only in a detailed trace. */
      nearMiss?: RuleMiss;
    }[];
    bridged: boolean;
  }
>;

export type RuleEvent = Base<
  'rule',
  'accept' | 'drop' | 'reject' | 'mark' | 'return' | 'jump' | 'policy-drop' | 'unmodelled',
  {
    hook: Hook;
    table: TableName | NftTableName;
    chain: string;
    /** 1-based position in the chain, as `iptables -L --line-numbers`; absent for a policy. */
    number?: number;
    rule?: Rule;
    /** Of a verdict map: the element that decided. */
    element?: string;
    /** The jumps and gotos that led into `chain`, from the built-in chain on. */
    path?: readonly { chain: string; number: number }[];
    bridged: boolean;
    /** The packet's mark after the rule. */
    mark?: number;
    /** Only in a detailed trace. */
    nearMiss?: RuleMiss;
  }
>;

export type NatEvent = Base<
  'nat',
  /** `ipvs`: a virtual server sends the packet on; `un-ipvs`: it answers for its server. */
  'snat' | 'dnat' | 'masquerade' | 'un-snat' | 'un-dnat' | 'ipvs' | 'un-ipvs',
  {
    hook: Hook;
    field: 'src' | 'dst';
    /** `port` is the id of an echo. */
    before: { ip: Ip; port?: number | Unknown };
    after: { ip: Ip; port?: number | Unknown };
    /** Of `ipvs`. */
    ipvs?: IpvsRewrite;
    /** The rule that bound it; absent where conntrack applies what a rule decided earlier. */
    table?: TableName | NftTableName;
    chain?: string;
    number?: number;
    rule?: Rule;
    path?: readonly { chain: string; number: number }[];
    element?: string;
    /** Only in a detailed trace. */
    nearMiss?: RuleMiss;
    entry: ConntrackEntry;
  }
>;

export type ConntrackEvent = Base<
  'conntrack',
  'new' | 'established' | 'related' | 'invalid' | 'confirm' | 'full',
  { hook?: Hook; state: CtState; dir: CtDir; entry?: ConntrackEntry }
>;

export type ForwardEvent = Base<
  'forward',
  'forward',
  { from: string; to: string; ttlBefore: number; ttlAfter: number }
>;

export type SizeEvent = Base<
  'size',
  'fits' | 'too-big' | 'pmtu-learned',
  { length: number; mtu: number; df: boolean; needed?: number; device: string }
>;

export type WireEvent = Base<
  'wire',
  'carry' | 'cut' | 'nobody',
  { segment: string; from: string; to?: string }
>;

export type DeliverEvent = Base<
  'deliver',
  'socket' | 'echo' | 'icmp-error' | 'no-listener' | 'unknown-listener',
  {
    protocol: string;
    ip: Ip;
    port?: number;
    process?: string;
    assumed?: boolean;
    declared?: readonly string[];
    otherListener?: { ip: Ip; process: string };
    error?: { kind: string; code: number };
  }
>;

/** What the walk would have needed and the model does not have. */
export type Unmodelled =
  | 'fragmentation'
  | 'multicast'
  | 'multipath'
  | 'rule'
  | 'vlan-filtering'
  | 'ipvs'
  | 'duplicate-address'
  /** One packet comes to its receiver twice: bridged, and routed by the bridge's own stack. */
  | 'received-twice';

/** A program looks a name up: no part of the kernel, and the reason why packets are sent at all. */
export type ResolveEvent =
  /** /etc/resolv.conf, before the first query. */
  | Base<
      'resolve',
      'read',
      {
        name: string;
        nameservers: readonly string[];
        searches: readonly string[];
        ndots: number;
      }
    >
  /** A line of /etc/hosts has the name: nobody is asked. */
  | Base<'resolve', 'hosts', { name: string; ip: Ip }>
  | Base<
      'resolve',
      'answer',
      { name: string; type: DnsType; rcode: DnsRcode; answers: readonly DnsRecord[] }
    >;

export type DropEvent = Base<
  'drop',
  'drop',
  {
    reason: DropReason;
    about?: Ipv4 | undefined;
    /** The virtual server that had nobody to send it to. */
    ipvs?: IpvsIdle;
    /** With reason `not-modelled`: what is not. */
    unmodelled?: Unmodelled;
  }
>;

export type KernelEvent =
  | ResolveEvent
  | SocketEvent
  | RouteEvent
  | NeighbourEvent
  | TransmitEvent
  | ReceiveEvent
  | BridgeEvent
  | EncapsulateEvent
  | DecapsulateEvent
  | HookEvent
  | RuleEvent
  | NatEvent
  | ConntrackEvent
  | ForwardEvent
  | SizeEvent
  | WireEvent
  | DeliverEvent
  | DropEvent;

/** Errors a socket call returns, as Linux names them. */
export type Errno =
  | 'ECONNREFUSED'
  | 'EHOSTUNREACH'
  | 'ENETUNREACH'
  | 'EINVAL'
  | 'EACCES'
  | 'EMSGSIZE'
  | 'ECONNRESET'
  | 'ETIMEDOUT'
  | 'EPERM'
  | 'ENOPROTOOPT';
