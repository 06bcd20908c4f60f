/** ICMP errors (net/ipv4/icmp.c, icmp_send). */
import { ICMP_ERROR_MAX, ICMP_HEADER, IPV4_HEADER } from '../../wire/length.ts';
import type { Icmp, Ipv4 } from '../../wire/packet.ts';
import { NO_DATA } from '../../wire/packet.ts';
import { inetSelectAddr } from '../fib-select.ts';
import { nfConntrackAttach } from '../netfilter/conntrack-in.ts';
import type { Skb } from '../skb.ts';
import { allocSkb, skbClone } from '../skb.ts';
import { sysctlNumber } from '../sysctl.ts';
import type { Netns } from '../world.ts';
import { defaultTtl, replyMark } from './reply.ts';
import { dstMtu, routeOutput } from './route.ts';
import type { IcmpErrorSpec, Walk } from './walk.ts';
import { emit, markRejected } from './walk.ts';

/** The usual precedence of a router's own messages (IPTOS_PREC_INTERNETCONTROL). */
const INTERNETCONTROL = 0xc0;
const TOS_MASK = 0x1e;

/** An error about a tunnel's outer packet stays between the tunnel's ends. */
const isTunnelled = ({ payload }: Ipv4): boolean =>
  payload.type === 'udp' && payload.payload.type === 'vxlan';

/** Whether a packet may be answered with an error at all (RFC 1122, 3.2.2). */
const mayComplain = ({ packet, dst, pktType }: Skb): boolean => {
  if (!dst || dst.type === 'broadcast' || dst.type === 'multicast') return false;
  if (pktType !== undefined && pktType !== 'host') return false;
  const { payload } = packet;
  return (
    payload.type !== 'icmp' || payload.kind === 'echo-request' || payload.kind === 'echo-reply'
  );
};

/** The address the error comes from; undefined: the route back decides. */
const errorSource = (netns: Netns, { packet, dst, iif }: Skb): string | undefined => {
  if (dst?.type === 'local') return packet.dst;
  if (iif === undefined) return undefined;
  return sysctlNumber(netns, 'net.ipv4.icmp_errors_use_inbound_ifaddr') === 0
    ? undefined
    : inetSelectAddr(netns, iif, packet.src, 'link');
};

/**
 * icmp_send and icmp_route_lookup: an error about a packet goes back to its source once the packet
 * has ended. Never about errors, broadcasts, or what was sent to everybody. It comes from the
 * address that the packet was sent to, if that is here, else from the one that the route back
 * prefers. It belongs to the packet's connection as that is now (icmp_glue_bits). Rate limits are
 * not modelled.
 */
export const icmpSend = (walk: Walk, netns: Netns, about: Skb, error: IcmpErrorSpec): void => {
  if (!mayComplain(about)) return;
  const { packet } = about;
  const aside = error.kind === 'redirect';
  if (aside) {
    // ip_rt_send_redirect: again only after a while, which no probe lasts.
    const told = `${netns.id} ${packet.src}`;
    if (walk.redirected.has(told)) return;
    walk.redirected.add(told);
  } else if (!isTunnelled(packet)) markRejected(walk);
  const saddr = errorSource(netns, about);
  const mark = replyMark(netns, about.mark);
  const cause = skbClone(about);
  // The kernel makes the error at once: what becomes of the connection later is not in it.
  cause.ct = about.ct && { ...about.ct };
  const run = (): void => sendError(walk, netns, cause, saddr, mark, error);
  walk.pending.push({
    carries: 'icmp-error',
    from: netns.id,
    to: packet.src,
    ...(aside && { aside }),
    ...(error.late && { late: error.late }),
    run,
  });
};

const sendError = (
  walk: Walk,
  netns: Netns,
  cause: Skb,
  saddr: string | undefined,
  mark: number,
  error: IcmpErrorSpec,
): void => {
  const { packet: about } = cause;
  const key = {
    dst: about.src,
    ...(saddr !== undefined && { src: saddr }),
    ...(mark !== 0 && { mark }),
  };
  const route = routeOutput(walk, netns, key, {
    before: (src) => {
      const detail = { protocol: 'icmp', what: 'icmp-error', src, dst: about.src } as const;
      emit(walk, { kind: 'socket', netns: netns.id, action: 'kernel-send', detail });
    },
  });
  if (route.kind !== 'route') return;
  const room = Math.min(dstMtu(netns, route.dst), ICMP_ERROR_MAX) - IPV4_HEADER - ICMP_HEADER;
  const icmp: Icmp = {
    type: 'icmp',
    kind: error.kind,
    code: error.code,
    ...(error.mtu !== undefined && { mtu: error.mtu }),
    ...(error.gateway !== undefined && { gateway: error.gateway }),
    original: about,
    ...(room < ICMP_ERROR_MAX - IPV4_HEADER - ICMP_HEADER && { quoted: room }),
    payload: NO_DATA,
  };
  const packet: Ipv4 = {
    type: 'ipv4',
    src: route.src,
    dst: about.src,
    ttl: defaultTtl(netns),
    tos: INTERNETCONTROL | (about.tos & TOS_MASK),
    df: false,
    id: 0,
    payload: icmp,
  };
  const skb = allocSkb(packet, mark, route.dst);
  nfConntrackAttach(skb, cause);
  walk.stages.ipLocalOut(walk, netns, skb);
};
