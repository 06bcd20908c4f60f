/**
 * The cause where a packet to a Service fails because of the Service: the rules refuse it, do not
 * know it, or send it where nobody is. Everything else on its way has the causes of any packet.
 */
import type { DropEvent, RouteEvent, SocketEvent } from '../kernel/event.ts';
import { findDev } from '../kernel/netdev.ts';
import type { OriginWhy } from '../kernel/origin.ts';
import { sysctlGet } from '../kernel/sysctl.ts';
import type { Netns } from '../kernel/world.ts';
import type { KnownService, KnownServicePort } from './services.ts';
import type {
  CauseCode,
  CauseSubject,
  Hop,
  Leg,
  ReachedTarget,
  Step,
  TraceFacts,
} from './trace.ts';
import { type Finding, type Found, hereAt, intendedOf, placeOf, type View } from './view.ts';

/** Ends of a packet that was sent where nobody is: the Service explains those, and no others. */
const LED_ASTRAY: ReadonlySet<CauseCode> = new Set<CauseCode>([
  'UNKNOWN_DST_IP',
  'NO_ROUTE',
  'NEIGH_FAILED',
  'NO_LISTENER',
  'FACT_MISSING',
  'ROUTE_BLACKHOLE',
  'ROUTE_UNREACHABLE',
  'ROUTE_WRONG_NEXTHOP',
  'TTL_EXCEEDED',
  'VTEP_NEIGH_MISSING',
  'MARTIAN_OR_NONROUTABLE',
  'MODEL_UNSUPPORTED',
]);

/**
 * @param ending what the step that ended the packet says by itself
 * @returns undefined where the Service is not to blame, or there is none
 */
export function serviceFinding(
  view: View,
  facts: TraceFacts,
  found: Found,
  ending: Finding,
): Finding | undefined {
  const [request] = facts.legs;
  if (!request) return undefined;
  const refused = refusal(view, facts, request, found);
  if (refused) return refused;
  if (found.leg.direction === 'reply') {
    if (ending.code === 'REPLY_NO_SESSION') return bypassed(view, facts, found.leg);
    return facts.dnat && hairpin(view, facts, found, facts.dnat);
  }
  if (found.leg !== request) return undefined;
  if (facts.dnat) {
    const own = hairpin(view, facts, found, facts.dnat);
    if (own) return own;
    return LED_ASTRAY.has(ending.code) ? misled(view, request, facts.dnat) : undefined;
  }
  return LED_ASTRAY.has(ending.code) ? untranslated(view, request, found, facts) : undefined;
}

const named = (
  place: Pick<CauseSubject, 'node' | 'netns'>,
  service: Pick<KnownService, 'namespace' | 'name'> | undefined,
): CauseSubject => ({
  node: place.node,
  netns: place.netns,
  ...(service && { service: { namespace: service.namespace, name: service.name } }),
});

const REFUSALS: Partial<Record<OriginWhy, CauseCode>> = {
  'service-no-endpoints': 'SVC_NO_ENDPOINTS',
  'service-no-local-endpoints': 'SVC_NO_LOCAL_ENDPOINT',
  'service-firewall': 'SVC_SOURCE_RANGE_DENIED',
  // nftables: what reaches these has an address of a Service, and met no port of it.
  'service-port-undefined': 'SVC_PORT_MISMATCH',
  'cluster-ip-unallocated': 'SVC_NOT_FOUND',
  // IPVS: an address of kube-ipvs0 without a virtual server on the port.
  'service-address': 'SVC_PORT_MISMATCH',
};

/** IPVS: a virtual server that has nobody to send a packet to says so itself. */
const isIdle = ({ kind, detail }: Step): boolean =>
  kind === 'drop' && (detail as DropEvent['detail']).ipvs !== undefined;

/** A rule that kube-proxy wrote in order to refuse, or its virtual server without servers. */
function refusal(
  view: View,
  { probe }: TraceFacts,
  request: Leg,
  { hop, step }: Found,
): Finding | undefined {
  const { by, why, object } = step.origin ?? {};
  if (by !== 'kube-proxy' || why === undefined || step.action === 'unmodelled') return undefined;
  const idle = isIdle(step);
  const code = idle ? 'SVC_NO_ENDPOINTS' : REFUSALS[why];
  if (code === undefined || (step.kind !== 'rule' && !idle)) return undefined;
  const sent = sentTo(request);
  if (code === 'SVC_NOT_FOUND') return { code, about: named(hop, undefined) };
  if (code === 'SVC_PORT_MISMATCH') {
    const service = sent && 'dst' in sent ? view.services?.at(sent.dst) : undefined;
    if (!service) return undefined;
    const declared = declares(service, sent, probe.protocol);
    if (!declared) return { code, about: named(hop, service) };
    return {
      code: 'SVC_PROXY_NOT_PROGRAMMED',
      about: { ...named(hop, service), ...lackingRules(view, hop) },
    };
  }
  const service = object && view.services?.named(object.namespace, object.name);
  const about = named(hop, service);
  if (code !== 'SVC_NO_ENDPOINTS') return { code, about };
  // Its policy is Local: the endpoints that there are run elsewhere.
  if (idle && service?.ports.some(({ serves }) => serves))
    return { code: 'SVC_NO_LOCAL_ENDPOINT', about };
  return { code: emptyCode(service), about };
}

/** Why nothing is behind a Service. */
const emptyCode = (service: KnownService | undefined): CauseCode => {
  const lacks = service?.ports.map((port) => port.lacks).find((lack) => lack !== undefined);
  if (lacks === 'target-port') return 'SVC_TARGET_PORT_UNRESOLVED';
  return lacks === 'family' ? 'SVC_FAMILY_MISMATCH' : 'SVC_NO_ENDPOINTS';
};

const sentTo = ({ hops }: Leg): SocketEvent['detail'] | undefined =>
  hops[0]?.steps.find(({ kind, action }) => kind === 'socket' && action === 'send')
    ?.detail as SocketEvent['detail'];

/** The port of a Service that a packet was sent to. */
const declares = (
  { ports }: KnownService,
  sent: SocketEvent['detail'] | undefined,
  protocol: string,
): KnownServicePort | undefined => {
  const port = sent && 'dport' in sent ? sent.dport : undefined;
  return ports.find((one) => one.port === port && one.protocol === protocol);
};

/** Where a node routed the packet as it was sent: behind that, nobody translates it any more. */
function passedBy(view: View, { hops }: Leg, dst: string): { hop: Hop; step: Step } | undefined {
  const nodes = new Set(
    view.world.book.ranges.flatMap(({ kind, host }) => (kind === 'node-pods' ? (host ?? []) : [])),
  );
  for (const hop of hops) {
    if (hop.netns !== 'host' || !nodes.has(hop.node)) continue;
    const step = hop.steps.find(
      ({ kind, detail }) => kind === 'route' && (detail as RouteEvent['detail']).dst === dst,
    );
    if (step) return { hop, step };
  }
  return undefined;
}

/** Sent to a Service's address, and nobody gave it an endpoint's. */
function untranslated(
  view: View,
  request: Leg,
  { hop }: Found,
  { probe }: TraceFacts,
): Finding | undefined {
  const sent = sentTo(request);
  if (!sent || !('dst' in sent)) return undefined;
  const { dst } = sent;
  const service = view.services?.at(dst);
  if (!service && view.world.book.rangeOf(dst)?.kind !== 'service') return undefined;
  const passed = passedBy(view, request, dst);
  if (!service) return { code: 'SVC_NOT_FOUND', about: named(passed?.hop ?? hop, undefined) };
  if (!passed) {
    const isOutside = hop.netns === 'host' && request.hops.length > 1;
    return isOutside ? { code: 'SVC_CLUSTER_ONLY', about: named(hop, service) } : undefined;
  }
  const about = named(passed.hop, service);
  const declared = declares(service, sent, probe.protocol);
  if (!declared) return { code: 'SVC_PORT_MISMATCH', about };
  // iptables: who sends from the node itself is not refused, the packet leaves as it is.
  if (view.services?.proxied && !declared.serves)
    return { code: emptyCode(service), about, step: passed.step.n };
  return {
    code: 'SVC_PROXY_NOT_PROGRAMMED',
    about: { ...about, ...lackingRules(view, passed.hop) },
    step: passed.step.n,
  };
}

/** How many rules kube-proxy wrote. */
const proxyRules = ({ netfilter: { tables } }: Netns): number =>
  tables.reduce(
    (sum, { chains }) =>
      sum +
      chains.reduce(
        (count, { rules }) =>
          count + rules.filter(({ origin }) => origin?.by === 'kube-proxy').length,
        0,
      ),
    0,
  );

/** Rules that are not there: nobody writes any, or a fault took some away. */
const lackingRules = (view: View, hop: Hop): Pick<CauseSubject, 'rules'> => {
  if (view.services?.proxied === false) return { rules: 'never-written' };
  const here = hereAt(view, hop);
  const there = intendedOf(view, here.id);
  return there && proxyRules(here) < proxyRules(there) ? { rules: 'gone' } : {};
};

const stepOf = ({ hops }: Leg, n: number): { hop: Hop; step: Step } | undefined => {
  for (const hop of hops) {
    const step = hop.steps.find((one) => one.n === n);
    if (step) return { hop, step };
  }
  return undefined;
};

/** Translated to somebody who is no endpoint, or who is not there any more. */
function misled(view: View, request: Leg, dnat: ReachedTarget): Finding | undefined {
  const at = stepOf(request, dnat.step);
  if (!at) return undefined;
  const { object } = at.step.origin ?? {};
  const sent = sentTo(request);
  const service =
    (object?.kind === 'Service' && view.services?.named(object.namespace, object.name)) ||
    (sent && 'dst' in sent && view.services?.at(sent.dst)) ||
    undefined;
  if (!service) return undefined;
  const finding = {
    about: named(at.hop, service),
    step: at.step.n,
    ...(at.step.origin && { origin: at.step.origin }),
  };
  const endpoint = `${dnat.ip}${typeof dnat.port === 'number' ? `:${dnat.port}` : ''}`;
  if (!service.endpoints.has(endpoint)) return { code: 'SVC_PROXY_STALE', ...finding };
  if (view.world.book.owners(dnat.ip).length > 0) return undefined;
  return { code: 'STALE_ENDPOINT', ...finding };
}

/** A Pod that reaches itself: its packet has to come back by the port that it came in by. */
function hairpin(
  view: View,
  { legs }: TraceFacts,
  { hop, step }: Found,
  dnat: ReachedTarget,
): Finding | undefined {
  const client = legs[0]?.hops[0];
  const [owner] = view.world.book.owners(dnat.ip);
  if (!client || owner?.netns !== `${client.node}/${client.netns}`) return undefined;
  if (step.kind !== 'drop') return undefined;
  const { reason } = step.detail as DropEvent['detail'];
  const netns = hereAt(view, hop);
  const device = step.device === undefined ? undefined : findDev(netns, step.device);
  if (reason === 'NOT_SPECIFIED' && device?.port && device.port.hairpin !== true)
    return { code: 'HAIRPIN_MODE_OFF', about: { ...placeOf(netns), device: device.ifname } };
  if (reason !== 'IP_LOCAL_SOURCE') return undefined;
  const at = legs[0] && stepOf(legs[0], dnat.step);
  return at && { code: 'SVC_HAIRPIN_NO_MASQ', about: named(at.hop, undefined) };
}

const CALLS_IPTABLES = 'net.bridge.bridge-nf-call-iptables';

/** The answer crossed the bridge of the node that translated the request, past its conntrack. */
function bypassed(view: View, { legs, dnat }: TraceFacts, reply: Leg): Finding | undefined {
  const at = dnat && legs[0] && stepOf(legs[0], dnat.step);
  if (!at) return undefined;
  const netns = hereAt(view, at.hop);
  if (sysctlGet(netns, CALLS_IPTABLES) !== '0') return undefined;
  for (const { node, netns: name, steps } of reply.hops) {
    if (node !== at.hop.node || name !== at.hop.netns) continue;
    const crossed = steps.find(({ kind, action }) => kind === 'bridge' && action !== 'local');
    if (crossed) return { code: 'BRIDGE_NF_OFF', about: placeOf(netns), step: crossed.n };
  }
  return undefined;
}
