/** Routing policy database and tables (net/ipv4/fib_rules.c, fib_trie.c, fib_semantics.c). */
import type { Cidr, Ip } from '../wire/packet.ts';
import type { Origin } from './origin.ts';

export const TABLE_LOCAL = 255;
export const TABLE_MAIN = 254;
export const TABLE_DEFAULT = 253;

/** One line of `ip rule`. Absent selectors match everything. */
export interface FibRule {
  readonly priority: number;
  readonly from?: Cidr;
  readonly to?: Cidr;
  readonly iif?: string;
  readonly oif?: string;
  readonly fwmark?: { readonly mark: number; readonly mask: number };
  readonly action:
    | { readonly kind: 'table'; readonly table: number }
    | { readonly kind: 'blackhole' | 'unreachable' | 'prohibit' };
  readonly origin?: Origin;
}

export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit'
  | 'throw';

export type RouteScope = 'host' | 'link' | 'global';

/** One way of several that a route has (struct fib_nh). */
export interface Nexthop {
  readonly via?: Ip;
  /** `via` was an address of this machine when the route was made. */
  readonly viaSelf?: boolean;
  readonly dev: string;
  readonly onlink?: boolean;
  /** From 1 to 256: its share of the flows. */
  readonly weight: number;
  /** Its device went down, or lost its last address, and did not come back (RTNH_F_DEAD). */
  readonly dead?: boolean;
}

/** One line of `ip route show table all`. */
export interface FibEntry {
  readonly table: number;
  readonly type: RouteType;
  readonly dst: Cidr;
  /** Next hop; absent: the destination is on the link. */
  readonly via?: Ip;
  /** `via` was an address of this machine when the route was made: packets go to no gateway. */
  readonly viaSelf?: boolean;
  /** Absent for blackhole, unreachable, prohibit and throw, and where there are `nexthops`. */
  readonly dev?: string;
  /** Two or more; `via`, `viaSelf`, `dev` and `onlink` are then theirs. */
  readonly nexthops?: readonly Nexthop[];
  readonly scope: RouteScope;
  readonly metric: number;
  /** Preferred source. */
  readonly src?: Ip;
  readonly protocol: 'kernel' | 'boot' | 'static' | number;
  readonly onlink?: boolean;
  /** Route MTU in bytes; 0 or absent: the device's. */
  readonly mtu?: number;
  readonly origin?: Origin;
}

/** A row as if it had one way only: what is asked of its device and gateway is asked of that. */
export const throughHop = (row: FibEntry, hop: Nexthop | undefined): FibEntry => {
  if (!hop) return row;
  const { nexthops: _, ...rest } = row;
  const { weight: _weight, dead: _dead, ...way } = hop;
  return { ...rest, ...way };
};

/** The devices that a route uses. */
export const routeDevices = ({ dev, nexthops }: FibEntry): readonly string[] =>
  nexthops ? nexthops.map((hop) => hop.dev) : dev === undefined ? [] : [dev];
