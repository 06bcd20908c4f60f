/** Causes in English: one sentence each that says what is wrong, and where. */
import type { FibRule } from '../../../kernel/fib.ts';
import type { CauseSubject, Leg, Resolution, TraceFacts } from '../../../trace/trace.ts';
import type { Catalogue } from '../../catalogue.ts';
import type { CauseContext } from '../../context.ts';
import { portSuffix } from '../../step.ts';
import { list, named } from './phrases.ts';
import { defaultDeny, explicitDeny, undecided } from './policy-causes.ts';
import { unmodelled } from './unmodelled.ts';

/** What a place is called: a node by its name, a Pod with its namespace. */
const placeName = ({ node, netns }: Partial<CauseSubject>): string =>
  (netns === 'host' ? node : netns) ?? 'the network';

/** `Service shop/web`. */
const serviceName = ({ about, facts: { probe } }: CauseContext): string => {
  const { to } = probe;
  const { namespace, name } = about.service ?? (to.kind === 'service' ? to : {});
  return name === undefined ? 'The Service' : `Service ${namespace ?? 'default'}/${name}`;
};

const where = ({ about }: CauseContext): string => placeName(about);

/** The node or Pod that the packet stopped at, where that is not the one to mend. */
const stoppedAt = ({ hop }: CauseContext): string =>
  hop === undefined ? 'the network' : placeName(hop);

const withArticle = (word: string): string => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const firewall =
  (verb: string) =>
  (context: CauseContext): string => {
    const { detail } = context;
    const rule = detail.number === undefined ? '' : ` rule ${detail.number}`;
    return `${detail.table ?? 'filter'} ${detail.chain ?? ''}${rule} on ${where(context)} ${verb} the packet.`;
  };

/** `the route "10.244.2.2 via 192.168.10.1 dev eth0" on node-1`. */
const wrongRoute = (context: CauseContext): string => {
  const { wrong } = context.about;
  const row = wrong?.route === undefined ? '' : ` "${context.quote.route(wrong.route)}"`;
  return `route${row} on ${where(context)}`;
};

/** `; without the faults it is "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink"`. */
const rightRoute = ({ about, quote }: CauseContext): string =>
  about.missing?.route === undefined
    ? ''
    : `; without the faults it is "${quote.route(about.missing.route)}"`;

const noRoute = (context: CauseContext, whose = ''): string => {
  const { about, detail, quote } = context;
  const { missing, device } = about;
  const dst = detail.dst ?? 'the destination';
  if (missing?.address !== undefined) {
    return `${device ?? 'A device'} of ${where(context)} has lost its address ${missing.address}, and with it the route${whose} to ${dst}.`;
  }
  if (missing?.route === undefined) return `${where(context)} has no route${whose} to ${dst}.`;
  const other = detail.row === undefined ? '' : `; the packet takes "${quote.route(detail.row)}"`;
  return `${where(context)} lacks the route${whose} to ${dst}, "${quote.route(missing.route)}"${other}.`;
};

const routeType =
  (kind: string) =>
  (context: CauseContext): string => {
    const { wrong } = context.about;
    const route = wrong?.route
      ? `The ${wrongRoute(context)}`
      : `${capital(withArticle(kind))} route on ${where(context)}`;
    return `${route} covers ${context.detail.dst ?? 'the destination'}${rightRoute(context)}.`;
  };

/** An ip rule as it is added: `from 10.244.1.0/24 lookup 100 pref 100`. */
const ruleWords = (rule: FibRule, { quote }: CauseContext): string =>
  `${quote.fibRule(rule).replace(/^\d+:\s*/, '')} pref ${rule.priority}`;

/** A sysctl of a device: its dots are not those of the name (sysctl(8)). */
const sysctlOf = (device: string, key: string): string =>
  `net.ipv4.conf.${device.replaceAll('.', '/')}.${key}`;

const deviceName = (context: CauseContext): string =>
  `${context.about.device ?? 'A device'} of ${where(context)}`;

/** `UDP port 8472`, as a firewall would call the packet. */
const trafficOf = ({ packet }: CauseContext): string => {
  const layer = packet.find(({ type }) => type === 'tcp' || type === 'udp' || type === 'icmp');
  if (layer?.type !== 'tcp' && layer?.type !== 'udp') return layer ? 'ICMP' : 'the packet';
  return `${layer.type.toUpperCase()} port ${portSuffix(layer.dport).slice(1)}`;
};

const neighFailed = (context: CauseContext): string => {
  const { about, detail } = context;
  const { device = 'its device', wrong, missing } = about;
  if (wrong?.neighbour) {
    const { ip, lladdr } = wrong.neighbour;
    return `A permanent neighbour entry on ${where(context)} says that ${named(ip, context)} is at ${lladdr ?? 'no address'}, which is not its MAC address.`;
  }
  if (missing?.address !== undefined) {
    return `Nobody answers ${stoppedAt(context)}'s ARP request for ${detail.ip ?? 'the next hop'}: ${device} of ${where(context)} has lost that address.`;
  }
  if (detail.ip === undefined) {
    return `The frame reaches ${where(context)}, and is for another MAC address.`;
  }
  return `Nobody answers ${where(context)}'s ARP request for ${named(detail.ip, context)}.`;
};

const martian = (context: CauseContext): string => {
  const { detail, packet, step } = context;
  if (detail.result === 'broadcast')
    return `${detail.dst ?? 'The destination'} is a broadcast address to ${where(context)}: no single host has it.`;
  if (detail.reason === 'IP_LOCALNET')
    return `127.0.0.0/8 stays inside a machine: ${where(context)} takes no packet to or from it on ${step?.device ?? 'a device'}, since ${sysctlOf(step?.device ?? 'all', 'route_localnet')} is 0.`;
  const source = packet.findLast((layer) => layer.type === 'ipv4')?.src;
  if (detail.reason === 'IP_LOCAL_SOURCE' && source !== undefined)
    return `${where(context)} has the source address ${source} itself, and takes nothing from outside that says it comes from there.`;
  return `${where(context)} does not accept a packet with these addresses from outside (a martian).`;
};

/** What a machine that a packet stopped at has not seen of its connection. */
const seenOnly = ({ facts, leg, hop }: CauseContext): string => {
  const isHere = (other: Leg): boolean =>
    other.hops.some(({ node, netns }) => node === hop?.node && netns === hop.netns);
  const missed = facts.legs.find((other) => other.direction !== leg?.direction && !isHere(other));
  if (missed === undefined) return 'how it began';
  return missed.direction === 'request' ? 'the request' : 'the answer';
};

/** The machine that gave the packet another source on its way. */
const sourceEdit = ({ leg }: CauseContext): string | undefined =>
  leg?.hops.findLast(({ steps }) =>
    steps.some(({ action }) => action === 'masquerade' || action === 'snat'),
  )?.node;

const tooBig = (context: CauseContext, then: string): string => {
  const { length, mtu = '', device = 'a device' } = context.detail;
  const what = length === undefined ? 'Large packets' : `${length} bytes`;
  return `${what} do not fit the MTU ${mtu} of ${device} on ${where(context)}, and ${then}.`;
};

/** Why nobody knows what a name stands for. */
const unknownName = (
  { name, resolvConf, queries, near = [] }: Resolution,
  { probe: { from } }: TraceFacts,
): string => {
  const meant = near.length > 0 ? ` The cluster knows ${list(near)}.` : '';
  const forwarded = queries.find((query) => query.forwarded !== undefined);
  if (forwarded)
    return `CoreDNS asks outside for ${forwarded.forwarded}, and the input does not say what there is.${meant}`;
  if (queries.length > 0)
    return `${queries.at(-1)?.server} is no name server of the cluster, and the input does not say what it answers about ${name}.${meant}`;
  if (resolvConf.node)
    return `${from.text} asks the name servers of ${from.kind === 'pod' ? 'its node' : 'its own'}, which know no Service, and of which the input says nothing: ${name} is not resolved.${meant}`;
  return `The resolv.conf of ${from.text} names no name server for ${name}.${meant}`;
};

export const causes: Catalogue['causes'] = {
  SRC_NOT_RUNNING: ({ facts }) => `${facts.probe.from.text} is not running, so no packet exists.`,
  DST_NOT_RUNNING: ({ facts }) =>
    `${facts.probe.to.text} is not running and has no address, so no packet exists.`,
  UNKNOWN_DST_IP: ({ detail, facts }) =>
    `${detail.ip ?? facts.probe.to.ip ?? 'The address'} belongs to no Pod, node or host of this cluster.`,
  DNS_NXDOMAIN: ({ facts: { resolution } }) => {
    const asked = new Set(resolution?.queries.map(({ name }) => name)).size;
    return `No name server knows ${resolution?.name ?? 'the name'}: ${
      asked > 1
        ? `${asked} names were asked for, and none of them has an address`
        : 'it has no address'
    }.`;
  },
  DNS_UNREACHABLE: (context) => {
    const { inner, facts } = context;
    const why = inner ? causes[inner.cause.code]({ ...context, ...inner }) : '';
    const server = inner?.facts.probe.to.ip ?? 'the name server';
    return `${facts.resolution?.name ?? 'The name'} cannot be asked for at ${server}. ${why}`.trimEnd();
  },
  DUPLICATE_IP: (context) => {
    const { device = 'a device', wrong } = context.about;
    const [ip = 'The address'] = wrong?.address?.split('/') ?? [];
    // Who asked in vain has it by right; else that is the owner that the cluster knows.
    const asked = context.step?.action === 'failed';
    const owner = (asked ? undefined : context.nameOf(ip)) ?? stoppedAt(context);
    return `${ip} is in use twice: by ${owner}, and on ${device} of ${where(context)}, which takes it for its own.`;
  },
  LINK_MISSING: (context) => `${deviceName(context)} does not exist.`,
  LINK_DOWN: (context) => {
    const { route } = context.about.missing ?? {};
    const which = route?.dst === '0.0.0.0/0' ? 'default route' : `route to ${route?.dst}`;
    const taken = route === undefined ? '' : `, and has taken the ${which} along`;
    return `${deviceName(context)} is down${taken}.`;
  },
  VETH_PEER_BROKEN: (context) =>
    `${deviceName(context)} leads nowhere: the other end of its veth pair is gone, or not where it should be.`,
  BRIDGE_DETACHED: (context) =>
    `${deviceName(context)}, the host end of a veth pair, is not plugged into ${context.about.bridge ?? 'a bridge'}.`,
  BRIDGE_PORT_STATE: (context) => {
    const { device, bridge } = context.about;
    const port = device === undefined ? 'A port' : `Port ${device}`;
    return `${port}${bridge === undefined ? '' : ` of ${bridge}`} on ${where(context)} does not forward.`;
  },
  NO_ROUTE: (context) => noRoute(context),
  ROUTE_BLACKHOLE: routeType('blackhole'),
  ROUTE_UNREACHABLE: routeType('unreachable'),
  ROUTE_PROHIBIT: routeType('prohibit'),
  ROUTE_THROW: routeType('throw'),
  ROUTE_WRONG_DEV: (context) =>
    `The ${wrongRoute(context)} leads out of the wrong device${rightRoute(context)}.`,
  ROUTE_WRONG_NEXTHOP: (context) =>
    `The ${wrongRoute(context)} names a next hop that does not lead to ${context.detail.dst ?? 'the destination'}${rightRoute(context)}.`,
  ROUTE_WRONG_NET: (context) => {
    const { device = 'A device', wrong } = context.about;
    return `${device} of ${where(context)} has address ${wrong?.address ?? 'of another network'}, so it looks for ${context.detail.dst ?? 'the destination'} on its own link, where it is not.`;
  },
  ROUTE_SHADOWED: (context) => `The ${wrongRoute(context)} hides the right one.`,
  POLICY_RULE_DIVERTED: (context) => {
    const { wrong, missing } = context.about;
    const gone = missing?.ipRule;
    if (wrong?.ipRule) {
      return `The ip rule "${ruleWords(wrong.ipRule, context)}" on ${where(context)} decides before the table with the right route is asked.`;
    }
    return `${where(context)} lacks the ip rule${gone ? ` "${ruleWords(gone, context)}"` : ''} that leads to the right route.`;
  },
  NEIGH_FAILED: neighFailed,
  PROXY_ARP_OFF: (context) => {
    const { device } = context.about;
    const setting = device === undefined ? 'proxy_arp' : sysctlOf(device, 'proxy_arp');
    return `${stoppedAt(context)} has a default route without a router and asks ${where(context)} for ${context.detail.ip ?? 'the destination'} itself, which does not answer for others: ${setting} is 0.`;
  },
  IP_FORWARD_OFF: (context) =>
    `${where(context)} does not forward packets: net.ipv4.ip_forward is 0.`,
  IF_FORWARD_OFF: (context) => {
    const { device } = context.about;
    const setting = device === undefined ? 'forwarding' : sysctlOf(device, 'forwarding');
    return `${where(context)} does not forward packets that come in on ${device ?? 'this device'}: ${setting} is 0.`;
  },
  RP_FILTER_DROP: (context) => {
    const { device } = context.about;
    const source = context.packet.find((layer) => layer.type === 'ipv4')?.src ?? 'its source';
    return `The reverse path filter of ${where(context)} drops it: the way back to ${source} does not lead out of ${device ?? 'the device it came in on'}.`;
  },
  MARTIAN_OR_NONROUTABLE: martian,
  TTL_EXCEEDED: (context) => `The TTL ended on ${where(context)}.`,
  MTU_EXCEEDED_DF: (context) => tooBig(context, 'the packet must not be fragmented'),
  PMTU_BLACKHOLE: (context) =>
    tooBig(context, 'the ICMP message that says so does not reach the sender'),
  TUNNEL_MISSING: (context) => {
    const { device } = context.about;
    return `${where(context)} has no tunnel device${device === undefined ? '' : ` ${device}`}.`;
  },
  VTEP_NEIGH_MISSING: (context) => {
    const { detail, about } = context;
    const end = detail.ip === undefined ? 'at the other side' : named(detail.ip, context);
    return `${where(context)} does not know the MAC address of the tunnel end ${end}, and nobody answers for it on ${about.device ?? 'the tunnel'}.`;
  },
  VTEP_FDB_MISSING: (context) => {
    const { device = 'The tunnel', mac = "the tunnel end's MAC address" } = context.about;
    return `${device} of ${where(context)} does not know behind which node ${mac} is.`;
  },
  VTEP_FDB_WRONG: (context) => {
    const { device = 'The tunnel', wrong, missing } = context.about;
    const { fdb } = wrong ?? {};
    if (fdb?.dst === undefined) {
      return `The tunnel packet reaches ${stoppedAt(context)}, which it is not for.`;
    }
    const right = missing?.fdb?.dst;
    return `${device} of ${where(context)} sends what is for ${fdb.mac} to ${named(fdb.dst, context)}${right === undefined ? '' : ` instead of ${named(right, context)}`}.`;
  },
  ENCAP_ENDPOINT_MISMATCH: (context) =>
    `The tunnel packet reaches ${where(context)}, whose tunnel ${context.about.device ?? ''} has another UDP port or VNI.`,
  UNDERLAY_BLOCKED: (context) => {
    const { node = 'the nodes', peer = 'the others' } = context.about;
    const silent = context.step?.kind === 'neighbour';
    return `The wire between ${node} and ${peer} loses ${silent ? 'even ARP' : `the packet (${trafficOf(context)})`}.`;
  },
  NETPOL_INGRESS_DEFAULT_DENY: ({ policy }) => defaultDeny(policy),
  NETPOL_EGRESS_DEFAULT_DENY: ({ policy }) => defaultDeny(policy),
  NETPOL_EXPLICIT_DENY: ({ policy }) => explicitDeny(policy),
  FIREWALL_DROP: firewall('drops'),
  FIREWALL_REJECT: firewall('rejects'),
  CHAIN_POLICY_DROP: (context) => {
    const { table = 'filter', chain = 'FORWARD' } = context.detail;
    return `${table} ${chain} on ${where(context)} has policy DROP, and no rule accepted the packet.`;
  },
  ECHO_IGNORED: (context) =>
    `${where(context)} ignores echoes: net.ipv4.icmp_echo_ignore_all is 1.`,
  NO_LISTENER: ({ detail, facts, hop }) => {
    const { to, port, protocol } = facts.probe;
    const shared =
      hop?.netns === 'host'
        ? `${detail.otherListener?.process} has that port; a Pod on the node's network shares the node's ports.`
        : `Container ${detail.otherListener?.process} has that port; the containers of a Pod share one port space.`;
    // Translated on its way: whoever got it is not whom the question names.
    const there = facts.dnat && hop && (hop.netns === 'host' ? hop.node : hop.netns);
    return `Nothing of ${there ?? to.container ?? to.name ?? to.ip ?? to.text} listens on ${detail.protocol ?? protocol} port ${detail.port ?? port ?? ''}.${detail.otherListener ? ` ${shared}` : ''}`;
  },
  LISTENER_WRONG_ADDR: ({ detail }) =>
    `${detail.otherListener?.process ?? 'The server'} listens on ${detail.otherListener?.ip ?? 'another address'} only, not on ${detail.ip ?? 'the address asked for'}.`,
  NO_SNAT_FOR_EGRESS: ({ detail, facts }) =>
    `The packet left the cluster with the Pod's own address (${detail.dst ?? facts.probe.from.ip ?? ''}): the outside has no way back to it.`,
  CT_INVALID: (context) => {
    const { table = 'filter', chain = 'FORWARD', number } = context.detail;
    return `${table} ${chain} rule ${number ?? ''} on ${stoppedAt(context)} drops packets of no known connection (INVALID): conntrack there has not seen ${seenOnly(context)}.`;
  },
  CT_TABLE_FULL: (context) =>
    `The table of connections on ${stoppedAt(context)} is full (net.netfilter.nf_conntrack_max): what would begin another one is dropped.`,
  REPLY_ASYMMETRIC: (context) =>
    `The answer comes to ${stoppedAt(context)} on ${context.step?.device ?? 'another device'}, and the request left by another device: the reverse path filter drops it.`,
  REPLY_NO_SESSION: (context) => {
    const { src = 'another address' } =
      context.packet.findLast((layer) => layer.type === 'ipv4') ?? {};
    const edit = sourceEdit(context);
    return `The answer comes to ${where(context)} from ${named(src, context)}, and no socket there asked that address${edit === undefined ? '' : `: ${edit} on the way translated its source`}.`;
  },
  REPLY_NO_ROUTE: (context) => noRoute(context, ' for the answer'),
  STALE_ENDPOINT: (context) =>
    `${serviceName(context)} sends it to ${context.facts.dnat?.ip ?? 'an address'}, which no Pod has any more.`,
  SVC_NOT_FOUND: ({ facts }) =>
    `No Service has the address ${facts.probe.to.ip ?? facts.probe.to.text}.`,
  SVC_PORT_MISMATCH: (context) => {
    const { protocol, port } = context.facts.probe;
    return port === undefined
      ? `${serviceName(context)} answers on its ports only: nothing translates ${protocol} to its address.`
      : `${serviceName(context)} declares no port ${port}/${protocol}.`;
  },
  SVC_CLUSTER_ONLY: (context) =>
    `${serviceName(context)} has no address that leads into the cluster from outside.`,
  SVC_NO_ENDPOINTS: (context) => `${serviceName(context)} has no endpoint that is ready.`,
  SVC_TARGET_PORT_UNRESOLVED: (context) =>
    `${serviceName(context)} names a targetPort that none of its Pods has.`,
  SVC_NO_LOCAL_ENDPOINT: (context) =>
    `${serviceName(context)} keeps to endpoints of the node, and ${context.about.node ?? 'the node'} has none.`,
  SVC_SOURCE_RANGE_DENIED: (context) =>
    `${serviceName(context)} does not let the sender's address in (loadBalancerSourceRanges).`,
  SVC_PROXY_NOT_PROGRAMMED: (context) => {
    const lacking = `${where(context)} has no rule that translates the address of ${serviceName(context)}`;
    switch (context.about.rules) {
      case 'never-written':
        return `${lacking}: nobody writes any (kubeProxy.mode none).`;
      case 'gone':
        return `${lacking}: kube-proxy wrote it, and a fault took it away.`;
      default:
        return `${lacking}.`;
    }
  },
  SVC_PROXY_STALE: (context) =>
    `A rule on ${where(context)} sends it to ${context.facts.dnat?.ip ?? 'an address'}, which is no endpoint of ${serviceName(context)}.`,
  SVC_HAIRPIN_NO_MASQ: (context) =>
    `The Pod is its own endpoint, and ${context.about.node ?? 'the node'} does not masquerade: it sees its own address as a source from outside.`,
  HAIRPIN_MODE_OFF: ({ about }) =>
    `The Pod is its own endpoint, and port ${about.device ?? ''} of the bridge on ${about.node ?? 'the node'} sends nothing back to where it came from.`,
  SVC_FAMILY_MISMATCH: (context) =>
    `${serviceName(context)} and its endpoints have addresses of different families.`,
  BRIDGE_NF_OFF: ({ about }) =>
    `The answer crosses the bridge on ${about.node ?? 'the node'} past its conntrack (bridge-nf-call-iptables is 0), so nothing gives it the source that was asked.`,
  MODEL_UNSUPPORTED: (context) => {
    const { cause, detail, quote } = context;
    const { table, chain, number, rule } = detail;
    const what =
      table !== undefined && chain !== undefined && rule
        ? `${table} ${chain} rule ${number ?? ''} on ${where(context)}, "${quote.rule(rule)}"`
        : unmodelled[cause.unmodelled ?? detail.unmodelled ?? 'rule'];
    return `The answer depends on what k8snet does not model yet: ${what}.`;
  },
  FACT_MISSING: ({ detail, facts, step, policy }) => {
    if (policy) return undecided(policy);
    if (facts.resolution && step?.kind !== 'deliver') return unknownName(facts.resolution, facts);
    const { declared = [] } = detail;
    const shown = declared.length > 0 ? ` (declared: ${list(declared)})` : '';
    return `The input does not say whether anything listens on ${detail.protocol ?? facts.probe.protocol} port ${detail.port ?? facts.probe.port ?? ''}${shown}.`;
  },
};
