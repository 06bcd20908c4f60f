/** What mends each cause and what shows it on a real node, from the state that was traced. */
import { nearest } from '../../cluster/nearest.ts';
import type { World } from '../../kernel/world.ts';
import type { Check, Fix } from '../../trace/remedy.ts';
import { type CauseDetail, situationOf, type Why } from '../../trace/situation.ts';
import { strayOf } from '../../trace/stray.ts';
import type { CauseCode, EndpointRef, TraceFacts, TraceProbe } from '../../trace/trace.ts';
import type { Ip, Layer, Unknown } from '../../wire/packet.ts';
import {
  type Ailment,
  adviceOf,
  advise,
  checkAnywhere,
  checkAt,
  commandsAt,
  type Mendable,
} from './ailment.ts';
import {
  linkMissingFix,
  linkUp,
  plugInFix,
  portFix,
  remakePod,
  tunnelFix,
  tunnelMismatchFix,
  tunnelRowFix,
} from './links.ts';
import { declareFix, listenersCheck, noListenerFix, wrongAddressFix } from './listeners.ts';
import {
  masqueradeFix,
  noRouteFix,
  policyFix,
  reversePathFix,
  ruleCheck,
  ruleFix,
  sizeFix,
  sysctlOf,
  ttlFix,
} from './packets.ts';
import { wireFix } from './patches.ts';
import { defaultDenyFix, explicitDenyFix, policyCheck, undecidedFix } from './policies.ts';
import { neighbourCheck, neighbourFix, routeFix, routeGet, rulesFix } from './routes.ts';
import {
  endpointsCheck,
  exposeFix,
  hairpinFix,
  keptSourceFix,
  noEndpointsFix,
  proxyFix,
  rulesCheck,
  serviceCheck,
  portFix as servicePortFix,
  sourceRangeFix,
  staleEndpointFix,
  staleRuleFix,
  targetPortFix,
  policyFix as trafficPolicyFix,
  unknownServiceCheck,
  unknownServiceFix,
} from './services.ts';

interface Cure {
  readonly fix: (ailment: Ailment) => Fix;
  readonly check: (ailment: Ailment) => Check;
}

/** `-n default pod-a`. */
const podArguments = ({ namespace, name }: EndpointRef): string =>
  [...(namespace === undefined ? [] : ['-n', namespace]), name ?? ''].join(' ').trimEnd();

const notRunning = (which: 'from' | 'to'): Cure => {
  const pod = ({ facts }: Ailment): string => podArguments(facts.probe[which]);
  return {
    fix: (ailment) => advise('see-why-not-running', {}, `kubectl describe pod ${pod(ailment)}`),
    check: (ailment) => checkAnywhere(`kubectl get pod ${pod(ailment)} -o wide`),
  };
};

const PODS = 'kubectl get pods -A -o wide';

/** The address of nobody, and that of somebody which looks most like it. */
const unknownAddress: Cure = {
  fix: ({ detail, facts, scenario }) => {
    const ip = detail.ip ?? facts.probe.to.ip;
    const owners = new Map(
      scenario.cluster.pods.flatMap((pod) =>
        pod.ip === undefined || pod.hostNetwork || pod.phase !== 'Running'
          ? []
          : [[pod.ip, `${pod.namespace}/${pod.name}`] as const],
      ),
    );
    const [near] = ip === undefined ? [] : nearest(ip, owners.keys(), 1);
    return advise(
      'use-known-address',
      near === undefined ? {} : { near, pod: owners.get(near) },
      PODS,
    );
  },
  check: ({ detail, facts }) => {
    const ip = detail.ip ?? facts.probe.to.ip;
    return checkAnywhere(ip === undefined ? PODS : `${PODS} | grep ${ip}`);
  },
};

const duplicate: Cure = {
  fix: (ailment) => {
    const { device, wrong } = ailment.about;
    const commands =
      device === undefined || wrong?.address === undefined
        ? []
        : [`ip addr del ${wrong.address} dev ${device}`];
    return commandsAt(ailment, commands, advise('use-one-address'));
  },
  check: (ailment) => {
    const [ip] = ailment.about.wrong?.address?.split('/') ?? [];
    return checkAt(ailment, ip === undefined ? 'ip addr show' : `ip addr show to ${ip}`);
  },
};

const ofDevice =
  (command: string, otherwise: string) =>
  (ailment: Ailment): Check => {
    const { device } = ailment.about;
    return checkAt(ailment, device === undefined ? otherwise : `${command} ${device}`);
  };

const linkShow = ofDevice('ip link show', 'ip link show');
const linkDetails = ofDevice('ip -d link show', 'ip -d link show');
const tunnels = (ailment: Ailment): Check => checkAt(ailment, 'ip -d link show type vxlan');
const tunnelRows = ofDevice('bridge fdb show dev', 'bridge fdb show');

const route: Cure = { fix: routeFix, check: routeGet };
const noRoute: Cure = { fix: noRouteFix, check: routeGet };

const setSysctl = (key: (ailment: Ailment) => string | undefined, value = 1): Cure => ({
  fix: (ailment) => {
    const name = key(ailment);
    return commandsAt(ailment, [name && `sysctl -w ${name}=${value}`], advise('see-fidelity'));
  },
  check: (ailment) => checkAt(ailment, `sysctl ${key(ailment) ?? 'net.ipv4.ip_forward'}`),
});

const reversePathCommands = ({ packet }: Ailment, device = 'all'): string[] => {
  const source = packet.find((layer) => layer.type === 'ipv4')?.src;
  const all = 'net.ipv4.conf.all.rp_filter';
  const own = sysctlOf(device, 'rp_filter');
  return [
    ...(source === undefined ? [] : [`ip route get ${source}`]),
    `sysctl ${own === all ? all : `${all} ${own}`}`,
  ];
};

const reversePath: Cure = {
  fix: reversePathFix,
  check: (ailment) => checkAt(ailment, ...reversePathCommands(ailment, ailment.about.device)),
};

/** The source of the inner packet. */
const sourceOf = ({ packet }: Ailment): Ip | undefined =>
  packet.findLast((layer) => layer.type === 'ipv4')?.src;

const localnet = ({ step }: Ailment): string => sysctlOf(step?.device ?? 'all', 'route_localnet');

const martian: Cure = {
  fix: (ailment) => {
    const { detail } = ailment;
    const source = sourceOf(ailment);
    if (detail.result === 'broadcast') return advise('use-host-address');
    if (detail.reason === 'IP_LOCALNET')
      return commandsAt(ailment, [`sysctl -w ${localnet(ailment)}=1`], advise('use-host-address'));
    return detail.reason === 'IP_LOCAL_SOURCE'
      ? (sourceRuleFix(ailment) ?? advise('other-source', { source }))
      : advise('use-routable-address');
  },
  check: (ailment) => {
    const { detail } = ailment;
    const source = sourceOf(ailment);
    if (detail.result === 'broadcast') return routeGet(ailment);
    if (detail.reason === 'IP_LOCALNET')
      return checkAt(ailment, `sysctl net.ipv4.conf.all.route_localnet ${localnet(ailment)}`);
    return detail.reason === 'IP_LOCAL_SOURCE' && source !== undefined
      ? checkAt(ailment, `ip addr show to ${source}`)
      : checkAt(ailment, 'sysctl net.ipv4.conf.all.log_martians');
  },
};

/** Where a fault led the packet astray, that is mended; undefined where none did. */
const strayFix = (ailment: Ailment): Fix | undefined => {
  const { leg, step, scenario } = ailment;
  const view = { world: scenario.world, intended: scenario.unfaulted };
  const about = leg && step && strayOf(view, leg, step.n)?.about;
  return about?.wrong || about?.missing ? routeFix({ ...ailment, about }) : undefined;
};

/** The rule that gave the packet its source, where a fault wrote it. */
const sourceRuleFix = ({ leg }: Ailment): Fix | undefined => {
  for (const { node, netns, steps } of leg?.hops ?? []) {
    for (const { kind, action, detail, origin } of steps) {
      if (kind !== 'nat' || action !== 'snat' || origin?.by !== 'fault') continue;
      const { chain, number } = detail as CauseDetail;
      if (chain === undefined || number === undefined) continue;
      const commands = [`iptables -t nat -D ${chain} ${number}`];
      return { kind: 'commands', on: { node, netns }, commands };
    }
  }
  return undefined;
};

/** The socket was asked by nobody: somebody translates on one of the two ways only. */
const noSession: Cure = {
  fix: (ailment) => strayFix(ailment) ?? keptSourceFix(ailment) ?? advise('same-translator'),
  check: (ailment) => {
    const source = sourceOf(ailment);
    return checkAt(
      ailment,
      `tcpdump -p -ni any ${source === undefined ? '' : `src host ${source}`}`.trimEnd(),
    );
  },
};

/** What the sender itself may try. */
const fromSender = ({ facts }: Ailment, command: string): Check => {
  const { kind, namespace, name, node } = facts.probe.from;
  return kind === 'pod' && namespace !== undefined && name !== undefined
    ? { on: { node: node ?? '', netns: `${namespace}/${name}` }, commands: [command] }
    : checkAnywhere(command);
};

const targetOf = ({ to }: TraceProbe): string => to.ip ?? to.name ?? to.text;

/** Headers of a ping: IPv4 and ICMP. */
const PING_HEADERS = 28;
const FULL_FRAME = 1500;

/** Bytes of IP that the sender put on its own device: a tunnel adds to them on the way. */
const sentLength = ({ leg }: Ailment): number | undefined => {
  const packet = leg?.hops[0]?.steps.find(({ kind }) => kind === 'transmit')?.packet;
  return packet?.find((layer) => layer.type === 'ipv4')?.length;
};

const size: Cure = {
  fix: sizeFix,
  check: (ailment) => {
    const { device } = ailment.detail;
    return checkAt(ailment, device === undefined ? 'ip link show' : `ip link show ${device}`);
  },
};

const blackHole: Cure = {
  fix: sizeFix,
  check: (ailment) => {
    const length = sentLength(ailment) ?? ailment.detail.length ?? FULL_FRAME;
    const target = targetOf(ailment.facts.probe);
    return fromSender(ailment, `ping -M do -s ${length - PING_HEADERS} ${target}`);
  },
};

const port = (value: number | Unknown): string =>
  typeof value === 'number' ? `${value}` : `${value.range[0]}-${value.range[1]}`;

/** `UDP port 8472`, as a firewall would call the packet. */
const trafficOf = (packet: readonly Layer[]): string | undefined => {
  const layer = packet.find(({ type }) => type === 'tcp' || type === 'udp' || type === 'icmp');
  if (layer?.type !== 'tcp' && layer?.type !== 'udp') return layer && 'ICMP';
  return `${layer.type.toUpperCase()} port ${port(layer.dport)}`;
};

/** A capture filter (pcap-filter(7)) for it. */
const filterOf = (packet: readonly Layer[]): string => {
  const layer = packet.find(({ type }) => type === 'tcp' || type === 'udp' || type === 'icmp');
  if (layer?.type === 'icmp') return 'icmp';
  if (layer?.type !== 'tcp' && layer?.type !== 'udp') return '';
  return typeof layer.dport === 'number' ? `${layer.type} port ${layer.dport}` : layer.type;
};

const wire: Cure = {
  fix: (ailment) => {
    const { about, packet, step } = ailment;
    const traffic = step?.kind === 'neighbour' ? undefined : trafficOf(packet);
    return wireFix(ailment, adviceOf('open-wire', { traffic, node: about.node, peer: about.peer }));
  },
  check: ({ about, packet, step }) => {
    const filter = step?.kind === 'neighbour' ? 'arp' : filterOf(packet);
    const node = about.peer ?? about.node;
    const command = `tcpdump -p -ni any ${filter}`.trimEnd();
    return node === undefined
      ? checkAnywhere(command)
      : { on: { node, netns: 'host' }, commands: [command] };
  },
};

/** Asks the real network what the model does not know. */
const tryIt = (probe: TraceProbe): string => {
  const target = targetOf(probe);
  if (probe.port === undefined) return `ping -c 1 ${target}`;
  return `nc -${probe.protocol === 'udp' ? 'u' : ''}zvw 3 ${target} ${probe.port}`;
};

const unmodelled: Cure = {
  fix: () => advise('see-fidelity'),
  check: (ailment) =>
    ailment.detail.rule && ailment.detail.chain !== undefined
      ? ruleCheck(ailment)
      : fromSender(ailment, tryIt(ailment.facts.probe)),
};

/** A check where the packet stopped, which may be far from what is to be mended. */
const checkAtStop = ({ hop }: Ailment, ...commands: readonly string[]): Check =>
  hop ? { on: { node: hop.node, netns: hop.netns }, commands } : { commands };

/** A connection of which somebody sees one direction: what led the other astray, where known. */
const oneWay: Cure = {
  fix: (ailment) => {
    const { missing, wrong } = ailment.about;
    return missing || wrong ? routeFix(ailment) : advise('one-way');
  },
  check: (ailment) => checkAtStop(ailment, ...ruleCheck(ailment).commands),
};

const CONNTRACK_MAX = 'net.netfilter.nf_conntrack_max';

const tableFull: Cure = {
  ...setSysctl(() => CONNTRACK_MAX, 262_144),
  check: (ailment) =>
    checkAtStop(ailment, `sysctl net.netfilter.nf_conntrack_count ${CONNTRACK_MAX}`),
};

const asymmetric: Cure = {
  fix: (ailment) => {
    const { missing, wrong } = ailment.about;
    const { step } = ailment;
    if (missing || wrong) return routeFix(ailment);
    return commandsAt(
      ailment,
      [step?.device && `sysctl -w ${sysctlOf(step.device, 'rp_filter')}=2`],
      advise('one-way'),
    );
  },
  check: (ailment) => checkAtStop(ailment, ...reversePathCommands(ailment, ailment.step?.device)),
};

/** Asks as the sender does, for the name as it was typed. */
const lookUp = (ailment: Ailment): Check => {
  const { resolution } = ailment.facts;
  return fromSender(ailment, `nslookup ${resolution?.name ?? ''}`.trimEnd());
};

const unknownName: Cure = {
  fix: ({ facts: { resolution } }) => {
    const [near] = resolution?.near ?? [];
    const [short = '', namespace] = near?.split('.') ?? [];
    const isElsewhere = resolution?.name.split('.')[0] === short;
    return advise(
      'use-known-name',
      { near, ...(isElsewhere && { short, namespace }) },
      'kubectl get services -A',
    );
  },
  check: lookUp,
};

/** What mends the way of the query mends the name. */
const noNameServer: Cure = {
  fix: ({ inner, scenario }) =>
    (inner && whyOf(scenario, inner.facts)?.fix) ?? advise('see-fidelity'),
  check: ({ facts, ...ailment }) => {
    const asked = facts.resolution?.queries.find(({ disposition }) => disposition !== 'delivered');
    return asked
      ? fromSender({ facts, ...ailment }, `nslookup ${asked.name}. ${asked.server}`)
      : lookUp({ facts, ...ailment });
  },
};

const factMissing: Cure = {
  fix: (ailment) => {
    const { resolution } = ailment.facts;
    if (ailment.policy) return undecidedFix(ailment);
    return resolution && ailment.step?.kind !== 'deliver'
      ? advise('state-name', { name: resolution.name })
      : declareFix(ailment);
  },
  check: (ailment) => {
    if (ailment.policy) return policyCheck(ailment);
    return ailment.facts.resolution && ailment.step?.kind !== 'deliver'
      ? lookUp(ailment)
      : listenersCheck(ailment);
  },
};

const CURES: { readonly [C in CauseCode]: Cure } = {
  SRC_NOT_RUNNING: notRunning('from'),
  DST_NOT_RUNNING: notRunning('to'),
  UNKNOWN_DST_IP: unknownAddress,
  DUPLICATE_IP: duplicate,
  DNS_NXDOMAIN: unknownName,
  DNS_UNREACHABLE: noNameServer,
  LINK_MISSING: { fix: linkMissingFix, check: linkShow },
  LINK_DOWN: { fix: linkUp, check: linkShow },
  VETH_PEER_BROKEN: { fix: remakePod, check: linkDetails },
  BRIDGE_DETACHED: { fix: plugInFix, check: linkDetails },
  BRIDGE_PORT_STATE: { fix: portFix, check: ofDevice('bridge -d link show dev', 'bridge link') },
  NO_ROUTE: noRoute,
  ROUTE_BLACKHOLE: route,
  ROUTE_UNREACHABLE: route,
  ROUTE_PROHIBIT: route,
  ROUTE_THROW: route,
  ROUTE_WRONG_DEV: route,
  ROUTE_WRONG_NEXTHOP: route,
  ROUTE_WRONG_NET: { fix: duplicate.fix, check: routeGet },
  ROUTE_SHADOWED: route,
  POLICY_RULE_DIVERTED: { fix: rulesFix, check: (ailment) => checkAt(ailment, 'ip rule show') },
  NEIGH_FAILED: { fix: neighbourFix, check: neighbourCheck },
  PROXY_ARP_OFF: setSysctl(({ about: { device } }) => device && sysctlOf(device, 'proxy_arp')),
  IP_FORWARD_OFF: setSysctl(() => 'net.ipv4.ip_forward'),
  IF_FORWARD_OFF: setSysctl(({ about: { device } }) => device && sysctlOf(device, 'forwarding')),
  RP_FILTER_DROP: reversePath,
  MARTIAN_OR_NONROUTABLE: martian,
  TTL_EXCEEDED: {
    fix: ttlFix,
    check: (ailment) => fromSender(ailment, `traceroute -n ${targetOf(ailment.facts.probe)}`),
  },
  MTU_EXCEEDED_DF: size,
  PMTU_BLACKHOLE: blackHole,
  TUNNEL_MISSING: { fix: tunnelFix, check: tunnels },
  VTEP_NEIGH_MISSING: { fix: tunnelRowFix, check: ofDevice('ip neigh show dev', 'ip neigh show') },
  VTEP_FDB_MISSING: { fix: tunnelRowFix, check: tunnelRows },
  VTEP_FDB_WRONG: { fix: tunnelRowFix, check: tunnelRows },
  ENCAP_ENDPOINT_MISMATCH: { fix: tunnelMismatchFix, check: tunnels },
  UNDERLAY_BLOCKED: wire,
  NETPOL_INGRESS_DEFAULT_DENY: { fix: defaultDenyFix, check: policyCheck },
  NETPOL_EGRESS_DEFAULT_DENY: { fix: defaultDenyFix, check: policyCheck },
  NETPOL_EXPLICIT_DENY: { fix: explicitDenyFix, check: policyCheck },
  FIREWALL_DROP: { fix: ruleFix, check: ruleCheck },
  FIREWALL_REJECT: { fix: ruleFix, check: ruleCheck },
  CHAIN_POLICY_DROP: { fix: policyFix, check: ruleCheck },
  ECHO_IGNORED: setSysctl(() => 'net.ipv4.icmp_echo_ignore_all', 0),
  NO_LISTENER: { fix: noListenerFix, check: listenersCheck },
  LISTENER_WRONG_ADDR: { fix: wrongAddressFix, check: listenersCheck },
  NO_SNAT_FOR_EGRESS: {
    fix: masqueradeFix,
    check: (ailment) => checkAt(ailment, 'iptables -t nat -S'),
  },
  CT_INVALID: oneWay,
  CT_TABLE_FULL: tableFull,
  REPLY_ASYMMETRIC: asymmetric,
  REPLY_NO_SESSION: noSession,
  REPLY_NO_ROUTE: noRoute,
  STALE_ENDPOINT: { fix: staleEndpointFix, check: endpointsCheck },
  SVC_NOT_FOUND: { fix: unknownServiceFix, check: unknownServiceCheck },
  SVC_PORT_MISMATCH: { fix: servicePortFix, check: serviceCheck },
  SVC_CLUSTER_ONLY: { fix: exposeFix, check: serviceCheck },
  SVC_NO_ENDPOINTS: { fix: noEndpointsFix, check: endpointsCheck },
  SVC_TARGET_PORT_UNRESOLVED: { fix: targetPortFix, check: endpointsCheck },
  SVC_NO_LOCAL_ENDPOINT: { fix: trafficPolicyFix, check: endpointsCheck },
  SVC_SOURCE_RANGE_DENIED: { fix: sourceRangeFix, check: serviceCheck },
  SVC_PROXY_NOT_PROGRAMMED: { fix: proxyFix, check: rulesCheck },
  SVC_PROXY_STALE: { fix: staleRuleFix, check: rulesCheck },
  SVC_HAIRPIN_NO_MASQ: {
    fix: proxyFix,
    check: (ailment) => checkAt(ailment, 'iptables -t nat -S KUBE-POSTROUTING'),
  },
  HAIRPIN_MODE_OFF: { fix: hairpinFix, check: ofDevice('bridge -d link show dev', 'bridge link') },
  SVC_FAMILY_MISMATCH: { fix: () => advise('same-family'), check: endpointsCheck },
  BRIDGE_NF_OFF: setSysctl(() => 'net.bridge.bridge-nf-call-iptables'),
  MODEL_UNSUPPORTED: unmodelled,
  FACT_MISSING: factMissing,
};

/** Why a trace failed, with what mends it. @returns undefined where the trace has no cause. */
export const whyOf = (scenario: Mendable, facts: TraceFacts): Why | undefined => {
  const situation = situationOf(facts);
  if (situation === undefined) return undefined;
  const { node, netns } = situation.about;
  const at = (world: World | undefined) =>
    node === undefined || netns === undefined ? undefined : world?.host(node).netns.get(netns);
  const [here, there] = [at(scenario.world), at(scenario.unfaulted)];
  const ailment = { ...situation, scenario, ...(here && { here }), ...(there && { there }) };
  const { fix, check } = CURES[situation.cause.code];
  return { ...situation, fix: fix(ailment), check: check(ailment) };
};
