/** A frame goes into a VXLAN tunnel (drivers/net/vxlan/vxlan_core.c). */
import type { Ethernet, Ipv4, Unknown } from '../../wire/packet.ts';
import type { FdbEntry } from '../fdb.ts';
import { vxlanFdbFind } from '../fdb-table.ts';
import type { Vxlan } from '../netdev.ts';
import type { Skb } from '../skb.ts';
import { allocSkb, skbClone } from '../skb.ts';
import { sysctlGet } from '../sysctl.ts';
import type { Netns } from '../world.ts';
import { skbScrubPacket } from './forwardable.ts';
import { defaultTtl } from './reply.ts';
import { routeOutput } from './route.ts';
import type { Walk } from './walk.ts';
import { copiesDetail, drop, emit, tapTransmit, walkCopies } from './walk.ts';

/** Outer Ethernet, IPv4 and UDP headers and the VXLAN header, in bytes (VXLAN_HEADROOM). */
const OVERHEAD = 50;

const PORT_RANGE = /^(\d+)\s+(\d+)$/;

/**
 * What tells one flow from another (flow_keys_dissector, net/core/flow_dissector.c): of ICMP it is
 * the addresses alone, of ARP nothing.
 */
const flowKey = ({ payload }: Ethernet): string => {
  if (payload.type === 'arp') return 'arp';
  const { src, dst, payload: l4 } = payload;
  const port = (value: number | Unknown): string =>
    typeof value === 'number' ? `${value}` : value.unknown;
  const ports = l4.type === 'tcp' || l4.type === 'udp' ? `${port(l4.sport)} ${port(l4.dport)}` : '';
  return `${l4.type} ${src} ${dst} ${ports}`;
};

/** udp_flow_src_port: a hash of the inner flow, in the range of local ports. */
const flowSourcePort = (walk: Walk, netns: Netns, frame: Ethernet): Unknown => {
  const local = sysctlGet(netns, 'net.ipv4.ip_local_port_range');
  const key = `${local} ${flowKey(frame)}`;
  const { flowHashes } = walk.overlay.write(netns.id);
  const known = flowHashes.get(key);
  if (known) return known;
  const [, low, high] = PORT_RANGE.exec(local) ?? [];
  const made: Unknown = {
    unknown: 'flow-hash',
    range: [Number(low ?? 32768), Number(high ?? 60999)],
  };
  flowHashes.set(key, made);
  return made;
};

/** vxlan_find_vni: the tunnel device of a VNI that listens on a port. */
export const vxlanFindVni = (netns: Netns, dstport: number, vni: number): Vxlan | undefined =>
  netns.devices.find(
    (dev): dev is Vxlan =>
      dev.kind === 'vxlan' && dev.up && dev.dstport === dstport && dev.vni === vni,
  );

/** vxlan_xmit_one: one copy of the frame to one remote. */
const vxlanXmitOne = (
  walk: Walk,
  netns: Netns,
  dev: Vxlan,
  frame: Ethernet,
  skb: Skb | undefined,
  row: FdbEntry,
): void => {
  const device = dev.ifname;
  const { dst: remote } = row;
  if (remote === undefined || remote === '0.0.0.0') {
    drop(walk, netns, 'NO_TX_TARGET', { device });
    return;
  }
  const mark = skb?.mark ?? 0;
  const key = {
    dst: remote,
    ...(dev.local !== undefined && { src: dev.local }),
    ...(mark !== 0 && { mark }),
  };
  const before = (local: string): void =>
    emit(walk, {
      kind: 'encapsulate',
      netns: netns.id,
      device,
      action: 'vxlan',
      detail: {
        vni: dev.vni,
        local,
        remote,
        dport: dev.dstport,
        overhead: OVERHEAD,
        row,
        ...(dev.lower !== undefined && { lower: dev.lower }),
      },
      ...(row.origin && { origin: row.origin }),
    });
  const route = routeOutput(walk, netns, key, { purpose: 'underlay', before });
  if (route.kind === 'not-modelled') return;
  if (route.kind === 'error') {
    drop(walk, netns, 'IP_OUTNOROUTES', { device });
    return;
  }
  if (route.dst.dev === device) {
    // Its own outer packet would go into the tunnel again (ELOOP).
    drop(walk, netns, 'looped', { device });
    return;
  }
  if (route.dst.type === 'local') {
    encapBypass(walk, netns, dev, frame, skb);
    return;
  }
  const outer: Ipv4 = {
    type: 'ipv4',
    src: route.src,
    dst: remote,
    ttl: dev.ttl === 0 ? defaultTtl(netns) : dev.ttl,
    tos: 0,
    df: false,
    id: 0,
    payload: {
      type: 'udp',
      sport: flowSourcePort(walk, netns, frame),
      dport: dev.dstport,
      payload: { type: 'vxlan', vni: dev.vni, payload: frame },
    },
  };
  walk.stages.ipLocalOut(walk, netns, allocSkb(outer, mark, route.dst));
};

/** encap_bypass_if_local: a remote that is this machine gets the frame without a tunnel. */
const encapBypass = (
  walk: Walk,
  netns: Netns,
  dev: Vxlan,
  frame: Ethernet,
  skb: Skb | undefined,
): void => {
  const target = vxlanFindVni(netns, dev.dstport, dev.vni);
  if (!target) {
    drop(walk, netns, 'VXLAN_VNI_NOT_FOUND', { device: dev.ifname });
    return;
  }
  walk.stages.netifReceiveSkb(walk, netns, target, {
    frame,
    skb: skb && skbScrubPacket(skb, false),
    from: 'tunnel',
    pktType: 'host',
  });
};

/**
 * vxlan_xmit: looks the receiver up in the tunnel's table; unknown receivers and broadcasts go to
 * the rows of the all-zero MAC, and are lost where there is none. Of several remotes the first one
 * gets the frame itself, after all others got their copies.
 */
export const vxlanXmit = (
  walk: Walk,
  netns: Netns,
  dev: Vxlan,
  frame: Ethernet,
  skb?: Skb,
): void => {
  tapTransmit(walk, netns, dev, frame, { via: 'tunnel' });
  const rows = vxlanFdbFind(dev, walk.overlay.read(netns.id), frame.dst);
  const [first, ...more] = rows;
  if (!first) {
    drop(walk, netns, 'NO_TX_TARGET', { device: dev.ifname });
    return;
  }
  if (more.length === 0) {
    vxlanXmitOne(walk, netns, dev, frame, skb, first);
    return;
  }
  const outcome = walkCopies(
    walk,
    [...more, first].map((row) => () => {
      vxlanXmitOne(walk, netns, dev, frame, skb && skbClone(skb), row);
    }),
  );
  emit(walk, {
    kind: 'bridge',
    netns: netns.id,
    device: dev.ifname,
    action: 'flood',
    detail: { mac: frame.dst, ...copiesDetail(outcome) },
  });
  outcome.tell();
  if (outcome.main === undefined) drop(walk, netns, 'OTHERHOST', { device: dev.ifname });
};
