/** The cause where a packet was dropped, and nothing before it says why. */
import type { DropReason } from '../kernel/drop-reason.ts';
import type { RouteEvent } from '../kernel/event.ts';
import { findDev, portsOf, type Vxlan } from '../kernel/netdev.ts';
import { sysctlGet } from '../kernel/sysctl.ts';
import type { Netdev, Netns } from '../kernel/world.ts';
import { reversePathCode } from './asymmetry.ts';
import { brokenLink, brokenPort } from './broken-link.ts';
import { strayOf, strayRoute } from './stray.ts';
import type { CauseCode, TraceFacts } from './trace.ts';
import { type Finding, type Found, hereAt, intendedOf, placeOf, type View } from './view.ts';

export function dropFinding(
  view: View,
  facts: TraceFacts,
  found: Found,
  reason: DropReason,
): Finding {
  const { hop, step } = found;
  const netns = hereAt(view, hop);
  const device = step.device === undefined ? undefined : findDev(netns, step.device);
  const named = (code: CauseCode): Finding => ({
    code,
    about: { ...placeOf(netns), ...(step.device !== undefined && { device: step.device }) },
  });
  switch (reason) {
    case 'IP_RPFILTER':
      return withWayBack(named(reversePathCode(facts, found)), view, netns, found);
    case 'IP_INVALID_SOURCE':
    case 'IP_INVALID_DEST':
    case 'IP_LOCALNET':
    case 'IP_LOCAL_SOURCE':
      return { code: 'MARTIAN_OR_NONROUTABLE' };
    case 'IP_OUTNOROUTES':
    case 'IP_INNOROUTES':
      return { code: 'NO_ROUTE' };
    case 'NEIGH_FAILED':
    case 'NEIGH_QUEUEFULL':
    case 'NEIGH_DEAD':
      return { code: 'NEIGH_FAILED' };
    case 'NETFILTER_DROP':
      return { code: 'FIREWALL_DROP' };
    case 'PKT_TOO_BIG':
      return { code: 'MTU_EXCEEDED_DF' };
    case 'DEV_READY':
    case 'QDISC_DROP':
      return (device && brokenLink(view, netns, device)) ?? named('LINK_DOWN');
    case 'BRIDGE_INGRESS_STP_STATE':
      return (device && brokenPort(view, netns, device)) ?? named('BRIDGE_PORT_STATE');
    case 'NO_TX_TARGET':
      return device?.kind === 'vxlan'
        ? fdbMissing(view, found, netns, device)
        : portFinding(netns, device);
    case 'VXLAN_NO_REMOTE':
    case 'TUNNEL_TXINFO':
      return device?.kind === 'vxlan'
        ? fdbMissing(view, found, netns, device)
        : named('VTEP_FDB_MISSING');
    case 'VXLAN_INVALID_HDR':
    case 'VXLAN_VNI_NOT_FOUND': {
      const tunnel = netns.devices.find(({ kind }) => kind === 'vxlan');
      return tunnel
        ? { code: 'ENCAP_ENDPOINT_MISMATCH', about: { ...placeOf(netns), device: tunnel.ifname } }
        : named('ENCAP_ENDPOINT_MISMATCH');
    }
    case 'OTHERHOST':
      return { code: device?.kind === 'vxlan' ? 'VTEP_FDB_WRONG' : 'NEIGH_FAILED' };
    case 'NO_SOCKET':
      return { code: 'NO_LISTENER' };
    case 'wire-cut':
      return { code: 'UNDERLAY_BLOCKED' };
    case 'no-attachment':
    case 'looped':
      return { code: 'ROUTE_WRONG_NEXTHOP' };
    case 'ttl-exceeded':
    case 'TCP_MINTTL':
      return { code: 'TTL_EXCEEDED' };
    case 'forwarding-off':
      return named(
        sysctlGet(netns, 'net.ipv4.ip_forward') === '0' ? 'IP_FORWARD_OFF' : 'IF_FORWARD_OFF',
      );
    case 'echo-ignored':
      return named('ECHO_IGNORED');
    case 'fact-missing':
      return { code: 'FACT_MISSING' };
    default:
      return { code: 'MODEL_UNSUPPORTED' };
  }
}

/** A port that keeps a bridge from sending a frame out; the bridge itself where none does. */
function portFinding(netns: Netns, bridge: Netdev | undefined): Finding {
  const ports = bridge ? portsOf(netns, bridge.ifname) : [];
  const port = ports.find((one) => one.port !== undefined && one.port.state !== 'forwarding');
  return {
    code: 'BRIDGE_PORT_STATE',
    about: {
      ...placeOf(netns),
      ...(port && { device: port.ifname }),
      ...(bridge && { bridge: bridge.ifname }),
    },
  };
}

/** The row that would say behind which node the frame's destination is. */
function fdbMissing(view: View, { hop }: Found, netns: Netns, { ifname }: Vxlan): Finding {
  const frame = hop.steps.findLast(({ kind, device }) => kind === 'transmit' && device === ifname);
  const ethernet = frame?.packet?.find((layer) => layer.type === 'ethernet');
  const there = intendedOf(view, netns.id);
  const tunnel = there && findDev(there, ifname);
  const rows = tunnel?.kind === 'vxlan' ? tunnel.fdb : [];
  const row = rows.find(({ mac }) => mac === ethernet?.dst);
  return {
    code: 'VTEP_FDB_MISSING',
    about: {
      ...placeOf(netns),
      device: ifname,
      ...(ethernet && { mac: ethernet.dst }),
      ...(row && { missing: { fdb: row } }),
    },
  };
}

/**
 * What the reverse path filter should have found, where a fault is why it did not; else where an
 * answer left the way of its request.
 */
function withWayBack(finding: Finding, view: View, here: Netns, found: Found): Finding {
  const { leg, hop, step } = found;
  const { intended } = view;
  const there = intendedOf(view, here.id);
  const back = hop.steps
    .filter(({ kind }) => kind === 'route')
    .map(({ detail }) => detail as RouteEvent['detail'])
    .findLast(({ purpose }) => purpose === 'reverse-path');
  if (!intended || !there || !back || !finding.about) return finding;
  const stray = strayRoute(intended, { here, there }, back, leg.direction);
  const { wrong, missing } = stray?.about ?? {};
  if (stray === undefined && finding.code === 'REPLY_ASYMMETRIC') {
    const { about, origin } = strayOf(view, leg, step.n) ?? {};
    return about ? { ...finding, about, ...(origin && { origin }) } : finding;
  }
  return {
    ...finding,
    about: { ...finding.about, ...(wrong && { wrong }), ...(missing && { missing }) },
  };
}
