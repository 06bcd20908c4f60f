/** A packet leaves the IPv4 stack (net/ipv4/ip_output.c). */
import { ipv4Length } from '../../wire/length.ts';
import type { Ethernet } from '../../wire/packet.ts';
import type { Errno } from '../event.ts';
import { findDev } from '../netdev.ts';
import type { Dst, Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { neighResolve } from './neigh-resolve.ts';
import { nfWalk } from './nf-walk.ts';
import { dstMtu, dstMtuForward, ipRouteMeHarder } from './route.ts';
import type { Walk } from './walk.ts';
import { drop, emit } from './walk.ts';

/**
 * ip_finish_output2: puts the Ethernet header on. When nobody answers for the next hop, the packet
 * that waited is answered with host unreachable (arp_error_report, ipv4_link_failure), be its sender
 * elsewhere or here.
 */
const ipFinishOutput2 = (walk: Walk, netns: Netns, skb: Skb, dst: Dst): Errno | undefined => {
  const dev = findDev(netns, dst.dev);
  if (!dev) {
    drop(walk, netns, 'DEV_READY', { device: dst.dev });
    return undefined;
  }
  const lladdr = neighResolve(walk, netns, dev, dst.gateway ?? skb.packet.dst, skb);
  if (lladdr === undefined) {
    walk.stages.icmpSend(walk, netns, skb, {
      kind: 'destination-unreachable',
      code: HOST_UNREACH,
      late: true,
    });
    drop(walk, netns, 'NEIGH_FAILED', { device: dev.ifname });
    return undefined;
  }
  const frame: Ethernet = {
    type: 'ethernet',
    src: dev.mac,
    dst: lladdr,
    payload: skb.packet,
  };
  walk.stages.devQueueXmit(walk, netns, dev, frame, skb);
  return undefined;
};

const HOST_UNREACH = 1;
const FRAG_NEEDED = 4;

/**
 * ip_finish_output: what is longer than the MTU and may not be cut into fragments ends here, and its
 * sender is told the MTU. Fragments are not modelled.
 */
const ipFinishOutput = (walk: Walk, netns: Netns, skb: Skb, dst: Dst): Errno | undefined => {
  const mtu = skb.forwarded ? dstMtuForward(netns, dst) : dstMtu(netns, dst);
  const length = ipv4Length(skb.packet);
  if (length > mtu) {
    if (!skb.packet.df) {
      drop(walk, netns, 'not-modelled', { device: dst.dev, unmodelled: 'fragmentation' });
      return undefined;
    }
    const detail = { length, mtu, df: true, needed: mtu, device: dst.dev };
    emit(walk, { kind: 'size', netns: netns.id, device: dst.dev, action: 'too-big', detail });
    walk.stages.icmpSend(walk, netns, skb, {
      kind: 'destination-unreachable',
      code: FRAG_NEEDED,
      mtu,
    });
    drop(walk, netns, 'PKT_TOO_BIG', { device: dst.dev });
    return 'EMSGSIZE';
  }
  if (walk.sized) {
    const detail = { length, mtu, df: skb.packet.df, device: dst.dev };
    emit(walk, { kind: 'size', netns: netns.id, device: dst.dev, action: 'fits', detail });
  }
  return ipFinishOutput2(walk, netns, skb, dst);
};

/** ip_output: POSTROUTING, then out. The route in `skb.dst` says where. */
export const ipOutput = (walk: Walk, netns: Netns, skb: Skb): Errno | undefined => {
  const { dst } = skb;
  if (!dst) throw new TypeError('ip_output without a route');
  const entered = skb.forwarded ? skb.iif : undefined;
  const outcome = nfWalk(walk, netns, skb, 'POSTROUTING', entered, dst.dev);
  if (outcome.kind === 'stop') return outcome.errno;
  return ipFinishOutput(walk, netns, skb, dst);
};

/**
 * ip_local_out: a packet made here walks OUTPUT, gets a new route if netfilter changed what decides
 * it, and goes out.
 * @returns what the system call of its sender fails with: EPERM where a rule stopped it, here or at
 *   POSTROUTING; what the new route said where there is none
 */
export const ipLocalOut = (walk: Walk, netns: Netns, skb: Skb): Errno | undefined => {
  const { dst } = skb;
  if (!dst) throw new TypeError('ip_local_out without a route');
  const outcome = nfWalk(walk, netns, skb, 'OUTPUT', undefined, dst.dev);
  if (outcome.kind === 'stop') return outcome.errno;
  const errno = outcome.reroute ? ipRouteMeHarder(walk, netns, skb) : undefined;
  return errno ?? ipOutput(walk, netns, skb);
};
