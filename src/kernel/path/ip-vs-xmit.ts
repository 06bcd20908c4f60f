/** IPVS sends a packet on to its server (ip_vs_nat_xmit, net/netfilter/ipvs/ip_vs_xmit.c; Linux 6.1). */
import { isLoopback } from '../../wire/ip.ts';
import { ipv4Length } from '../../wire/length.ts';
import type { Ipv4 } from '../../wire/packet.ts';
import type { IpvsConnection } from '../ipvs/connection.ts';
import type { Dst, Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { dstMtu, routeOutput } from './route.ts';
import type { Walk } from './walk.ts';
import { drop, emit } from './walk.ts';

const HOST_UNREACH = 1;
const FRAG_NEEDED = 4;
const EXC_TTL = 0;

/** tcp_dnat_handler, udp_dnat_handler. */
const dnat = (packet: Ipv4, { server }: IpvsConnection, ttl: number): Ipv4 => {
  const { payload } = packet;
  const moved = { ...packet, dst: server.ip, ttl };
  return payload.type === 'tcp' || payload.type === 'udp'
    ? { ...moved, payload: { ...payload, dport: server.port } }
    : moved;
};

/** decrement_ttl and ensure_mtu_is_adequate: false when the packet ended. */
const mayLeave = (walk: Walk, netns: Netns, skb: Skb, dst: Dst): boolean => {
  const { packet } = skb;
  if (packet.ttl <= 1) {
    walk.stages.icmpSend(walk, netns, skb, { kind: 'time-exceeded', code: EXC_TTL });
    drop(walk, netns, 'ttl-exceeded', { about: packet });
    return false;
  }
  const mtu = dstMtu(netns, dst);
  const length = ipv4Length(packet);
  if (!packet.df || length <= mtu) return true;
  const { dev: device } = dst;
  const detail = { length, mtu, df: true, needed: mtu, device };
  emit(walk, { kind: 'size', netns: netns.id, device, action: 'too-big', detail });
  walk.stages.icmpSend(walk, netns, skb, {
    kind: 'destination-unreachable',
    code: FRAG_NEEDED,
    mtu,
  });
  drop(walk, netns, 'PKT_TOO_BIG', { device });
  return false;
};

/**
 * ip_vs_nat_xmit: the packet gets the server's address and port. To a server elsewhere it leaves
 * through OUTPUT and POSTROUTING as if it were made here, with one hop taken from its TTL; to one on
 * this machine it goes on in the hook that it is in, on the route that it has.
 */
export const ipVsNatXmit = (
  walk: Walk,
  netns: Netns,
  skb: Skb,
  to: IpvsConnection,
): 'ACCEPT' | 'STOLEN' => {
  const { packet, iif } = skb;
  const route = routeOutput(walk, netns, { dst: to.server.ip });
  if (route.kind === 'not-modelled') return 'STOLEN';
  if (route.kind === 'error') {
    walk.stages.icmpSend(walk, netns, skb, {
      kind: 'destination-unreachable',
      code: HOST_UNREACH,
    });
    drop(walk, netns, 'IP_OUTNOROUTES');
    return 'STOLEN';
  }
  const local = route.dst.type === 'local';
  // crosses_local_route_boundary, and "stopping DNAT to loopback address".
  const crosses = local ? isLoopback(to.server.ip) && iif !== undefined : isLoopback(packet.src);
  if (crosses) {
    drop(walk, netns, 'NOT_SPECIFIED');
    return 'STOLEN';
  }
  if (!local) {
    if (!mayLeave(walk, netns, skb, route.dst)) return 'STOLEN';
    skb.dst = route.dst;
  }
  skb.packet = dnat(packet, to, local ? packet.ttl : packet.ttl - 1);
  skb.ipvsProperty = true;
  if (local) return 'ACCEPT';
  walk.stages.ipLocalOut(walk, netns, skb);
  return 'STOLEN';
};
