/** A frame comes out of a VXLAN tunnel (drivers/net/vxlan/vxlan_core.c). */
import type { Vxlan as VxlanHeader } from '../../wire/packet.ts';
import type { FdbEntry } from '../fdb.ts';
import type { Vxlan } from '../netdev.ts';
import type { Skb } from '../skb.ts';
import { allocSkb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { vxlanFindVni } from './vxlan-xmit.ts';
import type { Walk } from './walk.ts';
import { drop, emit } from './walk.ts';

/** Whether a tunnel device of this namespace listens on the UDP port (vxlan_sock_add). */
export const vxlanListens = (netns: Netns, port: number): boolean =>
  netns.devices.some((dev) => dev.kind === 'vxlan' && dev.up && dev.dstport === port);

/**
 * vxlan_snoop: a tunnel that learns remembers which remote a MAC is behind. A row that was written
 * by hand for another remote stays, and the frame is thrown away.
 */
const vxlanSnoop = (
  walk: Walk,
  netns: Netns,
  dev: Vxlan,
  mac: string,
  remote: string,
): FdbEntry | 'conflict' | undefined => {
  if (!dev.learning) return undefined;
  const known =
    dev.fdb.find((row) => row.mac === mac) ??
    walk.overlay.read(netns.id)?.fdb.get(dev.ifname)?.get(mac);
  if (known?.dst === remote) return undefined;
  if (known && known.state !== 'learned') return 'conflict';
  const row: FdbEntry = { mac, dev: dev.ifname, dst: remote, state: 'learned' };
  const { fdb } = walk.overlay.write(netns.id);
  const rows = fdb.get(dev.ifname);
  if (rows) rows.set(mac, row);
  else fdb.set(dev.ifname, new Map([[mac, row]]));
  return row;
};

/**
 * vxlan_rcv: the frame of an outer packet comes out of the tunnel device of its VNI. To which of
 * this machine's addresses the outer packet was sent does not matter.
 */
export const vxlanRcv = (
  walk: Walk,
  netns: Netns,
  outer: Skb,
  port: number,
  header: VxlanHeader,
): void => {
  const dev = vxlanFindVni(netns, port, header.vni);
  if (!dev) {
    drop(walk, netns, 'VXLAN_VNI_NOT_FOUND', outer.iif === undefined ? {} : { device: outer.iif });
    return;
  }
  const frame = header.payload;
  const remote = outer.packet.src;
  if (frame.src === dev.mac) {
    drop(walk, netns, 'LOCAL_MAC', { device: dev.ifname });
    return;
  }
  const learned = vxlanSnoop(walk, netns, dev, frame.src, remote);
  if (learned === 'conflict') {
    drop(walk, netns, 'VXLAN_ENTRY_EXISTS', { device: dev.ifname });
    return;
  }
  emit(walk, {
    kind: 'decapsulate',
    netns: netns.id,
    device: dev.ifname,
    action: 'vxlan',
    detail: { vni: header.vni, remote, ...(learned && { learned }) },
    ...(dev.origin && { origin: dev.origin }),
  });
  const { payload } = frame;
  walk.stages.netifReceiveSkb(walk, netns, dev, {
    frame,
    skb: payload.type === 'ipv4' ? allocSkb(payload, outer.mark) : undefined,
    from: 'tunnel',
  });
};
