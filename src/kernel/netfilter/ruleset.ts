/**
 * Netfilter rules of one namespace, in the vocabulary of iptables: what `iptables-save` prints is
 * what is stored. The nft back end of iptables loads the same rules; base chains of one hook and
 * priority run in `registration` order, last registered first.
 */
import type { Cidr, Ip } from '../../wire/packet.ts';
import type { Origin } from '../origin.ts';

export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';
export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security';

export interface Ruleset {
  /** Tables in order of registration (creation). Empty: nothing was ever loaded. */
  readonly tables: NfTable[];
  /** Counts the edits, for what is derived from the rules; only the builders below edit. */
  revision?: number;
}

export interface NfTable {
  readonly name: TableName;
  readonly chains: Chain[];
}

export interface Chain {
  readonly name: string;
  /** Built-in chains only. */
  readonly base?: { readonly hook: Hook; readonly policy: 'ACCEPT' | 'DROP' };
  readonly rules: Rule[];
}

export interface Rule {
  readonly matches: readonly Match[];
  readonly target: Target;
  readonly comment?: string;
  /**
   * How many of `matches` are printed before the comment. Absent: those that are no extension
   * (`-s -d -i -o -p`).
   */
  readonly commentAt?: number;
  readonly origin?: Origin;
}

/** Conntrack states a packet can be in. */
export type CtState = 'INVALID' | 'NEW' | 'ESTABLISHED' | 'RELATED' | 'UNTRACKED';

/** One condition of a rule. `negate` is the `!` before it. */
export type Match =
  | { readonly kind: 'src' | 'dst'; readonly cidr: Cidr; readonly negate: boolean }
  | { readonly kind: 'in' | 'out'; readonly ifname: string; readonly negate: boolean }
  | {
      readonly kind: 'protocol';
      /** A number where nothing here speaks it. */
      readonly protocol: 'tcp' | 'udp' | 'icmp' | 'sctp' | number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'sport' | 'dport';
      readonly from: number;
      readonly to: number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'multiport';
      readonly which: 'sports' | 'dports' | 'ports';
      readonly ports: readonly (readonly [number, number])[];
      readonly negate: boolean;
    }
  | {
      readonly kind: 'mark';
      readonly value: number;
      readonly mask: number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'ctstate';
      readonly states: readonly (CtState | 'DNAT' | 'SNAT')[];
      readonly negate: boolean;
      /** Written as `-m state --state`, the match's older name. */
      readonly alias?: 'state';
    }
  | {
      readonly kind: 'addrtype';
      readonly which: 'src' | 'dst';
      readonly type: 'LOCAL' | 'UNICAST' | 'BROADCAST' | 'MULTICAST';
      readonly negate: boolean;
    }
  | {
      readonly kind: 'physdev';
      readonly which: 'in' | 'out' | 'is-bridged' | 'is-in' | 'is-out';
      readonly ifname?: string;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'icmp-type';
      /** 255: any. */
      readonly type: number;
      readonly code?: number;
      readonly negate: boolean;
    }
  | {
      readonly kind: 'tcp-flags';
      readonly mask: readonly string[];
      readonly set: readonly string[];
      readonly negate: boolean;
    }
  | {
      readonly kind: 'length';
      readonly from: number;
      readonly to: number;
      readonly negate: boolean;
    }
  /** A second comment; a rule's first one is `Rule.comment`. */
  | { readonly kind: 'comment'; readonly text: string }
  /** A match that is not modelled, kept word for word so that it can be printed and named. */
  | { readonly kind: 'unmodelled'; readonly text: string };

export type Target =
  | { readonly kind: 'ACCEPT' | 'DROP' | 'RETURN' }
  | { readonly kind: 'NONE' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'REJECT'; readonly with: RejectWith }
  | {
      readonly kind: 'MARK';
      /** `set` is `--set-xmark value/mask`: (mark and not mask) xor value. The others take `value`. */
      readonly op: 'set' | 'or' | 'and' | 'xor';
      readonly value: number;
      readonly mask: number;
    }
  | { readonly kind: 'MASQUERADE'; readonly randomFully: boolean }
  | { readonly kind: 'SNAT'; readonly ip: Ip; readonly port?: number }
  | { readonly kind: 'DNAT'; readonly ip: Ip; readonly port?: number }
  /** `options` word for word, as printed. */
  | { readonly kind: 'LOG'; readonly options?: string }
  | { readonly kind: 'unmodelled'; readonly text: string };

export type RejectWith =
  | 'icmp-net-unreachable'
  | 'icmp-host-unreachable'
  | 'icmp-port-unreachable'
  | 'icmp-proto-unreachable'
  | 'icmp-net-prohibited'
  | 'icmp-host-prohibited'
  | 'icmp-admin-prohibited'
  | 'tcp-reset';
