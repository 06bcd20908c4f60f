/** The stack of a machine sends by its bridge (net/bridge/br_device.c). */
import type { Ethernet } from '../../wire/packet.ts';
import type { BridgeEvent } from '../event.ts';
import { bridgeFdbFind } from '../fdb-table.ts';
import type { Bridge } from '../netdev.ts';
import { findDev } from '../netdev.ts';
import type { Origin } from '../origin.ts';
import type { Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { brFlood, brForward } from './br-forward.ts';
import { isGroupMac } from './pkt-type.ts';
import type { Walk } from './walk.ts';
import { copiesDetail, drop, emit, tapTransmit } from './walk.ts';

/**
 * br_dev_xmit: to the port of the receiver, to all ports if that is unknown or everybody. No rule
 * is asked again: br_netfilter leaves alone what the stack has routed.
 */
export const brDevXmit = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  frame: Ethernet,
  skb?: Skb,
): void => {
  tapTransmit(walk, netns, bridge, frame, { via: 'bridge-port' });
  const bridged = { bridge, frame, skb };
  const row = isGroupMac(frame.dst)
    ? undefined
    : bridgeFdbFind(netns, bridge, walk.overlay.read(netns.id), frame.dst);
  const tell = (
    action: BridgeEvent['action'],
    detail: BridgeEvent['detail'],
    origin?: Origin,
  ): void =>
    emit(walk, { kind: 'bridge', netns: netns.id, device: bridge.ifname, action, detail }, origin);
  const port = row && row.dev !== bridge.ifname ? findDev(netns, row.dev) : undefined;
  if (row && !port) {
    drop(walk, netns, 'NOT_SPECIFIED', { device: bridge.ifname });
    return;
  }
  if (row && port) {
    tell('forward', { mac: frame.dst, outPort: port.ifname, row }, row.origin);
    brForward(walk, netns, port, bridged);
    return;
  }
  const flooded = brFlood(walk, netns, bridged, !isGroupMac(frame.dst));
  tell('flood', { mac: frame.dst, ...copiesDetail(flooded) });
  flooded.tell();
  if (flooded.main === undefined && walk.recorder.kind === 'story')
    drop(walk, netns, flooded.copies.length > 0 ? 'OTHERHOST' : 'NO_TX_TARGET', {
      device: bridge.ifname,
    });
};
