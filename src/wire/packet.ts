/**
 * The value types of packets: nested, immutable, one object a header.
 *
 * Addresses are canonical text (`10.244.1.2`, `6e:51:0c:00:00:01`): equality is `===`, and what a
 * person reads is what the code compares. Lengths are never stored; `length.ts` derives them.
 */
import type { DnsMessage, DnsRcode, DnsType } from './dns.ts';

/** Lower-case colon-separated MAC address. */
export type Mac = string;
/** Canonical IP address text (dotted quad for IPv4, RFC 5952 for IPv6). */
export type Ip = string;
/** Canonical CIDR text, host bits zero, e.g. `10.244.1.0/24`. */
export type Cidr = string;

export const BROADCAST_MAC: Mac = 'ff:ff:ff:ff:ff:ff';
export const ZERO_MAC: Mac = '00:00:00:00:00:00';

/**
 * A value that only a running kernel knows, e.g. a tunnel's outer source port.
 * `range` holds the inclusive bounds that a real value must lie in.
 */
export interface Unknown {
  readonly unknown: 'flow-hash' | 'random-port';
  readonly range: readonly [number, number];
}

export interface Ethernet {
  readonly type: 'ethernet';
  readonly src: Mac;
  readonly dst: Mac;
  readonly payload: Arp | Ipv4;
}

/** ARP for IPv4 over Ethernet (RFC 826). */
export interface Arp {
  readonly type: 'arp';
  readonly op: 'request' | 'reply';
  readonly sha: Mac;
  readonly spa: Ip;
  readonly tha: Mac;
  readonly tpa: Ip;
}

export interface Ipv4 {
  readonly type: 'ipv4';
  readonly src: Ip;
  readonly dst: Ip;
  readonly ttl: number;
  readonly tos: number;
  /** Don't Fragment (RFC 791). */
  readonly df: boolean;
  /** Identification; 0 where the kernel's choice does not matter. */
  readonly id: number;
  /** Protocol number, where the payload is opaque and does not tell. */
  readonly protocol?: number;
  readonly payload: Tcp | Udp | Icmp | Opaque;
}

export type TcpFlag = 'fin' | 'syn' | 'rst' | 'psh' | 'ack';

/** TCP options that Linux puts on a segment, in the order on the wire. */
export type TcpOption =
  | { readonly kind: 'mss'; readonly mss: number }
  | { readonly kind: 'sack-permitted' }
  | { readonly kind: 'timestamps'; readonly value: number; readonly echo: number }
  | { readonly kind: 'nop' }
  | { readonly kind: 'window-scale'; readonly shift: number }
  /** Any other option, kind and length included (a capture may hold one; the model makes none). */
  | { readonly kind: 'raw'; readonly bytes: Uint8Array };

export interface Tcp {
  readonly type: 'tcp';
  readonly sport: number | Unknown;
  readonly dport: number | Unknown;
  readonly seq: number;
  readonly ack: number;
  /** In the order fin, syn, rst, psh, ack. */
  readonly flags: readonly TcpFlag[];
  readonly window: number;
  readonly options: readonly TcpOption[];
  /** Bytes of application data. */
  readonly payload: Opaque;
}

export interface Udp {
  readonly type: 'udp';
  readonly sport: number | Unknown;
  readonly dport: number | Unknown;
  readonly payload: Opaque | Vxlan;
}

/** VXLAN (RFC 7348), flags 0x08. */
export interface Vxlan {
  readonly type: 'vxlan';
  readonly vni: number;
  readonly payload: Ethernet;
}

export type IcmpKind =
  | 'echo-request'
  | 'echo-reply'
  | 'destination-unreachable'
  | 'time-exceeded'
  | 'redirect'
  | 'parameter-problem';

/** ICMP for IPv4 (RFC 792). An error carries the start of the packet it is about in `original`. */
export interface Icmp {
  readonly type: 'icmp';
  readonly kind: IcmpKind;
  readonly code: number;
  /** Echo only. Unknown where NAT picked it at random. */
  readonly id?: number | Unknown;
  readonly seq?: number;
  /** Fragmentation needed only: the MTU of the next hop, in bytes (RFC 1191). */
  readonly mtu?: number;
  /** Redirect only. */
  readonly gateway?: Ip;
  /** Errors only: the packet that caused it (the bytes on the wire are cut as Linux cuts them). */
  readonly original?: Ipv4;
  /**
   * Errors only: at most so many bytes of `original` are carried, where the MTU of the way back
   * leaves less room than the usual 576 bytes in all.
   */
  readonly quoted?: number;
  readonly payload: Opaque;
}

/** Bytes nobody looks into: `length` bytes, zero behind the end of `bytes`. */
export interface Opaque {
  readonly type: 'data';
  readonly length: number;
  readonly bytes?: Uint8Array;
  /** What the bytes say, where they are a message of DNS. */
  readonly dns?: DnsMessage;
}

export const NO_DATA: Opaque = { type: 'data', length: 0 };

/** IP protocol numbers (IANA). */
export const PROTO = { icmp: 1, tcp: 6, udp: 17 } as const;

/**
 * One header of a packet as the trace prints it: flat, outermost first, with exact lengths.
 * This is the shape of `Step.packet` in the published JSON.
 */
export type Layer =
  | { type: 'ethernet'; src: Mac; dst: Mac }
  | { type: 'arp'; op: 'request' | 'reply'; sha: Mac; spa: Ip; tha: Mac; tpa: Ip }
  | { type: 'ipv4'; src: Ip; dst: Ip; ttl: number; protocol: string; df: boolean; length: number }
  | {
      type: 'tcp';
      sport: number | Unknown;
      dport: number | Unknown;
      flags: TcpFlag[];
      mss?: number;
      length: number;
    }
  | { type: 'udp'; sport: number | Unknown; dport: number | Unknown; length: number }
  | {
      type: 'icmp';
      kind: IcmpKind;
      code: number;
      id?: number | Unknown;
      seq?: number;
      mtu?: number;
      length: number;
      original?: Layer[];
    }
  | { type: 'vxlan'; vni: number }
  | {
      type: 'dns';
      id: number;
      response: boolean;
      name: string;
      question: DnsType;
      /** Of a response. */
      rcode?: DnsRcode;
      /** Of a response: how many records answer. */
      answers?: number;
      length: number;
    }
  | { type: 'data'; length: number };
