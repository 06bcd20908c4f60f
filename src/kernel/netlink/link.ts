/** Devices: made, changed and removed, with what comes and goes with them (net/core/rtnetlink.c, dev.c). */

import type { Ip, Mac } from '../../wire/packet.ts';
import { ZERO_MAC } from '../../wire/packet.ts';
import { findDev, portsOf } from '../netdev.ts';
import type { Origin } from '../origin.ts';
import type { Netdev, Netns, NetnsId } from '../world.ts';
import {
  addrAdd,
  addrDel,
  fibAddIfaddr,
  fibDisableIp,
  fibForgetDev,
  fibSyncUp,
} from './address.ts';
import { NetlinkError } from './error.ts';
import { DEFAULT_PORT } from './fdb.ts';
import { neighFlushDev } from './neigh.ts';
import { dropDev, needDev, putDev } from './store.ts';
import { forgetSysctls, inheritSysctls } from './sysctl.ts';

const ETH_DATA_LEN = 1500;
const VXLAN_PORT = 8472;
/** Outer IPv4, UDP, VXLAN and inner Ethernet headers (vxlan_headroom). */
const VXLAN_HEADROOM = 50;

interface CommonSpec {
  readonly ifname: string;
  readonly mac: Mac;
  readonly mtu?: number;
  /** Default: the next free one of the namespace. */
  readonly ifindex?: number;
}

/** One `ip link add`; veth pairs are made by `linkAddVeth`. */
export type LinkSpec =
  | (CommonSpec & {
      readonly kind: 'bridge';
      /** The MAC was given (`ip link add … address M`): it will not follow the ports'. */
      readonly macSet?: boolean;
      /** Default: 300. */
      readonly ageingSeconds?: number;
      readonly vlanFiltering?: boolean;
    })
  | (CommonSpec & {
      readonly kind: 'vxlan';
      readonly vni: number;
      readonly local?: Ip;
      readonly lower?: string;
      /** Default: 8472, the kernel's own. */
      readonly dstport?: number;
      /** Default: true. */
      readonly learning?: boolean;
      readonly ttl?: number;
    })
  | (CommonSpec & { readonly kind: 'dummy' })
  | (CommonSpec & { readonly kind: 'physical'; readonly segment?: string });

/** dev_index_reserve: counted up, never given twice while a later one lives. */
const nextIfindex = ({ devices }: Netns): number =>
  Math.max(0, ...devices.map(({ ifindex }) => ifindex)) + 1;

const common = (netns: Netns, spec: CommonSpec, mtu: number, origin: Origin | undefined) => {
  if (findDev(netns, spec.ifname)) throw new NetlinkError('EEXIST');
  return {
    ifindex: spec.ifindex ?? nextIfindex(netns),
    ifname: spec.ifname,
    mac: spec.mac,
    mtu: spec.mtu ?? mtu,
    up: false,
    addresses: [],
    ...(origin && { origin }),
  };
};

const register = <Dev extends Netdev>(netns: Netns, dev: Dev): Dev => {
  inheritSysctls(netns, dev.ifname);
  return putDev(netns, dev);
};

/** vxlan_config_validate and vxlan_config_apply (drivers/net/vxlan/vxlan_core.c). */
const newVxlan = (
  netns: Netns,
  spec: Extract<LinkSpec, { kind: 'vxlan' }>,
  origin: Origin | undefined,
): Netdev => {
  const lower = spec.lower === undefined ? undefined : needDev(netns, spec.lower);
  const largest = (lower?.mtu ?? ETH_DATA_LEN + VXLAN_HEADROOM) - VXLAN_HEADROOM;
  const { mtu, ...base } = common(netns, spec, lower ? largest : ETH_DATA_LEN, origin);
  // vxlan_vni_in_use: one tunnel of a VNI on a UDP port.
  const dstport = spec.dstport ?? VXLAN_PORT;
  const twin = netns.devices.some(
    (dev) => dev.kind === 'vxlan' && dev.vni === spec.vni && dev.dstport === dstport,
  );
  if (twin)
    throw new NetlinkError('EEXIST', 'A VXLAN device with the specified VNI already exists');
  return {
    ...base,
    kind: 'vxlan',
    mtu: lower ? Math.min(mtu, largest) : mtu,
    vni: spec.vni,
    ...(spec.local !== undefined && { local: spec.local }),
    ...(spec.lower !== undefined && { lower: spec.lower }),
    dstport,
    learning: spec.learning ?? true,
    ttl: spec.ttl ?? 0,
    fdb: [],
  };
};

/**
 * `ip link add` (rtnl_newlink). The device is down, without address, and has the next ifindex of
 * its namespace. MTU: 1500, or what the lower device leaves to a vxlan (50 bytes less).
 * @throws {NetlinkError} EEXIST; ENODEV when the lower device of a vxlan is missing
 */
export const linkAdd = (netns: Netns, spec: LinkSpec, origin?: Origin): Netdev => {
  switch (spec.kind) {
    case 'bridge':
      return register(netns, {
        ...common(netns, spec, ETH_DATA_LEN, origin),
        kind: 'bridge',
        ...(spec.macSet && { macSet: true }),
        fdb: [],
        ageingSeconds: spec.ageingSeconds ?? 300,
        vlanFiltering: spec.vlanFiltering ?? false,
      });
    case 'vxlan':
      return register(netns, newVxlan(netns, spec, origin));
    case 'dummy':
      return register(netns, {
        ...common(netns, spec, ETH_DATA_LEN, origin),
        kind: 'dummy',
      });
    case 'physical':
      return register(netns, {
        ...common(netns, spec, ETH_DATA_LEN, origin),
        kind: 'physical',
        ...(spec.segment !== undefined && { segment: spec.segment }),
      });
    default: {
      const never: never = spec;
      return never;
    }
  }
};

/** MACs and MTUs of the two ends of a veth pair. */
export interface VethSpec {
  readonly mac: Mac;
  readonly peerMac: Mac;
  /** Default: 1500. */
  readonly mtu?: number;
  /** Default: the same as `mtu`. */
  readonly peerMtu?: number;
}

/**
 * `ip link add A netns NA type veth peer name B netns NB` (veth_newlink, drivers/net/veth.c). The
 * peer is registered first, so in one namespace it has the smaller ifindex.
 * @throws {NetlinkError} EEXIST
 */
export const linkAddVeth = (
  netns: Netns,
  ifname: string,
  peerNetns: Netns,
  peerIfname: string,
  spec: VethSpec,
  origin?: Origin,
): void => {
  if (findDev(netns, ifname)) throw new NetlinkError('EEXIST');
  const mtu = spec.mtu ?? ETH_DATA_LEN;
  register(peerNetns, {
    ...common(peerNetns, { ifname: peerIfname, mac: spec.peerMac }, spec.peerMtu ?? mtu, origin),
    kind: 'veth',
    peer: { netns: netns.id, ifname },
  });
  register(netns, {
    ...common(netns, { ifname, mac: spec.mac }, mtu, origin),
    kind: 'veth',
    peer: { netns: peerNetns.id, ifname: peerIfname },
  });
};

/** br_stp_recalculate_bridge_id and br_mtu_auto_adjust (net/bridge/br_stp_if.c, br_if.c). */
const followPorts = (netns: Netns, ifname: string): void => {
  const bridge = findDev(netns, ifname);
  if (bridge?.kind !== 'bridge') return;
  const ports = portsOf(netns, ifname);
  const lowest = ports.map(({ mac }) => mac).sort()[0] ?? ZERO_MAC;
  const smallest = ports.length === 0 ? ETH_DATA_LEN : Math.min(...ports.map(({ mtu }) => mtu));
  const mac = bridge.macSet ? bridge.mac : lowest;
  if (mac !== bridge.mac) neighFlushDev(netns, ifname);
  putDev(netns, { ...bridge, mac, mtu: bridge.mtuSet ? bridge.mtu : smallest });
};

/** br_del_if (net/bridge/br_if.c): the port's rows in the bridge go with it. */
const leave = (netns: Netns, ifname: string): void => {
  const dev = needDev(netns, ifname);
  if (dev.master === undefined) return;
  const { master, port: _, ...rest } = dev;
  putDev(netns, rest);
  const bridge = findDev(netns, master);
  if (bridge?.kind !== 'bridge') return;
  putDev(netns, { ...bridge, fdb: bridge.fdb.filter((row) => row.dev !== ifname) });
  followPorts(netns, master);
};

/** __netdev_has_upper_dev (net/core/dev.c): whether frames of a device go through another in the end. */
const hasUpper = (netns: Netns, ifname: string, upper: string): boolean =>
  netns.devices.some(
    (dev) =>
      (findDev(netns, ifname)?.master === dev.ifname ||
        (dev.kind === 'vxlan' && dev.lower === ifname)) &&
      (dev.ifname === upper || hasUpper(netns, dev.ifname, upper)),
  );

/**
 * do_set_master (net/core/rtnetlink.c) and br_add_if (net/bridge/br_if.c). A device leaves the
 * bridge that it is in even when the next one does not take it.
 */
const enslave = (netns: Netns, ifname: string, master: string): void => {
  const { master: old, kind } = needDev(netns, ifname);
  const { kind: masterKind } = needDev(netns, master);
  if (old === master) return;
  leave(netns, ifname);
  if (masterKind !== 'bridge') throw new NetlinkError('EOPNOTSUPP');
  if (kind === 'loopback') throw new NetlinkError('EINVAL');
  if (kind === 'bridge') throw new NetlinkError('ELOOP', 'Can not enslave a bridge to a bridge');
  if (hasUpper(netns, master, ifname)) throw new NetlinkError('EBUSY');
  putDev(netns, { ...needDev(netns, ifname), master, port: DEFAULT_PORT });
  const bridge = needDev(netns, master);
  if (bridge.kind === 'bridge') putDev(netns, { ...bridge, hadPorts: true });
  followPorts(netns, master);
};

/** dev_open: the rows of its addresses come; the loopback device gets 127.0.0.1 (inetdev_event). */
const open = (netns: Netns, ifname: string): void => {
  const dev = needDev(netns, ifname);
  if (dev.up) return;
  const opened = putDev(netns, { ...dev, up: true });
  if (dev.kind === 'loopback' && dev.addresses.length === 0) {
    addrAdd(
      netns,
      ifname,
      { ip: '127.0.0.1', prefix: 8, scope: 'host' },
      {
        by: 'kernel',
        why: 'loopback',
      },
    );
    return;
  }
  for (const address of opened.addresses) fibAddIfaddr(netns, opened, address);
  fibSyncUp(netns, ifname);
};

/** dev_close: routes through it go but for its own local addresses; so do all its neighbours. */
const close = (netns: Netns, ifname: string): void => {
  const dev = needDev(netns, ifname);
  if (!dev.up) return;
  putDev(netns, { ...dev, up: false });
  fibDisableIp(netns, ifname, false);
  neighFlushDev(netns, ifname);
};

const setMac = (netns: Netns, ifname: string, mac: Mac): void => {
  const dev = needDev(netns, ifname);
  putDev(netns, dev.kind === 'bridge' ? { ...dev, mac, macSet: true } : { ...dev, mac });
  // NETDEV_CHANGEADDR: also when it is the same address again.
  neighFlushDev(netns, ifname);
  if (dev.master !== undefined) followPorts(netns, dev.master);
};

const setMtu = (netns: Netns, ifname: string, mtu: number): void => {
  const dev = needDev(netns, ifname);
  // netif_set_mtu_ext: the same again is no change, and does not count as set by hand.
  if (mtu === dev.mtu) return;
  if (dev.kind === 'vxlan' && dev.lower !== undefined) {
    const lower = findDev(netns, dev.lower);
    if (lower && mtu > lower.mtu - VXLAN_HEADROOM) throw new NetlinkError('EINVAL');
  }
  if (dev.kind === 'bridge') putDev(netns, { ...dev, mtu, mtuSet: true });
  else putDev(netns, { ...dev, mtu });
  if (dev.master !== undefined) followPorts(netns, dev.master);
};

/** What one `ip link set dev D …` changes. */
export interface LinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: Mac;
  /** null: `nomaster`. */
  readonly master?: string | null;
  readonly promisc?: boolean;
}

/**
 * `ip link set` (do_setlink). Up adds the rows of the device's addresses; down drops the routes
 * through it and all its neighbours, permanent ones too; writing a MAC drops its neighbours. A bridge
 * takes the lowest MAC and the smallest MTU of its ports until its own are set.
 * @throws {NetlinkError} ENODEV, EINVAL for an MTU that a vxlan's lower device cannot carry, ELOOP
 */
export const linkSet = (
  netns: Netns,
  ifname: string,
  change: LinkChange,
  origin?: Origin,
): Netdev => {
  needDev(netns, ifname);
  if (change.mac !== undefined) setMac(netns, ifname, change.mac);
  if (change.mtu !== undefined) setMtu(netns, ifname, change.mtu);
  if (change.promisc !== undefined)
    putDev(netns, { ...needDev(netns, ifname), promisc: change.promisc });
  if (change.master === null) leave(netns, ifname);
  else if (change.master !== undefined) enslave(netns, ifname, change.master);
  if (change.up === true) open(netns, ifname);
  if (change.up === false) close(netns, ifname);
  const dev = needDev(netns, ifname);
  return origin ? putDev(netns, { ...dev, origin }) : dev;
};

/** unregister_netdevice in one namespace: addresses, routes, neighbours, ports, tunnels on top. */
const unregister = (netns: Netns, ifname: string): void => {
  close(netns, ifname);
  leave(netns, ifname);
  for (const port of portsOf(netns, ifname)) leave(netns, port.ifname);
  for (const { ip, prefix, secondary } of needDev(netns, ifname).addresses)
    if (!secondary) addrDel(netns, ifname, ip, prefix);
  fibDisableIp(netns, ifname, true);
  fibForgetDev(netns, ifname);
  neighFlushDev(netns, ifname);
  dropDev(netns, ifname);
  forgetSysctls(netns, ifname);
  for (const dev of [...netns.devices])
    if (dev.kind === 'vxlan' && dev.lower === ifname) unregister(netns, dev.ifname);
};

/**
 * `ip link del` (rtnl_dellink). Takes a veth's other end along, and the tunnels on top of a device.
 * @param find finds the namespace of a veth's other end; not needed when it is in the same one
 * @throws {NetlinkError} ENODEV; EOPNOTSUPP for the loopback and physical devices
 */
export const linkDel = (
  netns: Netns,
  ifname: string,
  find?: (id: NetnsId) => Netns | undefined,
): void => {
  const dev = needDev(netns, ifname);
  if (dev.kind === 'loopback' || dev.kind === 'physical') throw new NetlinkError('EOPNOTSUPP');
  const peer = dev.kind === 'veth' ? dev.peer : undefined;
  unregister(netns, ifname);
  if (!peer) return;
  const other = peer.netns === netns.id ? netns : find?.(peer.netns);
  if (!other) throw new RangeError(`the other end of ${ifname} is in ${peer.netns}`);
  if (findDev(other, peer.ifname)) unregister(other, peer.ifname);
};
