/** What IPVS asks of the namespace and the stack around it. */
import type { Choice } from '../choice.ts';
import type { ConntrackEntry } from '../netfilter/conntrack.ts';
import type { Hook } from '../netfilter/ruleset.ts';
import type { Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import type { IpvsConnection } from './connection.ts';
import type { IpvsRewrite } from './told.ts';
import type { VirtualServer } from './virtual-server.ts';

export interface IpVsEnv {
  readonly netns: Netns;
  readonly conntrack: ConntrackEntry[];
  readonly connections: IpvsConnection[];
  choose(choice: Choice): number;
}

/** One packet at one hook. */
export interface IpVsAt {
  readonly env: IpVsEnv;
  readonly hook: Hook;
  readonly skb: Skb;
}

/** What a hook function of IPVS wants done with the packet. */
export type IpVsVerdict =
  | { readonly kind: 'ACCEPT' }
  /** Send it to the connection's server (`packet_xmit`). */
  | { readonly kind: 'XMIT'; readonly to: IpvsConnection; readonly tells: IpvsRewrite }
  /** The packet came from a server, and now from the virtual one: its route is looked up again. */
  | { readonly kind: 'REROUTE'; readonly to: IpvsConnection }
  /** ip_vs_leave: nobody could be picked; the sender is told so. */
  | { readonly kind: 'UNREACHABLE'; readonly server: VirtualServer }
  | { readonly kind: 'DROP'; readonly server: VirtualServer | undefined }
  /** It depends on what is not modelled. */
  | { readonly kind: 'UNKNOWN' };
