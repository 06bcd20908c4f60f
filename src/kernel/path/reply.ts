/** What the kernel puts into packets that it sends by itself. */
import type { Ip } from '../../wire/packet.ts';
import type { Skb } from '../skb.ts';
import { sysctlNumber } from '../sysctl.ts';
import type { Netns } from '../world.ts';

/** ip4_dst_hoplimit: the TTL of a packet made here. */
export const defaultTtl = (netns: Netns): number => sysctlNumber(netns, 'net.ipv4.ip_default_ttl');

/**
 * fib_compute_spec_dst (net/ipv4/fib_frontend.c): an answer comes from the address that was asked;
 * where everybody was, from the one that the route back prefers (undefined).
 */
export const replySource = ({ packet, dst }: Skb): Ip | undefined =>
  dst?.type === 'broadcast' ? undefined : packet.dst;

/** IP4_REPLY_MARK: an answer has its question's mark only where fwmark_reflect says so. */
export const replyMark = (netns: Netns, mark: Skb['mark']): number =>
  mark !== 0 && sysctlNumber(netns, 'net.ipv4.fwmark_reflect') !== 0 ? mark : 0;
