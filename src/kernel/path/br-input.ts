/** A frame came in by a port of a bridge (net/bridge/br_input.c). */
import type { Ethernet } from '../../wire/packet.ts';
import type { BridgeEvent } from '../event.ts';
import type { FdbEntry } from '../fdb.ts';
import { bridgeFdbFind } from '../fdb-table.ts';
import type { Bridge } from '../netdev.ts';
import { findDev, portState } from '../netdev.ts';
import type { Skb } from '../skb.ts';
import { skbClone } from '../skb.ts';
import type { Netdev, Netns } from '../world.ts';
import { brFdbUpdate } from './br-fdb.ts';
import { brFlood, brForward, shouldDeliver } from './br-forward.ts';
import { brNfPreRouting, callsIptables } from './br-netfilter.ts';
import { isGroupMac } from './pkt-type.ts';
import type { Story, Walk } from './walk.ts';
import { copiesDetail, drop, emit, recordedBy, tapsOfEvents, walkCopies } from './walk.ts';

/**
 * br_handle_frame: what a port's state lets through. br_netfilter, where it is on, walks PREROUTING
 * with every IPv4 frame before the bridge looks at its address.
 */
export const brHandleFrame = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  port: Netdev,
  frame: Ethernet,
  skb?: Skb,
): void => {
  const state = portState(walk.world, netns, port);
  if (state !== 'forwarding' && state !== 'learning') {
    drop(walk, netns, 'BRIDGE_INGRESS_STP_STATE', {
      device: port.ifname,
      ...(port.origin && { origin: port.origin }),
    });
    return;
  }
  if (bridge.vlanFiltering) {
    drop(walk, netns, 'not-modelled', { device: bridge.ifname, unmodelled: 'vlan-filtering' });
    return;
  }
  if (skb && frame.dst === bridge.mac) skb.pktType = 'host';
  const next = skb ? brNfPreRouting(walk, netns, bridge, port, frame, skb) : frame;
  if (next) brHandleFrameFinish(walk, netns, bridge, port, next, skb);
};

/**
 * br_handle_frame_finish: learns where the sender is, then sends the frame to the port of its
 * receiver, to all ports if that is unknown or everybody, or up the bridge's own stack.
 */
const brHandleFrameFinish = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  port: Netdev,
  frame: Ethernet,
  skb?: Skb,
): void => {
  const learned =
    port.port?.learning === false ? undefined : brFdbUpdate(walk, netns, bridge, port, frame.src);
  if (portState(walk.world, netns, port) === 'learning') {
    drop(walk, netns, 'BRIDGE_INGRESS_STP_STATE', { device: port.ifname });
    return;
  }
  const filtered = skb !== undefined && callsIptables(walk, netns);
  const tell = (
    action: BridgeEvent['action'],
    more: Partial<BridgeEvent['detail']>,
    row?: FdbEntry,
  ): void => {
    const detail: BridgeEvent['detail'] = {
      mac: frame.dst,
      inPort: port.ifname,
      ...(learned && { learned: { mac: learned.mac, port: learned.dev } }),
      ...(filtered && { callsIptables: true }),
      ...more,
      ...(row && { row }),
    };
    const event = {
      kind: 'bridge',
      netns: netns.id,
      device: bridge.ifname,
      action,
      detail,
    } as const;
    emit(walk, event, row?.origin);
  };
  const bridged = { bridge, frame, skb, inPort: port };
  const promisc = bridge.promisc === true;
  const up = (): void => {
    const copy = skb && skbClone(skb);
    // br_nf_local_in: what is taken by a promiscuous bridge belongs to no connection.
    if (copy && promisc && !row?.local) {
      copy.ct = undefined;
      copy.untracked = false;
    }
    brPassFrameUp(walk, netns, bridge, frame, copy);
  };
  const row = isGroupMac(frame.dst)
    ? undefined
    : bridgeFdbFind(netns, bridge, walk.overlay.read(netns.id), frame.dst);
  if (row?.local) {
    tell('local', {}, row);
    up();
    return;
  }
  // A promiscuous bridge takes every frame up as well. Its stack throws it away, but for one that
  // was sent to the bridge and got another address on the way.
  const also = isGroupMac(frame.dst) || promisc ? [up] : [];
  const out = row && findDev(netns, row.dev);
  if (row && out) {
    if (promisc && !shouldDeliver(walk, netns, out, port)) {
      tell('local', {}, row);
      up();
      return;
    }
    const copy = promisc ? copyUp(walk, up) : undefined;
    tell('forward', { outPort: row.dev, ...copy?.detail }, row);
    if (copy?.goesOn)
      drop(walk, netns, 'not-modelled', { device: bridge.ifname, unmodelled: 'received-twice' });
    else brForward(walk, netns, out, bridged);
    return;
  }
  const flooded = brFlood(walk, netns, bridged, !isGroupMac(frame.dst), also);
  tell('flood', copiesDetail(flooded));
  flooded.tell();
  if (flooded.main === undefined)
    drop(walk, netns, flooded.copies.length > 0 ? 'OTHERHOST' : 'NO_TX_TARGET', {
      device: bridge.ifname,
    });
};

/**
 * The copy that goes up while the frame itself is forwarded. Where neither its address nor a rule ends
 * it, the stack routes it, and the receiver gets both; what it then answers twice is not walked.
 */
const copyUp = (
  walk: Walk,
  up: () => void,
): {
  readonly detail: Pick<BridgeEvent['detail'], 'copies' | 'broadcasts'>;
  readonly goesOn: boolean;
} => {
  if (walk.recorder.kind !== 'story')
    return { detail: copiesDetail(walkCopies(walk, [up])), goesOn: false };
  const story: Story = { kind: 'story', events: [] };
  const { pending, sockets } = walk;
  const [answers, listeners] = [pending.length, sockets.length];
  recordedBy(walk, story, up);
  const goesOn = story.fate?.kind !== 'dropped';
  if (goesOn) {
    pending.splice(answers);
    sockets.splice(listeners);
  }
  return { detail: { copies: tapsOfEvents(story.events, true) }, goesOn };
};

/** br_pass_frame_up: the bridge's own stack receives the frame, as if the bridge were a device. */
const brPassFrameUp = (
  walk: Walk,
  netns: Netns,
  bridge: Bridge,
  frame: Ethernet,
  skb?: Skb,
): void => {
  // Taken by the MAC of a port, it counts as the bridge's own.
  const local = bridgeFdbFind(netns, bridge, undefined, frame.dst)?.local === true;
  walk.stages.netifReceiveSkb(walk, netns, bridge, {
    frame,
    skb,
    from: 'bridge',
    pktType: local || skb?.pktType === 'host' ? 'host' : undefined,
  });
};
