/**
 * Which step ended a trace, and which cause that is.
 *
 * Causes are mapped from the step's kind, its drop reason and the state of the device or row it
 * names, never from comments or names. Where the scenario breaks something, a packet that ended at
 * somebody who is right not to know it has its cause where it left the way that it would have taken.
 */
import type { DropReason } from '../kernel/drop-reason.ts';
import type {
  DeliverEvent,
  DropEvent,
  NeighbourEvent,
  RouteEvent,
  RuleEvent,
  WireEvent,
} from '../kernel/event.ts';
import type { Vxlan } from '../kernel/netdev.ts';
import type { Netns } from '../kernel/world.ts';
import { invalidFinding, isAgainstInvalid } from './asymmetry.ts';
import { dropFinding } from './cause-of-drop.ts';
import { policyFinding } from './cause-of-policy.ts';
import { routeFinding } from './cause-of-route.ts';
import { serviceFinding } from './cause-of-service.ts';
import {
  cutFinding,
  neighbourFinding,
  nobodyFinding,
  twinCause,
  wrongOwner,
} from './cause-of-silence.ts';
import { linkDown, withTaken } from './link-down.ts';
import { strayOf } from './stray.ts';
import type { CauseCode, CauseFact, CauseSubject, Step, TraceFacts } from './trace.ts';
import { type Finding, type Found, hereAt, intendedOf, placeOf, type View } from './view.ts';

/**
 * Attributes a trace that did not end well to one step and one cause.
 *
 * @param view the state the trace walked over; read, never walked again.
 * @returns undefined for a delivered trace, and where nothing in it explains the end.
 */
export function attributeCause(view: View, facts: TraceFacts): CauseFact | undefined {
  if (facts.disposition === 'delivered') return undefined;
  const found = askedEverybody(facts) ?? endingStep(facts);
  if (found === undefined) {
    const leg = facts.legs.find(({ disposition }) => disposition === 'ambiguous');
    return leg && twinCause(view, leg);
  }
  const ending = findingOf(view, facts, found);
  const known =
    serviceFinding(view, facts, found, ending) ??
    (isElsewhere(found, ending) ? strayOf(view, found.leg, found.step.n) : undefined) ??
    ending;
  const { code, about, step = found.step.n, origin } = withTaken(view, facts, known);
  const by = origin ?? (isThere(found, step, about) ? found.step.origin : undefined);
  return { code, step, ...(by && { origin: by }), ...(about && { about }) };
}

/** What the ending step names is what to mend, not something far from it. */
function isThere({ hop, step }: Found, cause: number, about: CauseSubject | undefined): boolean {
  if (cause !== step.n) return false;
  return about === undefined || (about.node === hop.node && about.netns === hop.netns);
}

/** Ends that are no fault of the place where they happen, when the packet strayed on its way there. */
const ledElsewhere: ReadonlySet<CauseCode> = new Set<CauseCode>([
  'UNKNOWN_DST_IP',
  'NO_ROUTE',
  'REPLY_NO_ROUTE',
  'ROUTE_BLACKHOLE',
  'ROUTE_UNREACHABLE',
  'ROUTE_PROHIBIT',
  'ROUTE_WRONG_NEXTHOP',
  'NEIGH_FAILED',
  'MARTIAN_OR_NONROUTABLE',
  'TTL_EXCEEDED',
  'TUNNEL_MISSING',
  'VTEP_NEIGH_MISSING',
  'VTEP_FDB_MISSING',
  'VTEP_FDB_WRONG',
  'ENCAP_ENDPOINT_MISMATCH',
]);

/** kubelet's guard is right about what should never have left the machine, too. */
const isElsewhere = ({ step }: Found, { code }: Finding): boolean =>
  ledElsewhere.has(code) || step.origin?.why === 'localnet-guard';

/** Who sends to everybody waits for an answer of somebody else: whatever came back is none. */
function askedEverybody({ disposition, legs: [request] }: TraceFacts): Found | undefined {
  if (disposition !== 'reply-lost' || request === undefined) return undefined;
  for (const hop of request.hops) {
    const step = hop.steps.find(
      ({ kind, detail }) => kind === 'route' && 'result' in detail && detail.result === 'broadcast',
    );
    if (step !== undefined) return { leg: request, hop, step };
  }
  return undefined;
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
  'INVALID_PROTO',
  'connection-to-everybody',
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
      return !['unicast', 'local'].includes((step.detail as RouteEvent['detail']).result);
    case 'size':
      return step.action === 'too-big';
    case 'wire':
      return step.action === 'cut' || step.action === 'nobody';
    case 'conntrack':
      return step.action === 'full';
    case 'hook':
      return step.action === 'drop';
    default:
      return false;
  }
}

function findingOf(view: View, facts: TraceFacts, found: Found): Finding {
  const { step } = found;
  switch (step.kind) {
    case 'rule':
      if (isAgainstInvalid(found.hop, step)) return invalidFinding(view, found);
      return policyFinding(found) ?? { code: ruleCode(step.action as RuleEvent['action']) };
    case 'conntrack':
      return { code: 'CT_TABLE_FULL' };
    case 'hook':
      return { code: 'FIREWALL_DROP' };
    case 'deliver':
      return deliverFinding(view, found, step.detail as DeliverEvent['detail']);
    case 'neighbour':
      return neighbourFinding(view, facts, found, step.detail as NeighbourEvent['detail']);
    case 'route':
      return routeFinding(view, facts, found, step.detail as RouteEvent['detail']);
    case 'size':
      return {
        code: facts.symptom === 'hangs on large data' ? 'PMTU_BLACKHOLE' : 'MTU_EXCEEDED_DF',
      };
    case 'wire':
      if (step.action === 'cut')
        return cutFinding(hereAt(view, found.hop), (step.detail as WireEvent['detail']).to);
      return nobodyFinding(view, step.detail as WireEvent['detail']);
    case 'drop':
      return dropFinding(view, facts, found, (step.detail as DropEvent['detail']).reason);
    default:
      return { code: 'MODEL_UNSUPPORTED' };
  }
}

function ruleCode(action: RuleEvent['action']): CauseCode {
  if (action === 'reject') return 'FIREWALL_REJECT';
  if (action === 'policy-drop') return 'CHAIN_POLICY_DROP';
  return action === 'unmodelled' ? 'MODEL_UNSUPPORTED' : 'FIREWALL_DROP';
}

function deliverFinding(
  view: View,
  { leg, hop, step }: Found,
  detail: DeliverEvent['detail'],
): Finding {
  if (step.action === 'unknown-listener') return { code: 'FACT_MISSING' };
  const tunnel = step.packet?.find((layer) => layer.type === 'vxlan');
  if (tunnel !== undefined) return tunnelFinding(view, hereAt(view, hop), tunnel.vni);
  if (leg.direction === 'reply') return { code: 'REPLY_NO_SESSION' };
  const twin = wrongOwner(view, hereAt(view, hop), detail.ip);
  if (twin) return twin;
  const other = detail.otherListener;
  const elsewhere = other !== undefined && other.ip !== detail.ip && other.ip !== '0.0.0.0';
  return { code: elsewhere ? 'LISTENER_WRONG_ADDR' : 'NO_LISTENER' };
}

/** Why no tunnel device took an outer packet: there is none, it is down, or it differs. */
function tunnelFinding(view: View, netns: Netns, vni: number): Finding {
  const device = tunnelOf(netns, vni);
  if (device?.vni === vni && !device.up) return linkDown(netns, device);
  if (device) {
    return {
      code: 'ENCAP_ENDPOINT_MISMATCH',
      about: { ...placeOf(netns), device: device.ifname },
    };
  }
  const there = intendedOf(view, netns.id);
  const gone = there && tunnelOf(there, vni);
  return {
    code: 'TUNNEL_MISSING',
    about: { ...placeOf(netns), ...(gone && { device: gone.ifname }) },
  };
}

/** The tunnel device of that VNI, else any. */
function tunnelOf({ devices }: Netns, vni: number): Vxlan | undefined {
  const tunnels = devices.filter((device) => device.kind === 'vxlan');
  return tunnels.find((device) => device.vni === vni) ?? tunnels[0];
}
