/**
 * Which step ended a trace, and which cause that is.
 *
 * Causes are mapped from the step's kind, its drop reason and the state of the device or row it
 * names, never from comments or names.
 */
import type { DropReason } from '../kernel/drop-reason.ts';
import type { DeliverEvent, NeighbourEvent, RouteEvent, RuleEvent } from '../kernel/event.ts';
import { findDev } from '../kernel/netdev.ts';
import { netnsOf } from '../kernel/netns.ts';
import { sysctlGet } from '../kernel/sysctl.ts';
import type { Netdev, Netns, World } from '../kernel/world.ts';
import type { CauseCode, CauseFact, Hop, Leg, Step, TraceFacts } from './trace.ts';

/** A step with the place it happened at. */
interface Found {
  readonly leg: Leg;
  readonly hop: Hop;
  readonly step: Step;
}

/**
 * Attributes a trace that did not end well to one step and one cause.
 *
 * @param world the state the trace walked over; read, never walked again.
 * @returns undefined for a delivered trace, and where nothing in it explains the end.
 */
export function attributeCause(world: World, facts: TraceFacts): CauseFact | undefined {
  if (facts.disposition === 'delivered') return undefined;
  const found = endingStep(facts);
  if (found === undefined) return undefined;
  const code = codeOf(world, facts, found);
  const { step } = found;
  return { code, step: step.n, ...(step.origin && { origin: step.origin }) };
}

/** The last step of the first leg that failed that can end a packet; the most telling one. */
function endingStep(facts: TraceFacts): Found | undefined {
  const leg = facts.legs.find((candidate) => candidate.disposition !== 'delivered');
  if (leg === undefined) return undefined;
  let drop: Found | undefined;
  for (const hop of [...leg.hops].reverse()) {
    for (const step of [...hop.steps].reverse()) {
      if (step.kind === 'drop') {
        // A drop only says that it ended; a lookup just before it says why.
        if (drop !== undefined) return drop;
        drop = { leg, hop, step };
        if (!('reason' in step.detail && explainedBefore.has(step.detail.reason))) return drop;
      } else if (endsPacket(step)) {
        return { leg, hop, step };
      }
    }
    if (drop !== undefined) return drop;
  }
  return drop;
}

/** Drop reasons that repeat what the step before them found. */
const explainedBefore: ReadonlySet<DropReason> = new Set<DropReason>([
  'NETFILTER_DROP',
  'NEIGH_FAILED',
  'IP_OUTNOROUTES',
  'IP_INNOROUTES',
  'PKT_TOO_BIG',
  'NO_SOCKET',
  'wire-cut',
  'no-attachment',
  'not-modelled',
  'fact-missing',
  'NOT_SPECIFIED',
]);

function endsPacket(step: Step): boolean {
  switch (step.kind) {
    case 'rule':
      return ['drop', 'reject', 'policy-drop', 'unmodelled'].includes(step.action);
    case 'deliver':
      return step.action === 'no-listener' || step.action === 'unknown-listener';
    case 'neighbour':
      return step.action === 'failed';
    case 'route':
      return !['unicast', 'local', 'broadcast'].includes(
        (step.detail as RouteEvent['detail']).result,
      );
    case 'size':
      return step.action === 'too-big';
    case 'wire':
      return step.action === 'cut' || step.action === 'nobody';
    case 'hook':
      return step.action === 'drop';
    default:
      return false;
  }
}

function codeOf(world: World, facts: TraceFacts, found: Found): CauseCode {
  const { step } = found;
  switch (step.kind) {
    case 'rule':
      return ruleCode(step.action as RuleEvent['action']);
    case 'hook':
      return 'FIREWALL_DROP';
    case 'deliver':
      return deliverCode(world, found, step.detail as DeliverEvent['detail']);
    case 'neighbour':
      return neighbourCode(world, facts, found, step.detail as NeighbourEvent['detail']);
    case 'route':
      return routeCode(world, facts, found, step.detail as RouteEvent['detail']);
    case 'size':
      return facts.symptom === 'hangs on large data' ? 'PMTU_BLACKHOLE' : 'MTU_EXCEEDED_DF';
    case 'wire':
      if (step.action === 'cut') return 'UNDERLAY_BLOCKED';
      // Somebody has the MAC, and is not there to listen.
      return 'to' in step.detail && step.detail.to !== undefined
        ? 'LINK_DOWN'
        : 'ROUTE_WRONG_NEXTHOP';
    case 'drop':
      return dropCode(world, found, (step.detail as { reason: DropReason }).reason);
    default:
      return 'MODEL_UNSUPPORTED';
  }
}

function ruleCode(action: RuleEvent['action']): CauseCode {
  if (action === 'reject') return 'FIREWALL_REJECT';
  if (action === 'policy-drop') return 'CHAIN_POLICY_DROP';
  return action === 'unmodelled' ? 'MODEL_UNSUPPORTED' : 'FIREWALL_DROP';
}

function deliverCode(
  world: World,
  { hop, step }: Found,
  detail: DeliverEvent['detail'],
): CauseCode {
  if (step.action === 'unknown-listener') return 'FACT_MISSING';
  const tunnel = step.packet?.find((layer) => layer.type === 'vxlan');
  if (tunnel !== undefined)
    return tunnelCode(netnsOf(world, `${hop.node}/${hop.netns}`), tunnel.vni);
  const other = detail.otherListener;
  const elsewhere = other !== undefined && other.ip !== detail.ip && other.ip !== '0.0.0.0';
  return elsewhere ? 'LISTENER_WRONG_ADDR' : 'NO_LISTENER';
}

/** Why no tunnel device took an outer packet: there is none, it is down, or it differs. */
function tunnelCode(netns: Netns, vni: number): CauseCode {
  const tunnels = netns.devices.filter((device) => device.kind === 'vxlan');
  if (tunnels.length === 0) return 'TUNNEL_MISSING';
  const same = tunnels.find((device) => device.vni === vni);
  return same !== undefined && !same.up ? 'LINK_DOWN' : 'ENCAP_ENDPOINT_MISMATCH';
}

function routeCode(
  world: World,
  facts: TraceFacts,
  { leg, hop }: Found,
  detail: RouteEvent['detail'],
): CauseCode {
  if (detail.purpose === 'reverse-path') return 'RP_FILTER_DROP';
  switch (detail.result) {
    case 'unreachable':
      return 'ROUTE_UNREACHABLE';
    case 'prohibit':
      return 'ROUTE_PROHIBIT';
    case 'blackhole':
      if (detail.row?.origin?.why !== 'unrouted-range') return 'ROUTE_BLACKHOLE';
      return leg.direction === 'reply' && isOutside(facts) ? 'NO_SNAT_FOR_EGRESS' : 'NO_ROUTE';
    default: {
      const netns = netnsOf(world, `${hop.node}/${hop.netns}`);
      const own = netns.devices.find((dev) => dev.kind === 'veth' && dev.addresses.length > 0);
      if (own !== undefined && !own.up) return 'LINK_DOWN';
      return leg.direction === 'reply' ? 'REPLY_NO_ROUTE' : 'NO_ROUTE';
    }
  }
}

function isOutside(facts: TraceFacts): boolean {
  return facts.probe.to.kind === 'external' || facts.probe.to.kind === 'ip';
}

/** Why nobody answered: looks at the asker's own port, then at the owner's. */
function neighbourCode(
  world: World,
  facts: TraceFacts,
  { hop, step }: Found,
  detail: NeighbourEvent['detail'],
): CauseCode {
  const netns = netnsOf(world, `${hop.node}/${hop.netns}`);
  const asking = step.device === undefined ? undefined : findDev(netns, step.device);
  if (asking?.kind === 'vxlan') return 'VTEP_NEIGH_MISSING';
  const own = asking === undefined ? undefined : brokenLink(world, asking);
  if (own !== undefined) return own;
  const owners = world.book.owners(detail.ip);
  if (owners.length === 0) {
    return detail.ip === facts.probe.to.ip ? 'UNKNOWN_DST_IP' : 'ROUTE_WRONG_NEXTHOP';
  }
  for (const owner of owners) {
    const holder = netnsOf(world, owner.netns);
    const device = deviceWith(holder, detail.ip);
    if (device === undefined) return 'LINK_MISSING';
    if (!device.up) return 'LINK_DOWN';
    const broken = brokenLink(world, device);
    if (broken !== undefined) return broken;
  }
  return 'NEIGH_FAILED';
}

function deviceWith(netns: Netns, ip: string): Netdev | undefined {
  return netns.devices.find((dev) => dev.addresses.some((address) => address.ip === ip));
}

/** What is wrong between a device and whatever it is plugged into; undefined when nothing is. */
function brokenLink(world: World, device: Netdev): CauseCode | undefined {
  if (!device.up) return 'LINK_DOWN';
  if (device.kind !== 'veth') return undefined;
  if (device.peer === undefined) return 'VETH_PEER_BROKEN';
  const netns = netnsOf(world, device.peer.netns);
  const peer = findDev(netns, device.peer.ifname);
  if (peer === undefined) return 'VETH_PEER_BROKEN';
  if (!peer.up) return 'LINK_DOWN';
  if (peer.master === undefined) return peer.addresses.length > 0 ? undefined : 'BRIDGE_DETACHED';
  if (peer.port !== undefined && peer.port.state !== 'forwarding') return 'BRIDGE_PORT_STATE';
  const bridge = findDev(netns, peer.master);
  return bridge?.up === false ? 'LINK_DOWN' : undefined;
}

function kindAt(world: World, hop: Hop, { device }: Step): Netdev['kind'] | undefined {
  const netns = netnsOf(world, `${hop.node}/${hop.netns}`);
  return device === undefined ? undefined : findDev(netns, device)?.kind;
}

function dropCode(world: World, { hop, step }: Found, reason: DropReason): CauseCode {
  switch (reason) {
    case 'IP_RPFILTER':
      return 'RP_FILTER_DROP';
    case 'IP_INVALID_SOURCE':
    case 'IP_INVALID_DEST':
    case 'IP_LOCALNET':
    case 'IP_LOCAL_SOURCE':
      return 'MARTIAN_OR_NONROUTABLE';
    case 'IP_OUTNOROUTES':
    case 'IP_INNOROUTES':
      return 'NO_ROUTE';
    case 'NEIGH_FAILED':
    case 'NEIGH_QUEUEFULL':
    case 'NEIGH_DEAD':
      return 'NEIGH_FAILED';
    case 'NETFILTER_DROP':
      return 'FIREWALL_DROP';
    case 'PKT_TOO_BIG':
      return 'MTU_EXCEEDED_DF';
    case 'DEV_READY':
    case 'QDISC_DROP':
      return 'LINK_DOWN';
    case 'BRIDGE_INGRESS_STP_STATE':
      return 'BRIDGE_PORT_STATE';
    case 'NO_TX_TARGET':
      return kindAt(world, hop, step) === 'vxlan' ? 'VTEP_FDB_MISSING' : 'BRIDGE_PORT_STATE';
    case 'VXLAN_NO_REMOTE':
    case 'TUNNEL_TXINFO':
      return 'VTEP_FDB_MISSING';
    case 'VXLAN_INVALID_HDR':
    case 'VXLAN_VNI_NOT_FOUND':
      return 'ENCAP_ENDPOINT_MISMATCH';
    case 'OTHERHOST':
      return kindAt(world, hop, step) === 'vxlan' ? 'VTEP_FDB_WRONG' : 'NEIGH_FAILED';
    case 'NO_SOCKET':
      return 'NO_LISTENER';
    case 'wire-cut':
      return 'UNDERLAY_BLOCKED';
    case 'no-attachment':
    case 'looped':
      return 'ROUTE_WRONG_NEXTHOP';
    case 'ttl-exceeded':
    case 'TCP_MINTTL':
      return 'TTL_EXCEEDED';
    case 'forwarding-off': {
      const netns = netnsOf(world, `${hop.node}/${hop.netns}`);
      return sysctlGet(netns, 'net.ipv4.ip_forward') === '0' ? 'IP_FORWARD_OFF' : 'IF_FORWARD_OFF';
    }
    case 'fact-missing':
      return 'FACT_MISSING';
    default:
      return 'MODEL_UNSUPPORTED';
  }
}
