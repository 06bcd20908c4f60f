/** A packet to a virtual server (ip_vs_in_hook, net/netfilter/ipvs/ip_vs_core.c; Linux 6.1). */
import type { Ipv4 } from '../../wire/packet.ts';
import { findDev } from '../netdev.ts';
import { sysctlGet, sysctlNumber } from '../sysctl.ts';
import {
  closeOnReset,
  connectionIn,
  forgetConnection,
  type IpvsConnection,
  type IpvsFlow,
  invertIpvsFlow,
  ipvsFlowOf,
} from './connection.ts';
import type { IpVsAt, IpVsVerdict } from './ip-vs-env.ts';
import { ipVsSchedule, pickable, serverOf } from './schedule.ts';
import type { IpvsPick } from './told.ts';
import { type VirtualServer, virtualServerKey } from './virtual-server.ts';

const ACCEPT: IpVsVerdict = { kind: 'ACCEPT' };

/** Whether a setting of net.ipv4.vs is on. */
const isOn = ({ env }: IpVsAt, name: string): boolean =>
  sysctlGet(env.netns, `net.ipv4.vs.${name}`) !== '0';

/** ip_vs_service_find, for services that no mark selects. */
const virtualServer = ({ env }: IpVsAt, { protocol, dst }: IpvsFlow): VirtualServer | undefined =>
  typeof dst.port === 'number'
    ? env.netns.ipvs.get(virtualServerKey(protocol, dst.ip, dst.port))
    : undefined;

/** is_new_conn, for what IPVS speaks. */
const isSyn = ({ payload }: Ipv4): boolean =>
  payload.type === 'tcp' && payload.flags.includes('syn');

/** tcp_conn_schedule, udp_conn_schedule: whether a packet may be the first of a connection. */
const mayBeFirst = (at: IpVsAt, { payload }: Ipv4): boolean => {
  if (payload.type !== 'tcp') return true;
  if (payload.flags.includes('rst')) return false;
  return payload.flags.includes('syn') || isOn(at, 'sloppy_tcp');
};

/** Not for a socket of somebody else's, and not what came back over lo. */
const isFromHere = ({ env: { netns }, skb: { iif } }: IpVsAt): boolean =>
  iif === undefined || findDev(netns, iif)?.kind === 'loopback';

/** The packet still belongs to a connection that conntrack has confirmed (ip_vs_conn_uses_old_conntrack). */
const isOldConntrack = ({ skb: { ct } }: IpVsAt): boolean => ct?.entry.confirmed === true;

type Known =
  | { readonly kind: 'use'; readonly to: IpvsConnection }
  | { readonly kind: 'new' }
  | { readonly kind: 'drop' };

/**
 * What becomes of a connection that is known: a new SYN from the port of one that was closed starts
 * another one (conn_reuse_mode), and so does any packet whose server was taken away
 * (expire_nodest_conn).
 */
const known = (at: IpVsAt, one: IpvsConnection, virtual: VirtualServer | undefined): Known => {
  const { env, skb } = at;
  const anew = (): Known => {
    forgetConnection(env.connections, one);
    return isOldConntrack(at) ? { kind: 'drop' } : { kind: 'new' };
  };
  const server = virtual && serverOf(virtual, one);
  const expires = isOn(at, 'expire_nodest_conn');
  if (isSyn(skb.packet)) {
    const quiescent = server !== undefined && server.weight === 0;
    const reuses = sysctlNumber(env.netns, 'net.ipv4.vs.conn_reuse_mode') !== 0;
    const over = one.closed === true && one.controlled !== true && reuses;
    if ((expires && quiescent) || over) return anew();
  }
  if (server) return { kind: 'use', to: one };
  if (expires) return anew();
  return { kind: 'drop' };
};

const send = (virtual: VirtualServer, to: IpvsConnection, pick: IpvsPick): IpVsVerdict => {
  const { protocol, ip, port, scheduler } = virtual;
  const servers = pickable(virtual).length;
  return { kind: 'XMIT', to, tells: { protocol, virtual: { ip, port }, scheduler, servers, pick } };
};

/** ip_vs_in_icmp would hand an error about a virtual server's answer to the server. */
const isErrorAboutAnswer = ({ env, skb: { packet } }: IpVsAt): boolean => {
  const { payload } = packet;
  const about = payload.type === 'icmp' && payload.original && ipvsFlowOf(payload.original);
  return !!about && connectionIn(env.connections, invertIpvsFlow(about)) !== undefined;
};

/**
 * ip_vs_in_hook: packets of connections that are known go to their server, the first packet of one
 * to the server that is picked for it. Called at INPUT and OUTPUT, after filtering.
 */
export const ipVsIn = (at: IpVsAt): IpVsVerdict => {
  const { env, hook, skb } = at;
  if (skb.ipvsProperty) return ACCEPT;
  if (hook !== 'OUTPUT' && (skb.pktType ?? 'host') !== 'host') return ACCEPT;
  const flow = ipvsFlowOf(skb.packet);
  if (!flow) return isErrorAboutAnswer(at) ? { kind: 'UNKNOWN' } : ACCEPT;
  const virtual = virtualServer(at, flow);
  const one = connectionIn(env.connections, flow);
  if (!virtual && !one) return ACCEPT;
  // Without conntrack every packet would be untracked from here on (ip_vs_notrack).
  if (!isOn(at, 'conntrack') || !skb.ct) return { kind: 'UNKNOWN' };
  if (one) {
    const what = known(at, one, virtual);
    if (what.kind === 'drop') return { kind: 'DROP', server: virtual };
    if (what.kind === 'use' && virtual) {
      closeOnReset(env.connections, one, skb.packet);
      return send(virtual, one, 'connection');
    }
  }
  if (!virtual || !mayBeFirst(at, skb.packet)) return ACCEPT;
  const scheduled = ipVsSchedule(env, virtual, flow, {
    fromHere: isFromHere(at),
    expireQuiescent: isOn(at, 'expire_quiescent_template'),
  });
  switch (scheduled.kind) {
    case 'server':
      return send(virtual, scheduled.to, scheduled.pick);
    case 'not-new':
      return ACCEPT;
    case 'none':
      return { kind: 'UNREACHABLE', server: virtual };
    default: {
      const never: never = scheduled;
      return never;
    }
  }
};
