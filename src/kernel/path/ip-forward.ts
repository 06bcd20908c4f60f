/** A packet goes through a machine (net/ipv4/ip_forward.c). */
import { ipv4Length } from '../../wire/length.ts';
import type { Ipv4 } from '../../wire/packet.ts';
import type { Skb } from '../skb.ts';
import type { Netdev, Netns } from '../world.ts';
import { ipOutput } from './ip-output.ts';
import { nfWalk } from './nf-walk.ts';
import { dstMtuForward } from './route.ts';
import type { Walk } from './walk.ts';
import { drop, emit } from './walk.ts';

const EXC_TTL = 0;
const FRAG_NEEDED = 4;
const REDIR_HOST = 1;

/** ip_decrease_ttl. A spread would cost more than the whole stage. */
const decreaseTtl = (packet: Ipv4): Ipv4 => {
  const { type, src, dst, ttl, tos, df, id, protocol, payload } = packet;
  const next = { type, src, dst, ttl: ttl - 1, tos, df, id, payload };
  return protocol === undefined ? next : { ...next, protocol };
};

/**
 * ip_forward: the TTL ends or is lowered, a packet that is too long and may not be cut is answered
 * with the MTU, a sender that could have gone the shorter way is told so (ip_rt_send_redirect),
 * then FORWARD, and out.
 */
export const ipForward = (walk: Walk, netns: Netns, dev: Netdev, skb: Skb): void => {
  const { packet, dst, pktType } = skb;
  if (!dst) throw new TypeError('ip_forward without a route');
  if (pktType !== 'host') {
    drop(walk, netns, 'NOT_SPECIFIED', { device: dev.ifname });
    return;
  }
  if (packet.ttl <= 1) {
    walk.stages.icmpSend(walk, netns, skb, { kind: 'time-exceeded', code: EXC_TTL });
    drop(walk, netns, 'ttl-exceeded', { device: dev.ifname, about: packet });
    return;
  }
  const mtu = dstMtuForward(netns, dst);
  const length = ipv4Length(packet);
  if (packet.df && length > mtu) {
    const detail = { length, mtu, df: true, needed: mtu, device: dst.dev };
    emit(walk, { kind: 'size', netns: netns.id, device: dst.dev, action: 'too-big', detail });
    walk.stages.icmpSend(walk, netns, skb, {
      kind: 'destination-unreachable',
      code: FRAG_NEEDED,
      mtu,
    });
    drop(walk, netns, 'PKT_TOO_BIG', { device: dst.dev });
    return;
  }
  skb.forwarded = true;
  skb.packet = decreaseTtl(packet);
  emit(walk, {
    kind: 'forward',
    netns: netns.id,
    action: 'forward',
    detail: {
      from: dev.ifname,
      to: dst.dev,
      ttlBefore: packet.ttl,
      ttlAfter: packet.ttl - 1,
    },
  });
  if (dst.redirect)
    walk.stages.icmpSend(walk, netns, skb, {
      kind: 'redirect',
      code: REDIR_HOST,
      gateway: dst.gateway ?? packet.dst,
    });
  const outcome = nfWalk(walk, netns, skb, 'FORWARD', dev.ifname, dst.dev);
  if (outcome.kind === 'accept') ipOutput(walk, netns, skb);
};
