/** Network devices: how they are found, and what their state means (net/core/dev.c, link_watch.c). */
import type { Ip } from '../wire/packet.ts';
import { netnsOf } from './netns.ts';
import type { IfAddr, Netdev, Netns, World } from './world.ts';

/** What is needed to look at the far end of a veth: any part of a World that finds hosts. */
export type Hosts = Pick<World, 'host'>;

export type Bridge = Extract<Netdev, { kind: 'bridge' }>;
export type Vxlan = Extract<Netdev, { kind: 'vxlan' }>;

interface DeviceIndex {
  readonly byName: ReadonlyMap<string, Netdev>;
  readonly byAddress: ReadonlyMap<Ip, { readonly dev: Netdev; readonly address: IfAddr }>;
  readonly portsOf: ReadonlyMap<string, readonly Netdev[]>;
}

const indexes = new WeakMap<readonly Netdev[], DeviceIndex>();

/** Forgets what was indexed about the devices of a namespace; netlink calls it after every edit. */
export const devicesChanged = (netns: Netns): void => {
  indexes.delete(netns.devices);
};

const indexOf = ({ devices }: Netns): DeviceIndex => {
  const known = indexes.get(devices);
  if (known) return known;
  const byAddress = new Map<Ip, { dev: Netdev; address: IfAddr }>();
  const portsOf = new Map<string, Netdev[]>();
  for (const dev of devices) {
    for (const address of dev.addresses)
      if (!byAddress.has(address.ip)) byAddress.set(address.ip, { dev, address });
    if (dev.master === undefined) continue;
    const ports = portsOf.get(dev.master);
    if (ports) ports.push(dev);
    else portsOf.set(dev.master, [dev]);
  }
  const index = { byName: new Map(devices.map((dev) => [dev.ifname, dev])), byAddress, portsOf };
  indexes.set(devices, index);
  return index;
};

/** The device of a name (__dev_get_by_name, net/core/dev.c). */
export const findDev = (netns: Netns, ifname: string): Netdev | undefined =>
  indexOf(netns).byName.get(ifname);

/** The device that has an address configured, up or down (inet_lookup_ifaddr_rcu, devinet.c). */
export const findDevOfAddress = (
  netns: Netns,
  ip: Ip,
): { readonly dev: Netdev; readonly address: IfAddr } | undefined =>
  indexOf(netns).byAddress.get(ip);

/** The ports of a bridge in the order of their devices; empty for anything else. */
export const portsOf = (netns: Netns, bridge: string): readonly Netdev[] =>
  indexOf(netns).portsOf.get(bridge) ?? [];

/** The other end of a veth pair; undefined when it is gone. */
export const vethPeer = (
  world: Hosts,
  dev: Netdev,
): { readonly netns: Netns; readonly dev: Netdev } | undefined => {
  if (dev.kind !== 'veth' || !dev.peer) return undefined;
  const netns = netnsOf(world, dev.peer.netns);
  const peer = findDev(netns, dev.peer.ifname);
  return peer && { netns, dev: peer };
};

/**
 * netif_carrier_ok: whether the link below a device works. A veth has a carrier while both ends
 * are up (veth_open and veth_close, drivers/net/veth.c); a bridge while one of its ports forwards,
 * and as long as it never had a port and got no MAC, which make it look for one
 * (br_port_state_selection, net/bridge/br_stp.c); a physical device while it is plugged in; a
 * tunnel, a dummy and the loopback device always.
 */
export const hasCarrier = (world: Hosts, netns: Netns, dev: Netdev): boolean => {
  switch (dev.kind) {
    case 'loopback':
    case 'vxlan':
    case 'dummy':
      return true;
    case 'veth':
      return dev.up && vethPeer(world, dev)?.dev.up === true;
    case 'physical':
      return dev.up && dev.segment !== undefined;
    case 'bridge':
      if (dev.hadPorts !== true && dev.macSet !== true) return true;
      return portsOf(netns, dev.ifname).some(
        (port) => portState(world, netns, port) === 'forwarding',
      );
    default: {
      const never: never = dev;
      return never;
    }
  }
};

/** RFC 2863 states as `ip link` prints them. */
export type Operstate = 'UNKNOWN' | 'DOWN' | 'LOWERLAYERDOWN' | 'UP';

/** rfc2863_policy and default_operstate (net/core/link_watch.c). */
export const operstate = (world: Hosts, netns: Netns, dev: Netdev): Operstate => {
  if (!dev.up) return 'DOWN';
  if (!hasCarrier(world, netns, dev)) return dev.kind === 'veth' ? 'LOWERLAYERDOWN' : 'DOWN';
  switch (dev.kind) {
    case 'loopback':
    case 'vxlan':
    case 'dummy':
      return 'UNKNOWN';
    case 'bridge':
      return dev.hadPorts === true ? 'UP' : 'UNKNOWN';
    case 'veth':
    case 'physical':
      return 'UP';
    default: {
      const never: never = dev;
      return never;
    }
  }
};

/** IFF_RUNNING (netif_get_flags, net/core/dev.c): up, and operational as far as anyone knows. */
export const isRunning = (world: Hosts, netns: Netns, dev: Netdev): boolean => {
  const state = operstate(world, netns, dev);
  return state === 'UP' || state === 'UNKNOWN';
};

/**
 * What a bridge port does with frames. A port whose device has no link, or whose bridge is down,
 * is disabled whatever was configured (br_port_carrier_check, net/bridge/br_if.c;
 * br_stp_disable_bridge, br_stp_if.c). Without STP it forwards at once.
 */
export const portState = (
  world: Hosts,
  netns: Netns,
  port: Netdev,
): 'disabled' | 'listening' | 'learning' | 'forwarding' | 'blocking' => {
  const bridge = port.master === undefined ? undefined : findDev(netns, port.master);
  if (!bridge?.up || !port.up || !hasCarrier(world, netns, port)) return 'disabled';
  return port.port?.state ?? 'forwarding';
};
