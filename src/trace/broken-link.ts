/** What is wrong between a device and whatever it is plugged into. */
import { findDev } from '../kernel/netdev.ts';
import { netnsOf } from '../kernel/netns.ts';
import type { Netdev, Netns } from '../kernel/world.ts';
import { linkDown } from './link-down.ts';
import { type Finding, intendedOf, placeOf, type View } from './view.ts';

type Veth = Extract<Netdev, { kind: 'veth' }>;

/** @returns undefined when nothing is wrong, as far as devices go. */
export const brokenLink = (view: View, netns: Netns, device: Netdev): Finding | undefined => {
  if (!device.up) return linkDown(netns, device);
  return device.kind === 'veth' ? brokenPair(view, netns, device) : undefined;
};

const brokenPair = (view: View, netns: Netns, device: Veth): Finding | undefined => {
  const far = device.peer && netnsOf(view.world, device.peer.netns);
  const peer = far && device.peer && findDev(far, device.peer.ifname);
  if (!peer || isElsewhere(view, netns, device)) {
    return { code: 'VETH_PEER_BROKEN', about: { ...placeOf(netns), device: device.ifname } };
  }
  return peer.up ? brokenPort(view, far, peer) : linkDown(far, peer);
};

/** The pair was made anew, and its other end is not where it should be. */
const isElsewhere = (view: View, netns: Netns, { ifname, peer }: Veth): boolean => {
  const there = intendedOf(view, netns.id);
  const meant = there && findDev(there, ifname);
  return meant?.kind === 'veth' && meant.peer?.netns !== peer?.netns;
};

/** The far end of a Pod's pair, which is meant to be a port of a bridge unless it routes itself. */
export const brokenPort = (view: View, netns: Netns, port: Netdev): Finding | undefined => {
  if (port.master === undefined) {
    return port.addresses.length > 0 ? undefined : detached(view, netns, port);
  }
  const bridge = findDev(netns, port.master);
  if (bridge?.up === false) return linkDown(netns, bridge);
  if (port.port === undefined || port.port.state === 'forwarding') return undefined;
  return {
    code: 'BRIDGE_PORT_STATE',
    about: { ...placeOf(netns), device: port.ifname, bridge: port.master },
  };
};

const detached = (view: View, netns: Netns, port: Netdev): Finding => {
  const there = intendedOf(view, netns.id);
  const bridge = there && findDev(there, port.ifname)?.master;
  if (bridge !== undefined && !findDev(netns, bridge)) {
    return { code: 'LINK_MISSING', about: { ...placeOf(netns), device: bridge } };
  }
  return {
    code: 'BRIDGE_DETACHED',
    about: { ...placeOf(netns), device: port.ifname, ...(bridge !== undefined && { bridge }) },
  };
};
