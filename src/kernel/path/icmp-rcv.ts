/** ICMP arrives at its host (net/ipv4/icmp.c, icmp_rcv). */
import type { Icmp, Ipv4 } from '../../wire/packet.ts';
import { inetAddrType } from '../fib-lookup.ts';
import { isNudValid, neighLookup } from '../neigh-table.ts';
import { findDev } from '../netdev.ts';
import type { Skb } from '../skb.ts';
import { allocSkb } from '../skb.ts';
import { ipv4DevConf, sysctlNumber } from '../sysctl.ts';
import type { Netns } from '../world.ts';
import { neighResolve } from './neigh-resolve.ts';
import { defaultTtl, replyMark, replySource } from './reply.ts';
import { dstMtu, routeOutput } from './route.ts';
import { deliverToFlow } from './socket-lookup.ts';
import type { Walk } from './walk.ts';
import { drop, emit, end } from './walk.ts';

const FRAG_NEEDED = 4;

/** icmp_echo and icmp_reply. */
const icmpEcho = (walk: Walk, netns: Netns, skb: Skb, icmp: Icmp): void => {
  if (sysctlNumber(netns, 'net.ipv4.icmp_echo_ignore_all') !== 0) {
    drop(walk, netns, 'echo-ignored');
    return;
  }
  const { packet } = skb;
  emit(walk, {
    kind: 'deliver',
    netns: netns.id,
    action: 'echo',
    detail: { protocol: 'icmp', ip: packet.dst },
  });
  end(walk, { kind: 'delivered' });
  const mark = replyMark(netns, skb.mark);
  const src = replySource(skb);
  const run = (): void => {
    const key = {
      dst: packet.src,
      ...(src !== undefined && { src }),
      ...(mark !== 0 && { mark }),
    };
    const route = routeOutput(walk, netns, key, {
      before: (from) => {
        const detail = { protocol: 'icmp', what: 'echo-reply', src: from, dst: key.dst } as const;
        emit(walk, { kind: 'socket', netns: netns.id, action: 'kernel-send', detail });
      },
    });
    if (route.kind === 'error') end(walk, { kind: 'dropped', reason: 'IP_OUTNOROUTES' });
    if (route.kind !== 'route') return;
    const answer: Ipv4 = {
      type: 'ipv4',
      src: route.src,
      dst: packet.src,
      ttl: defaultTtl(netns),
      tos: packet.tos,
      df: false,
      id: 0,
      payload: { ...icmp, kind: 'echo-reply' },
    };
    walk.stages.ipLocalOut(walk, netns, allocSkb(answer, mark, route.dst));
  };
  walk.pending.push({ carries: 'echo-reply', from: netns.id, to: packet.src, run });
};

/** ip_rt_update_pmtu: a smaller MTU on the way to a destination is remembered, down to a limit. */
const learnPmtu = (walk: Walk, netns: Netns, about: Ipv4, told: number): void => {
  const route = routeOutputQuietly(walk, netns, about);
  if (!route) return;
  const known = dstMtu(netns, route);
  if (told >= known) return;
  const mtu = Math.max(told, Math.min(known, sysctlNumber(netns, 'net.ipv4.route.min_pmtu')));
  walk.overlay.write(netns.id).pmtu.set(about.dst, mtu);
  emit(walk, {
    kind: 'size',
    netns: netns.id,
    device: route.dev,
    action: 'pmtu-learned',
    detail: { length: known, mtu, df: true, needed: told, device: route.dev },
  });
};

const routeOutputQuietly = (walk: Walk, netns: Netns, { src, dst }: Ipv4): Skb['dst'] => {
  const { recorder } = walk;
  walk.recorder = { kind: 'mute' };
  const route = routeOutput(walk, netns, { dst, src, anySource: true });
  walk.recorder = recorder;
  return route.kind === 'route' ? route.dst : undefined;
};

/**
 * __ip_do_redirect: a host believes the gateway that it uses when it names a better one, once it
 * knows the MAC of that one; until then it asks for it. TCP takes no notice while connect() holds
 * the socket, which is when the first one comes (tcp_v4_err).
 */
const learnRedirect = (walk: Walk, netns: Netns, skb: Skb, icmp: Icmp, about: Ipv4): void => {
  const { iif, packet } = skb;
  const { gateway } = icmp;
  if (iif === undefined || gateway === undefined || gateway === packet.src) return;
  if (ipv4DevConf(netns, iif, 'accept_redirects') === 0) return;
  if (inetAddrType(netns, gateway) !== 'unicast') return;
  const route = routeOutputQuietly(walk, netns, about);
  const dev = findDev(netns, iif);
  if (!dev || route?.dev !== iif || route.gateway !== packet.src) return;
  const known = neighLookup(netns, walk.overlay.read(netns.id), iif, gateway);
  if (!known || !isNudValid(known.state)) {
    neighResolve(walk, netns, dev, gateway, undefined);
    return;
  }
  const dynamic = walk.overlay.write(netns.id);
  const redirects = dynamic.redirects ?? new Map<string, string>();
  redirects.set(about.dst, gateway);
  Object.assign(dynamic, { redirects });
};

/** icmp_unreach, icmp_redirect and icmp_socket_deliver: to the socket that sent what is quoted. */
const icmpError = (walk: Walk, netns: Netns, skb: Skb, icmp: Icmp): void => {
  const { original } = icmp;
  const socket = original
    ? walk.sockets.find((one) => one.netns === netns.id && one.sent(original))
    : undefined;
  emit(walk, {
    kind: 'deliver',
    netns: netns.id,
    action: 'icmp-error',
    detail: {
      protocol: 'icmp',
      ip: skb.packet.dst,
      ...(socket?.process !== undefined && { process: socket.process }),
      error: { kind: icmp.kind, code: icmp.code },
    },
  });
  end(walk, { kind: 'delivered' });
  if (!socket || !original) return;
  if (icmp.kind === 'redirect') {
    if (socket.protocol !== 'tcp') learnRedirect(walk, netns, skb, icmp, original);
    return;
  }
  if (icmp.kind === 'destination-unreachable' && icmp.code === FRAG_NEEDED && icmp.mtu)
    learnPmtu(walk, netns, original, icmp.mtu);
  socket.error({
    kind: icmp.kind,
    code: icmp.code,
    ...(icmp.mtu !== undefined && { mtu: icmp.mtu }),
  });
};

/** What may be sent to everybody is a question, and a host may ignore it. */
const isIgnoredByAll = (netns: Netns, { dst }: Skb, { kind }: Icmp): boolean =>
  dst?.type === 'broadcast' &&
  (kind !== 'echo-request' || sysctlNumber(netns, 'net.ipv4.icmp_echo_ignore_broadcasts') !== 0);

/** icmp_rcv: answers echoes, gives answers and errors to the sockets they are for. */
export const icmpRcv = (walk: Walk, netns: Netns, skb: Skb, icmp: Icmp): void => {
  if (isIgnoredByAll(netns, skb, icmp)) {
    drop(walk, netns, 'INVALID_PROTO');
    return;
  }
  switch (icmp.kind) {
    case 'echo-request':
      icmpEcho(walk, netns, skb, icmp);
      break;
    case 'echo-reply': {
      const at = { protocol: 'icmp', ip: skb.packet.dst } as const;
      if (!deliverToFlow(walk, netns, at, skb.packet)) drop(walk, netns, 'NO_SOCKET');
      break;
    }
    case 'destination-unreachable':
    case 'time-exceeded':
    case 'parameter-problem':
    case 'redirect':
      icmpError(walk, netns, skb, icmp);
      break;
    default: {
      const never: never = icmp.kind;
      throw new TypeError(`not an ICMP message: ${never}`);
    }
  }
};
