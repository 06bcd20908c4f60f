/** A packet from a real server on its way to the client (ip_vs_out_hook, ip_vs_core.c; Linux 6.1). */
import type { Icmp, Ipv4 } from '../../wire/packet.ts';
import {
  closeOnReset,
  connectionOut,
  type IpvsConnection,
  invertIpvsFlow,
  ipvsFlowOf,
} from './connection.ts';
import type { IpVsAt, IpVsVerdict } from './ip-vs-env.ts';

const ACCEPT: IpVsVerdict = { kind: 'ACCEPT' };

/** tcp_snat_handler, udp_snat_handler: as the virtual server would have sent it. */
const snat = (packet: Ipv4, { virtual }: IpvsConnection): Ipv4 => {
  const { payload } = packet;
  return payload.type === 'tcp' || payload.type === 'udp'
    ? { ...packet, src: virtual.ip, payload: { ...payload, sport: virtual.port } }
    : packet;
};

/**
 * ip_vs_nat_icmp: an error about a packet to the server is made one about a packet to the virtual
 * server, and comes from there.
 */
const natError = (packet: Ipv4, icmp: Icmp, { virtual }: IpvsConnection): Ipv4 => {
  const { original } = icmp;
  if (original?.payload.type !== 'tcp' && original?.payload.type !== 'udp') return packet;
  const inner = {
    ...original,
    dst: virtual.ip,
    payload: { ...original.payload, dport: virtual.port },
  };
  return { ...packet, src: virtual.ip, payload: { ...icmp, original: inner } };
};

/** Errors that a connection is looked up for. */
const isError = ({ kind }: Icmp): boolean =>
  kind === 'destination-unreachable' || kind === 'time-exceeded';

/**
 * ip_vs_out_hook and handle_response: what a server sends on a connection gets the virtual server's
 * address. Called at INPUT, OUTPUT and FORWARD.
 */
export const ipVsOut = ({ env, skb }: IpVsAt): IpVsVerdict => {
  if (skb.ipvsProperty || !skb.dst) return ACCEPT;
  const { packet } = skb;
  const { payload } = packet;
  if (payload.type === 'icmp') {
    if (!isError(payload) || !payload.original) return ACCEPT;
    const about = ipvsFlowOf(payload.original);
    const one = about && connectionOut(env.connections, invertIpvsFlow(about));
    if (!one) return ACCEPT;
    if (!skb.ct) return { kind: 'UNKNOWN' };
    skb.packet = natError(packet, payload, one);
    return { kind: 'REROUTE', to: one };
  }
  const flow = ipvsFlowOf(packet);
  const one = flow && connectionOut(env.connections, flow);
  if (!one) return ACCEPT;
  if (!skb.ct) return { kind: 'UNKNOWN' };
  closeOnReset(env.connections, one, packet);
  skb.packet = snat(packet, one);
  return { kind: 'REROUTE', to: one };
};
