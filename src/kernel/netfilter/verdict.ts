/** What netfilter is asked, and what it answers (include/linux/netfilter.h). */
import type { Ip } from '../../wire/packet.ts';
import type { Choice } from '../choice.ts';
import type { Errno, KernelEvent } from '../event.ts';
import type { IpvsConnection } from '../ipvs/connection.ts';
import type { VirtualServer } from '../ipvs/virtual-server.ts';
import type { Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import type { ConntrackEntry } from './conntrack.ts';
import type { NftTableName } from './nft-table.ts';
import type { RecentLists } from './recent.ts';
import type { Hook, RejectWith, Rule, TableName } from './ruleset.ts';

/** struct nf_hook_state. */
export interface NfState {
  readonly hook: Hook;
  /** At POSTROUTING: of a forwarded packet (ip_output), not of one made here or bridged. */
  readonly in?: string;
  readonly out?: string;
  readonly physin?: string;
  readonly physout?: string;
  /** Called by br_netfilter for a bridged frame. */
  readonly bridged: boolean;
}

/** What a hook may ask of the namespace around it. */
export interface NfEnv {
  readonly netns: Netns;
  /** The namespace's conntrack table in this walk; entries may be added and replaced. */
  readonly conntrack: ConntrackEntry[];
  /** What rules of nf_tables add to sets, by set; absent: nothing can be added. */
  readonly nftSets?: Map<string, Set<string>> | undefined;
  /** The lists of `-m recent`; absent: nobody knows them. */
  readonly recent?: RecentLists | undefined;
  emit(event: KernelEvent): void;
  /** Absent where there is no virtual server. */
  readonly ipvs?: NfIpvs | undefined;
  /** Settles what a rule leaves to chance. */
  choose(choice: Choice): number;
  addrType(ip: Ip): 'LOCAL' | 'UNICAST' | 'BROADCAST' | 'MULTICAST';
  /** inet_select_addr(out, next hop, RT_SCOPE_UNIVERSE): the address MASQUERADE takes. */
  masqueradeAddress(out: string, dst: Ip): Ip | undefined;
  /** Whether the rules that nearly decided are to be told: looking for them takes time. */
  readonly detailed?: boolean;
  /** Told of every rule whose conditions hold, as the rule's own counter would be. */
  readonly count?:
    | ((table: TableName | NftTableName, chain: string, number: number) => void)
    | undefined;
}

export type NfVerdict =
  /**
   * `reroute`: OUTPUT only. The mark or an address changed, so the route is looked up again
   * (ip_route_me_harder).
   */
  | { readonly kind: 'ACCEPT'; readonly reroute?: true }
  | { readonly kind: 'DROP'; readonly by: NfDecider }
  | { readonly kind: 'REJECT'; readonly with: RejectWith; readonly by: NfDecider }
  /** Somebody else sees to the packet. */
  | { readonly kind: 'STOLEN'; readonly errno?: Errno }
  /** A rule that is not modelled would have decided. */
  | { readonly kind: 'UNKNOWN'; readonly by: NfDecider };

/** What IPVS asks of the stack. */
export interface NfIpvs {
  readonly connections: IpvsConnection[];
  /** ip_vs_nat_xmit: the packet goes to its server, through OUTPUT or in the hook that it is in. */
  xmit(skb: Skb, to: IpvsConnection): 'ACCEPT' | 'STOLEN';
  /** ip_vs_route_me_harder. False: there is no route, and the packet ended. */
  reroute(skb: Skb): boolean;
}

export type NfDecider = NfRuleDecider | { readonly ipvs: VirtualServer | undefined };

export interface NfRuleDecider {
  readonly table: TableName | NftTableName;
  readonly chain: string;
  /** Absent: the chain's policy, or conntrack itself. */
  readonly number?: number;
  readonly rule?: Rule;
}
