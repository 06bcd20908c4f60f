/**
 * The state of every Linux kernel of a cluster, as plain data.
 *
 * Everything in here except `dynamic` is configuration: what programs wrote (devices, addresses,
 * routes, rules, sysctls, sockets). What packets leave behind (learned neighbours and FDB rows,
 * conntrack entries, path MTUs) is in `dynamic`, so that a trace is a walk over a fixed
 * configuration with a copy-on-write map of dynamic state beside it.
 */
import type { Cidr, Ip, Mac, Unknown } from '../wire/packet.ts';
import type { Fdb, FdbEntry } from './fdb.ts';
import type { FibEntry, FibRule } from './fib.ts';
import type { IpvsConnection } from './ipvs/connection.ts';
import type { VirtualServers } from './ipvs/virtual-server.ts';
import type { Neigh } from './neigh.ts';
import type { ConntrackEntry } from './netfilter/conntrack.ts';
import type { IpSets } from './netfilter/ipset.ts';
import type { RecentLists } from './netfilter/recent.ts';
import type { Ruleset } from './netfilter/ruleset.ts';
import type { Origin } from './origin.ts';

/** `<host>/<netns>`: `node-1/host`, `node-1/default/pod-a`. */
export type NetnsId = string;

export interface World {
  readonly name: string;
  /** Every host name, compiled or not, in a fixed order. */
  readonly hostNames: readonly string[];
  /** Compiles the host when a packet first needs it; the same object every time. */
  host(name: string): Host;
  readonly segments: ReadonlyMap<string, Segment>;
  readonly book: Book;
  /** Absent key: that namespace is cold. */
  readonly dynamic: ReadonlyMap<NetnsId, NetnsDynamic>;
}

/** One machine's kernel. */
export interface Host {
  readonly name: string;
  /** By name; `host` is the machine's own namespace. */
  readonly netns: ReadonlyMap<string, Netns>;
  /** Modules whose presence changes behaviour, e.g. `br_netfilter`. */
  readonly modules: ReadonlySet<string>;
}

/** A process that owns or has joined a network namespace. */
export interface Process {
  readonly name: string;
  readonly origin?: Origin;
}

export interface Netns {
  readonly id: NetnsId;
  readonly host: string;
  readonly name: string;
  /** The process that holds the namespace open (a Pod's pause container). */
  readonly holder?: Process;
  /** Processes that joined it. */
  readonly members: Process[];
  readonly devices: Netdev[];
  /** In order of (priority, insertion), as `ip rule` prints them. */
  readonly rules: FibRule[];
  /** All tables, local (255) included, in order of insertion. */
  readonly routes: FibEntry[];
  /** Configured neighbours (permanent, noarp …); learned ones are dynamic. */
  readonly neighbours: Neigh[];
  /** Only what differs from the kernel's default; `sysctl.ts` knows the defaults. Keys dotted. */
  readonly sysctls: Map<string, Sysctl>;
  readonly netfilter: Ruleset;
  /** Rules for IPv6: kept to be printed, since no IPv6 packet is walked. */
  readonly netfilter6: Ruleset;
  /** By name: what `-m set` asks. */
  readonly ipsets: IpSets;
  readonly ipvs: VirtualServers;
  readonly sockets: Socket[];
  /** What happens at a port that no row of `sockets` covers. */
  readonly listeners: ListenerPolicy;
}

export interface Sysctl {
  readonly value: string;
  /** A device's copy of `conf.default`, which it follows until it is written or has an address. */
  readonly inherited?: boolean;
  readonly origin?: Origin;
}

interface NetdevCommon {
  readonly ifindex: number;
  readonly ifname: string;
  readonly mac: Mac;
  readonly mtu: number;
  /** IFF_UP: what the administrator asked for. operstate is derived (`netdev.ts`). */
  readonly up: boolean;
  readonly addresses: readonly IfAddr[];
  /** ifname of the bridge this device is a port of, in the same namespace. */
  readonly master?: string;
  /** Port settings, meaningful while `master` is set. */
  readonly port?: BridgePort;
  /** IFF_PROMISC. */
  readonly promisc?: boolean;
  readonly origin?: Origin;
}

export interface IfAddr {
  readonly ip: Ip;
  readonly prefix: number;
  readonly broadcast?: Ip;
  readonly scope: 'global' | 'link' | 'host';
  readonly secondary?: boolean;
  readonly origin?: Origin;
}

export interface BridgePort {
  readonly state: 'disabled' | 'listening' | 'learning' | 'forwarding' | 'blocking';
  readonly hairpin: boolean;
  readonly learning: boolean;
  readonly flood: boolean;
  readonly isolated: boolean;
}

/** `kind` is IFLA_INFO_KIND where there is one. Discriminates everything a device can be. */
export type Netdev =
  | (NetdevCommon & { readonly kind: 'loopback' })
  | (NetdevCommon & {
      readonly kind: 'veth';
      /** The other end; absent when the peer is gone. */
      readonly peer?: { readonly netns: NetnsId; readonly ifname: string };
    })
  | (NetdevCommon & {
      readonly kind: 'bridge';
      /** The MAC was written by hand, so that it no longer follows the lowest one of the ports. */
      readonly macSet?: boolean;
      /** The MTU was written by hand, so that it no longer follows the smallest one of the ports. */
      readonly mtuSet?: boolean;
      /** A bridge that never had a port has a carrier all the same. */
      readonly hadPorts?: boolean;
      /** FDB rows written by hand on ports or the bridge (`bridge fdb add … master`). */
      readonly fdb: readonly FdbEntry[];
      readonly ageingSeconds: number;
      readonly vlanFiltering: boolean;
    })
  | (NetdevCommon & {
      readonly kind: 'vxlan';
      readonly vni: number;
      readonly local?: Ip;
      /** ifname of the underlay device. */
      readonly lower?: string;
      readonly dstport: number;
      readonly learning: boolean;
      /** 0 = inherit from the route (`ttl auto`). */
      readonly ttl: number;
      /** Remote rows (`bridge fdb add MAC dst IP self`). */
      readonly fdb: readonly FdbEntry[];
    })
  /** A link to nowhere, for addresses (drivers/net/dummy.c). */
  | (NetdevCommon & { readonly kind: 'dummy' })
  | (NetdevCommon & {
      readonly kind: 'physical';
      /** The wire it is plugged into; absent = no carrier. */
      readonly segment?: string;
    });

/** A shared wire: an ideal switch that knows every MAC on it. */
export interface Segment {
  readonly name: string;
  readonly mtu: number;
  /** In a fixed order; indexes are built from it (`segment.ts`). */
  readonly attachments: readonly Attachment[];
  /** Faults of the wire: what it loses between two attachments. */
  readonly cuts: readonly WireCut[];
}

/** Known without compiling the host: who is plugged in, with which MAC and addresses. */
export interface Attachment {
  readonly host: string;
  readonly netns: NetnsId;
  readonly ifname: string;
  readonly mac: Mac;
  readonly ips: readonly Ip[];
  /** It may answer for others (proxy_arp). */
  readonly proxies?: true;
}

export interface WireCut {
  readonly from: string;
  readonly to: string;
  /** All frames, or one IP protocol (and destination port). */
  readonly drop: 'all' | { readonly protocol: 'tcp' | 'udp' | 'icmp'; readonly port?: number };
  readonly origin?: Origin;
}

/** Something that waits for packets. */
export interface Socket {
  readonly protocol: 'tcp' | 'udp';
  /** `0.0.0.0` listens on every address. */
  readonly ip: Ip;
  readonly port: number;
  /** Name of the process (container) that holds it. */
  readonly process: string;
  /** True: exists for lack of evidence to the contrary, not by declaration. */
  readonly assumed?: boolean;
  readonly origin?: Origin;
}

/**
 * What a namespace does about ports that no socket row covers. Exact: refuse (the kernel's own
 * answer). Unknown: the input did not say, so the fate is inconclusive.
 */
export interface ListenerPolicy {
  readonly unlisted: 'refused' | 'unknown' | 'assumed-open';
  /** For `unknown`: what is declared, for the message. */
  readonly declared?: readonly string[];
}

/** What packets have left behind in one namespace. Cloned before it is written. */
export interface NetnsDynamic {
  readonly neighbours: Neigh[];
  /** Learned rows by bridge or vxlan ifname. */
  readonly fdb: Map<string, Fdb>;
  readonly conntrack: ConntrackEntry[];
  /** Keys that rules of nf_tables added to sets, by `FAMILY TABLE SET`; absent: none. */
  readonly nftSets?: Map<string, Set<string>>;
  /** Connections that IPVS spreads, and where persistent clients belong; absent: none. */
  readonly ipvs?: IpvsConnection[];
  /** Learned path MTUs by destination, in bytes. */
  readonly pmtu: Map<Ip, number>;
  /** Addresses that rules saw (`-m recent`), by list. */
  readonly recent?: RecentLists;
  /** Neighbours behind bridges that the stack has sent to, so that their header is kept (hh_cache). */
  readonly headers?: Set<string>;
  /** Gateways learned from ICMP redirects, by destination. */
  readonly redirects?: Map<Ip, Ip>;
  /** What tunnels made of the flows in them: a flow has one hash, and another one another. */
  readonly flowHashes: Map<string, Unknown>;
}

/** Every range and every address ever given, with who gave it. */
export interface Book {
  readonly ranges: readonly BookRange[];
  /** Owners of an address; two or more when it was given twice. */
  owners(ip: Ip): readonly BookOwner[];
  rangeOf(ip: Ip): BookRange | undefined;
  /** What people call an address that no device has: a Service's. */
  serviceName(ip: Ip): string | undefined;
}

export interface BookRange {
  readonly cidr: Cidr;
  readonly kind: 'pod' | 'node-pods' | 'service' | 'node' | 'external';
  readonly host?: string;
  readonly origin?: Origin;
}

export interface BookOwner {
  readonly ip: Ip;
  readonly netns: NetnsId;
  readonly host: string;
  /** What people call it: `default/pod-a`, `node-1`, `cni0 of node-1`. */
  readonly name: string;
  /** The address was made up by us, not read from the input. */
  readonly invented: boolean;
  readonly origin?: Origin;
}
