/** The story in English. */
import type { Errno } from '../../kernel/event.ts';
import type { FibEntry, FibRule } from '../../kernel/fib.ts';
import type { Neigh } from '../../kernel/neigh.ts';
import type { ConntrackEntry } from '../../kernel/netfilter/conntrack.ts';
import type { Origin } from '../../kernel/origin.ts';
import type {
  CauseSubject,
  EndpointRef,
  Leg,
  LegPacket,
  RuleMiss,
  TraceProbe,
} from '../../trace/trace.ts';
import type { Layer, Unknown } from '../../wire/packet.ts';
import type { Catalogue, CauseWords, DetailOf, StepWords, Values } from '../catalogue.ts';
import { type Command, captureFilter, changesIn, commandIn, commandsIn } from '../check-command.ts';
import type { CauseContext, StepContext } from '../context.ts';
import { idSuffix, placeOf, portSuffix } from '../step.ts';

const list = (items: readonly string[]): string => {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
};

/** `10.244.1.1 (cni0 of node-1)`. */
const named = (ip: string, { nameOf }: { nameOf(ip: string): string | undefined }): string => {
  const name = nameOf(ip);
  return name === undefined ? ip : `${ip} (${name})`;
};

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

const sizeOnWire = (packet: readonly Layer[] | undefined): string | undefined => {
  const ip = packet?.find((layer) => layer.type === 'ipv4');
  return ip && `${ip.length} bytes of IP`;
};

/** Where a check is to be typed. */
const at = ({ about }: CauseContext, ...commands: readonly string[]): Command => {
  const { node, netns } = about;
  return node === undefined || netns === undefined
    ? anywhere(commands.join(' && '))
    : commandsIn({ node, netns }, commands);
};

/** Where what a fix changes is to be typed. */
const mend = ({ about }: CauseContext, ...commands: readonly string[]): Command => {
  const { node, netns } = about;
  return node === undefined || netns === undefined
    ? anywhere(commands.join(' && '))
    : changesIn({ node, netns }, commands);
};

/** A command for anybody who may use kubectl or the network. */
const anywhere = (text: string): Command => ({ prompt: '$', text });

/** What a place is called: a node by its name, a Pod with its namespace. */
const placeName = ({ node, netns }: Partial<CauseSubject>): string =>
  (netns === 'host' ? node : netns) ?? 'the network';

const where = ({ about }: CauseContext): string => placeName(about);

/** The machine of a place. */
const onNode = ({ about }: CauseContext, command: string): Command =>
  about.node === undefined
    ? anywhere(command)
    : commandIn({ node: about.node, netns: 'host' }, command);

/** The node or Pod that the packet stopped at, where that is not the one to mend. */
const stoppedAt = ({ hop }: CauseContext): string =>
  hop === undefined ? 'the network' : placeName(hop);

/** A check where the packet stopped. */
const atStop = ({ hop }: CauseContext, ...commands: readonly string[]): Command =>
  hop === undefined ? anywhere(commands.join(' && ')) : commandsIn(hop, commands);

const withArticle = (word: string): string => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;

const firewall = (context: CauseContext, verb: string): CauseWords => {
  const { detail } = context;
  const table = detail.table ?? 'filter';
  const rule = detail.number === undefined ? '' : ` rule ${detail.number}`;
  return {
    message: `${table} ${detail.chain ?? ''}${rule} on ${where(context)} ${verb} the packet.`,
    fix: mend(context, `iptables -t ${table} -D ${detail.chain ?? 'CHAIN'} ${detail.number ?? 1}`),
    check: at(context, `iptables -t ${table} -vnL ${detail.chain ?? ''} --line-numbers`),
  };
};

const routeGet = (context: CauseContext): Command => {
  const { dst, iif, src } = context.detail;
  const from = iif === undefined || src === undefined ? '' : ` from ${src} iif ${iif}`;
  return at(context, `ip route get ${dst ?? context.facts.probe.to.ip ?? 'DESTINATION'}${from}`);
};

/** What brings back the way that a packet would take; the last resort is a row to fill in. */
const routeFix = (context: CauseContext): Command => {
  const { about, quote, detail } = context;
  const { wrong, missing, device } = about;
  const commands: string[] = [];
  if (missing?.address !== undefined && device !== undefined) {
    commands.push(`ip addr add ${missing.address} dev ${device}`);
  }
  const { route } = missing ?? {};
  const replaces = route !== undefined && route.dst === wrong?.route?.dst;
  if (wrong?.route && !replaces) commands.push(`ip route del ${quote.route(wrong.route)}`);
  if (route) {
    commands.push(`ip route replace ${quote.route(route)}`);
  }
  if (commands.length === 0) {
    commands.push(`ip route add ${detail.dst ?? 'DESTINATION'} via NEXT-HOP`);
  }
  return mend(context, ...commands);
};

const martian = (context: CauseContext): CauseWords => {
  const { detail, packet, step } = context;
  if (detail.result === 'broadcast')
    return {
      message: `${detail.dst ?? 'The destination'} is a broadcast address to ${where(context)}: no single host has it.`,
      fix: 'Use the address of a Pod, a node or a host.',
      check: routeGet(context),
    };
  if (detail.reason === 'IP_LOCALNET') {
    const name = sysctlOf(step?.device ?? 'all', 'route_localnet');
    return {
      message: `127.0.0.0/8 stays inside a machine: ${where(context)} takes no packet to or from it on ${step?.device ?? 'a device'}, since ${name} is 0.`,
      fix: mend(context, `sysctl -w ${name}=1`),
      check: at(context, `sysctl net.ipv4.conf.all.route_localnet ${name}`),
    };
  }
  const source = packet.findLast((layer) => layer.type === 'ipv4')?.src;
  if (detail.reason === 'IP_LOCAL_SOURCE' && source !== undefined)
    return {
      message: `${where(context)} has the source address ${source} itself, and takes nothing from outside that says it comes from there.`,
      fix: `Let no other machine have ${source}, or translate to it.`,
      check: at(context, `ip addr show to ${source}`),
    };
  return {
    message: `${where(context)} does not accept a packet with these addresses from outside (a martian).`,
    fix: 'Use a routable address as source and destination.',
    check: at(context, 'sysctl -w net.ipv4.conf.all.log_martians=1'),
  };
};

/** Mends the row that led the packet astray, where it is known. */
const strayFix = (context: CauseContext): Command | undefined =>
  context.about.wrong || context.about.missing ? routeFix(context) : undefined;

/** What a machine that a packet stopped at has not seen of its connection. */
const seenOnly = ({ facts, cause, hop }: CauseContext): string => {
  const isHere = (other: Leg): boolean =>
    other.hops.some(({ node, netns }) => node === hop?.node && netns === hop.netns);
  const leg = facts.legs.find(({ hops }) =>
    hops.some(({ steps }) => steps.some(({ n }) => n === cause.step)),
  );
  const missed = facts.legs.find((other) => other.direction !== leg?.direction && !isHere(other));
  if (missed === undefined) return 'how it began';
  return missed.direction === 'request' ? 'the request' : 'the answer';
};

/** The machine that gave the packet another source on its way. */
const sourceEdit = ({ facts, cause }: CauseContext): string | undefined =>
  facts.legs
    .find(({ hops }) => hops.some(({ steps }) => steps.some(({ n }) => n === cause.step)))
    ?.hops.findLast(({ steps }) =>
      steps.some(({ action }) => action === 'masquerade' || action === 'snat'),
    )?.node;

const routeWords = (context: CauseContext, message: string): CauseWords => ({
  message,
  fix: routeFix(context),
  check: routeGet(context),
});

/** `the route "10.244.2.2 via 192.168.10.1 dev eth0" on node-1`. */
const wrongRoute = (context: CauseContext): string => {
  const { wrong } = context.about;
  const row = wrong?.route === undefined ? '' : ` "${context.quote.route(wrong.route)}"`;
  return `route${row} on ${where(context)}`;
};

/** `; it should be "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink"`. */
const rightRoute = ({ about, quote }: CauseContext): string =>
  about.missing?.route === undefined
    ? ''
    : `; without the faults it is "${quote.route(about.missing.route)}"`;

const noRoute = (context: CauseContext, whose = ''): CauseWords => {
  const { about, detail, quote } = context;
  const { missing, device } = about;
  const dst = detail.dst ?? 'the destination';
  if (missing?.address !== undefined) {
    return routeWords(
      context,
      `${device ?? 'A device'} of ${where(context)} has lost its address ${missing.address}, and with it the route${whose} to ${dst}.`,
    );
  }
  const row = missing?.route === undefined ? '' : ` "${quote.route(missing.route)}"`;
  const other = detail.row === undefined ? '' : `; the packet takes "${quote.route(detail.row)}"`;
  return routeWords(
    context,
    row === ''
      ? `${where(context)} has no route${whose} to ${dst}.`
      : `${where(context)} lacks the route${whose} to ${dst},${row}${other}.`,
  );
};

const routeType =
  (kind: string) =>
  (context: CauseContext): CauseWords => ({
    message: `${context.about.wrong?.route ? `The ${wrongRoute(context)}` : `${capital(withArticle(kind))} route on ${where(context)}`} covers ${context.detail.dst ?? 'the destination'}${rightRoute(context)}.`,
    fix: routeFix(context),
    check: routeGet(context),
  });

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** An ip rule as it is added: `from 10.244.1.0/24 lookup 100 pref 100`. */
const ruleWords = (rule: FibRule, { quote }: CauseContext): string =>
  `${quote.fibRule(rule).replace(/^\d+:\s*/, '')} pref ${rule.priority}`;

const neighReplace = ({ ip, dev, lladdr }: Neigh): string =>
  `ip neigh replace ${ip} lladdr ${lladdr ?? 'MAC'} dev ${dev} nud permanent`;

/** A sysctl of a device: its dots are not those of the name (sysctl(8)). */
const sysctlOf = (device: string, key: string): string =>
  `net.ipv4.conf.${device.replaceAll('.', '/')}.${key}`;

const linkWords = (context: CauseContext): { device: string; named: string } => {
  const { about } = context;
  const device = about.device ?? 'DEVICE';
  return { device, named: `${about.device ?? 'A device'} of ${where(context)}` };
};

/** `UDP port 8472`, as a firewall would call the packet. */
const trafficOf = ({ packet }: CauseContext): string => {
  const layer = packet.find(({ type }) => type === 'tcp' || type === 'udp' || type === 'icmp');
  if (layer?.type !== 'tcp' && layer?.type !== 'udp') return layer ? 'ICMP' : 'the packet';
  return `${layer.type.toUpperCase()} port ${portSuffix(layer.dport).slice(1)}`;
};

/** Asks the real network what the model does not know. */
const tryIt = ({ to, port, protocol }: TraceProbe): string => {
  const target = to.ip ?? to.name ?? 'DESTINATION';
  if (port === undefined) return `ping -c 1 ${target}`;
  return `nc -${protocol === 'udp' ? 'u' : ''}zvw 3 ${target} ${port}`;
};

/** Payload of a ping that is as long as the packet that was lost. */
const PING_HEADERS = 28;

/** Bytes of IP that the sender put on its own device: a tunnel adds to them on the way. */
const sentLength = ({ facts, cause }: CauseContext): number | undefined => {
  const leg = facts.legs.find(({ hops }) =>
    hops.some(({ steps }) => steps.some(({ n }) => n === cause.step)),
  );
  const packet = leg?.hops[0]?.steps.find(({ kind }) => kind === 'transmit')?.packet;
  return packet?.find((layer) => layer.type === 'ipv4')?.length;
};

const sourcePod = ({ facts }: CauseContext, command: string): Command => {
  const { kind, namespace, name } = facts.probe.from;
  return kind === 'pod' && namespace !== undefined && name !== undefined
    ? anywhere(`kubectl exec -n ${namespace} ${name} -- ${command}`)
    : anywhere(command);
};

/** `-n default pod-a`. */
const podArguments = ({ namespace, name }: EndpointRef): string =>
  [...(namespace === undefined ? [] : ['-n', namespace]), name ?? 'POD'].join(' ');

/** The listening sockets of a protocol. */
const listeners = (context: CauseContext): Command => {
  const { detail, facts } = context;
  return at(context, `ss -ln${(detail.protocol ?? facts.probe.protocol) === 'udp' ? 'u' : 't'}p`);
};

/** The Pod of a place, to be made again by its controller. */
const deletePod = ({ about }: CauseContext): string | undefined => {
  if (about.netns === undefined || about.netns === 'host') return undefined;
  const [namespace, pod] = about.netns.split('/');
  return `kubectl delete pod -n ${namespace} ${pod}`;
};

const processName = (process: string | undefined): string => process ?? 'a process';

const sends = (
  detail: { protocol: string; dst: string; dport?: number; process?: string },
  { leg }: StepContext,
): string => {
  const who = processName(detail.process);
  const target = `${detail.dst}${portSuffix(detail.dport)}`;
  switch (leg.packet) {
    case 'syn':
      return `${who} connects to ${target}`;
    case 'datagram':
      return `${who} sends a datagram to ${target}`;
    case 'echo':
      return `${who} pings ${detail.dst}`;
    default:
      return `${who} sends to ${target}`;
  }
};

/** A route without what only `-v` needs: `10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink`. */
const shortRoute = (row: FibEntry): string =>
  [
    row.type === 'unicast' ? '' : row.type,
    row.dst === '0.0.0.0/0' ? 'default' : row.dst,
    row.via === undefined ? '' : `via ${row.via}`,
    row.dev === undefined ? '' : `dev ${row.dev}`,
    row.onlink ? 'onlink' : '',
  ]
    .filter((word) => word !== '')
    .join(' ');

const routeAside = (detail: DetailOf<'route.lookup'>): string | undefined => {
  if (detail.purpose === 'underlay') return 'for the outer packet';
  if (detail.purpose === 'reverse-path') return 'may its source come from here?';
  const { row } = detail;
  if (row === undefined || row.type !== 'unicast') return undefined;
  if (row.via === undefined) return 'same network, no router';
  return row.dst === '0.0.0.0/0' ? 'elsewhere, so to the gateway' : undefined;
};

/** The device or Pod that answered an ARP request, as the exchange shows. */
const answerer = (detail: DetailOf<'neighbour.resolved'>, { nameOf, hop }: StepContext): string => {
  const answer = detail.exchange?.find(
    ({ direction, packet }) =>
      direction === 'transmit' &&
      packet.some((layer) => layer.type === 'arp' && layer.op === 'reply'),
  );
  if (answer === undefined) return nameOf(detail.ip) ?? 'its owner';
  const [node = '', ...netns] = answer.netns.split('/');
  if (netns.join('/') !== 'host') return netns.at(-1) ?? node;
  return node === hop.node ? answer.device : node;
};

const placeOfPeer = (
  peer: DetailOf<'transmit.xmit'>['peer'],
  { hop }: StepContext,
): string | undefined => {
  if (peer === undefined) return undefined;
  const netns = peer.netns.split('/').slice(1).join('/');
  if (netns === 'host') return hop.netns === 'host' ? peer.device : `${peer.device} of the node`;
  return `${peer.device} of ${netns}`;
};

const withAside = (text: string, aside: string | undefined): StepWords =>
  aside === undefined ? { text } : { text, aside };

export const en: Catalogue = {
  language: 'en',
  steps: {
    'socket.send': (detail, context) => ({ text: sends(detail, context) }),
    'socket.kernel-send': (detail, context) => {
      switch (detail.what) {
        case 'rst':
          return { text: `the kernel answers ${detail.dst} with RST: nothing listens` };
        case 'syn-ack':
          return { text: `the listening socket answers ${detail.dst} with SYN/ACK` };
        case 'echo-reply':
          return { text: `the kernel answers ${detail.dst} with an echo reply` };
        case 'icmp-error':
          return { text: `the kernel tells ${detail.dst}: ${icmpOfLeg(context.leg)}` };
        case 'answer':
          return { text: `the application answers ${detail.dst}` };
        default:
          return detail.what satisfies never;
      }
    },
    'socket.error': (detail) => ({
      text: `the call fails: ${errnoNames[detail.errno]} (${detail.errno})`,
    }),
    'route.lookup': (detail) => {
      switch (detail.result) {
        case 'unicast':
          return withAside(detail.row ? shortRoute(detail.row) : 'found', routeAside(detail));
        case 'local':
          return withAside(
            `${detail.dst} is an address of this namespace`,
            detail.purpose === 'output' ? 'so over lo' : undefined,
          );
        case 'broadcast':
          return { text: `${detail.dst} is a broadcast address` };
        case 'no-route':
          return { text: `no route to ${detail.dst}` };
        case 'blackhole':
        case 'unreachable':
        case 'prohibit':
          return withAside(
            detail.row ? shortRoute(detail.row) : `an ip rule says ${detail.result}`,
            detail.row ? undefined : detail.dst,
          );
        default:
          return detail.result satisfies never;
      }
    },
    'neighbour.known': (detail) => ({
      text: `${detail.ip} is at ${detail.lladdr ?? 'no address'}`,
      aside: detail.row?.state === 'PERMANENT' ? 'permanent entry' : 'already known',
    }),
    'neighbour.resolved': (detail, context) => ({
      text: `${detail.ip} is at ${detail.lladdr ?? '?'}`,
      aside: `ARP: ${answerer(detail, context)} answered`,
    }),
    'neighbour.failed': (detail) => ({
      text: `nobody answers for ${detail.ip}`,
      aside: detail.asked === undefined ? 'ARP' : `ARP, asked ${count(detail.asked, 'time')}`,
    }),
    'neighbour.noarp': (detail) => ({ text: `${detail.ip} needs no link-layer address` }),
    'transmit.xmit': (detail, context) => {
      const { glyphs, nextHop, step } = context;
      switch (detail.via) {
        case 'veth':
          return {
            text: `${glyphs.link} ${placeOfPeer(detail.peer, context) ?? 'nowhere'}`,
            aside: 'veth pair',
          };
        case 'wire': {
          const to = nextHop?.steps[0]?.device;
          return withAside(
            `${glyphs.wire} wire${nextHop ? ` ${glyphs.wire} ${to === undefined ? '' : `${to} of `}${nextHop.node}` : ''}`,
            sizeOnWire(step.packet),
          );
        }
        case 'loopback':
          return {
            text: `${glyphs.link} back into the same namespace`,
            aside: 'no veth pair, no bridge',
          };
        case 'tunnel':
          return { text: `${glyphs.link} into the tunnel` };
        case 'bridge-port':
          return { text: `${glyphs.link} into the bridge` };
        case undefined:
          return { text: glyphs.link };
        default:
          return detail.via satisfies never;
      }
    },
    'receive.accept': (detail) => ({
      text: 'came in',
      ...(detail.from !== undefined && {
        aside: `from the ${detail.from === 'veth' ? 'other end of the veth pair' : detail.from}`,
      }),
    }),
    'receive.other-host': () => ({ text: 'the frame is for another MAC address: ignored' }),
    'receive.to-bridge': () => ({ text: 'came in on a port of the bridge' }),
    'receive.from-bridge': () => ({ text: 'handed up by the bridge to its own stack' }),
    'bridge.forward': (detail) => ({
      text: `${detail.mac} is behind port ${detail.outPort ?? '?'}`,
      aside: 'FDB lookup',
    }),
    'bridge.flood': (detail) => ({
      text: `${detail.mac} is in no FDB row: out of every other port`,
      ...(detail.copies !== undefined &&
        detail.copies.length > 0 && { aside: count(detail.copies.length, 'copy', 'copies') }),
    }),
    'bridge.local': (detail) => ({
      text: `${detail.inPort === undefined ? '' : `from ${detail.inPort}, `}for the bridge's own MAC`,
      aside: 'up to the node',
    }),
    'encapsulate.vxlan': (detail, { glyphs }) => ({
      text: `VNI ${detail.vni} in UDP ${detail.dport}, ${detail.local} ${glyphs.to} ${detail.remote}`,
      aside: `+${detail.overhead} bytes`,
    }),
    'decapsulate.vxlan': (detail, context) => ({
      text: `unpacks VNI ${detail.vni}, packed by ${named(detail.remote, context)}`,
    }),
    'hook.accept': (detail) => ({
      text: `${detail.hook}${detail.bridged ? ' of a bridged frame' : ''}: ${list(detail.chains.map(chainText)) || 'no chain'} ${detail.chains.length === 1 ? 'lets' : 'let'} it pass`,
    }),
    'hook.drop': (detail) => ({ text: `${detail.hook} drops it` }),
    'hook.reject': (detail) => ({ text: `${detail.hook} rejects it` }),
    'hook.unknown': (detail) => ({ text: `${detail.hook} meets a rule that is not modelled` }),
    'rule.accept': (detail) => ({
      text: `${detail.chain} rule ${detail.number ?? '?'} accepts`,
      aside: detail.table,
    }),
    'rule.drop': (detail) => ({
      text: `${detail.chain} rule ${detail.number ?? '?'} drops it`,
      aside: detail.table,
    }),
    'rule.reject': (detail) => ({
      text: `${detail.chain} rule ${detail.number ?? '?'} rejects it`,
      aside: detail.table,
    }),
    'rule.mark': (detail) => ({
      text: `${detail.chain} rule ${detail.number ?? '?'} marks it 0x${(detail.mark ?? 0).toString(16)}`,
      aside: detail.table,
    }),
    'rule.return': (detail) => ({
      text: `${detail.chain} rule ${detail.number ?? '?'} returns`,
      aside: detail.table,
    }),
    'rule.jump': (detail) => ({
      text: `${detail.chain} rule ${detail.number ?? '?'} jumps on`,
      aside: detail.table,
    }),
    'rule.policy-drop': (detail) => ({
      text: `${detail.chain} has policy DROP, and no rule accepted`,
      aside: detail.table,
    }),
    'rule.unmodelled': (detail) => ({
      text: `${detail.chain} rule ${detail.number ?? '?'} would decide, and is not modelled`,
      aside: detail.table,
    }),
    'nat.snat': (detail, context) => ({ text: natText(detail, context), aside: 'SNAT' }),
    'nat.dnat': (detail, context) => ({ text: natText(detail, context), aside: 'DNAT' }),
    'nat.masquerade': (detail, context) => ({
      text: natText(detail, context),
      aside: 'MASQUERADE',
    }),
    'nat.un-snat': (detail, context) => ({
      text: natText(detail, context),
      aside: 'conntrack knows the flow',
    }),
    'nat.un-dnat': (detail, context) => ({
      text: natText(detail, context),
      aside: 'conntrack knows the flow',
    }),
    'conntrack.new': () => ({ text: 'first packet of a connection: NEW' }),
    'conntrack.established': () => ({ text: 'belongs to a known connection: ESTABLISHED' }),
    'conntrack.related': () => ({ text: 'an error about a known connection: RELATED' }),
    'conntrack.invalid': () => ({ text: 'fits no known connection: INVALID' }),
    'conntrack.confirm': () => ({ text: 'the connection is remembered' }),
    'policy.not-enforced': (detail) => ({
      text: `NetworkPolicy ${list(detail.policies)} exists, and the plugin does not enforce it`,
    }),
    'forward.forward': (detail, context) => ({
      text: `${detail.from} ${context.glyphs.to} ${detail.to}`,
      aside: `TTL ${detail.ttlBefore} ${context.glyphs.to} ${detail.ttlAfter}`,
    }),
    'size.fits': (detail) => ({
      text: `${detail.length} bytes fit the MTU ${detail.mtu} of ${detail.device}`,
    }),
    'size.too-big': (detail) => ({
      text: `${detail.length} bytes do not fit the MTU ${detail.mtu} of ${detail.device}`,
      ...(detail.df && { aside: 'and must not be fragmented (DF)' }),
    }),
    'size.pmtu-learned': (detail) => ({
      text: `learned: at most ${detail.mtu} bytes on this path`,
    }),
    'wire.carry': (detail) => ({ text: `carried to ${detail.to ?? 'everybody'}` }),
    'wire.cut': (detail) => ({
      text: `the wire between ${detail.from} and ${detail.to ?? 'the others'} loses it`,
    }),
    'wire.nobody': (detail) => ({ text: `nobody on ${detail.segment} has that MAC address` }),
    'deliver.socket': (detail, { leg }) =>
      leg.direction === 'reply'
        ? { text: `${processName(detail.process)} ${repliedText(leg.packet)}` }
        : {
            text: `${processName(detail.process)} listens on ${detail.ip}${portSuffix(detail.port)}`,
            ...(detail.assumed && { aside: 'assumed' }),
          },
    'deliver.echo': (detail) => ({ text: `the kernel answers echo requests to ${detail.ip}` }),
    'deliver.icmp-error': (detail) => ({
      text: `the sender hears: ${detail.error ? icmpText(detail.error.kind, detail.error.code) : 'ICMP error'}`,
    }),
    'deliver.no-listener': (detail) => ({
      text: `nothing listens on ${detail.ip}${portSuffix(detail.port)}`,
      ...(detail.otherListener !== undefined && {
        aside: `${detail.otherListener.process} listens on ${detail.otherListener.ip}`,
      }),
    }),
    'deliver.unknown-listener': (detail) => ({
      text: `the input does not say whether anything listens on ${detail.protocol} ${detail.port ?? ''}`,
    }),
    'drop.drop': (detail) =>
      detail.unmodelled === undefined
        ? { text: dropText(detail.reason), aside: detail.reason }
        : { text: `not modelled yet: ${en.unmodelled[detail.unmodelled]}` },
  },
  causes: {
    SRC_NOT_RUNNING: ({ facts }) => ({
      message: `${facts.probe.from.text} is not running, so no packet exists.`,
      fix: anywhere(`kubectl describe pod ${podArguments(facts.probe.from)}`),
      check: anywhere(`kubectl get pod ${podArguments(facts.probe.from)} -o wide`),
    }),
    DST_NOT_RUNNING: ({ facts }) => ({
      message: `${facts.probe.to.text} is not running and has no address, so no packet exists.`,
      fix: anywhere(`kubectl describe pod ${podArguments(facts.probe.to)}`),
      check: anywhere(`kubectl get pod ${podArguments(facts.probe.to)} -o wide`),
    }),
    UNKNOWN_DST_IP: (context) => ({
      message: `${context.detail.ip ?? context.facts.probe.to.ip ?? 'The address'} belongs to no Pod, node or host of this cluster.`,
      fix: 'Use the address of a running Pod: kubectl get pods -A -o wide',
      check: anywhere(
        `kubectl get pods -A -o wide | grep ${context.detail.ip ?? context.facts.probe.to.ip ?? 'ADDRESS'}`,
      ),
    }),
    DUPLICATE_IP: (context) => {
      const { device = 'DEVICE', wrong } = context.about;
      const [ip = 'The address'] = wrong?.address?.split('/') ?? [];
      // Who asked in vain has it by right; else that is the owner that the cluster knows.
      const asked = context.step?.action === 'failed';
      const owner = (asked ? undefined : context.nameOf(ip)) ?? stoppedAt(context);
      return {
        message: `${ip} is in use twice: by ${owner}, and on ${device} of ${where(context)}, which takes it for its own.`,
        fix: mend(context, `ip addr del ${wrong?.address ?? 'ADDRESS'} dev ${device}`),
        check: at(context, `ip addr show to ${ip}`),
      };
    },
    LINK_MISSING: (context) => {
      const { named } = linkWords(context);
      const remake = deletePod(context);
      return {
        message: `${named} does not exist.`,
        fix:
          remake === undefined
            ? `Delete the Pods of ${where(context)}, so that the CNI plugin sets them up again, and the device with the first one.`
            : `Delete the Pod, so that the CNI plugin sets it up again: ${remake}`,
        check: at(context, `ip link show ${context.about.device ?? ''}`.trimEnd()),
      };
    },
    LINK_DOWN: (context) => {
      const { device, named } = linkWords(context);
      const { address, route, neighbour } = context.about.missing ?? {};
      const which = route?.dst === '0.0.0.0/0' ? 'default route' : `route to ${route?.dst}`;
      const taken = route === undefined ? '' : `, and has taken the ${which} along`;
      return {
        message: `${named} is down${taken}.`,
        fix: mend(
          context,
          `ip link set ${device} up`,
          ...(address === undefined ? [] : [`ip addr add ${address} dev ${device}`]),
          ...(route ? [`ip route replace ${context.quote.route(route)}`] : []),
          ...(neighbour ? [neighReplace(neighbour)] : []),
        ),
        check: at(context, `ip link show ${device}`),
      };
    },
    VETH_PEER_BROKEN: (context) => {
      const remake = deletePod(context) ?? 'kubectl delete pod POD';
      return {
        message: `The veth pair of ${linkWords(context).named} has lost its other end.`,
        fix: `Delete the Pod, so that the CNI plugin makes a new pair: ${remake}`,
        check: at(context, `ip -d link show ${context.about.device ?? 'eth0'}`),
      };
    },
    BRIDGE_DETACHED: (context) => {
      const { device, named } = linkWords(context);
      const { bridge } = context.about;
      return {
        message: `${named}, the host end of a veth pair, is not plugged into ${bridge ?? 'a bridge'}.`,
        fix: mend(context, `ip link set ${device} master ${bridge ?? 'BRIDGE'}`),
        check: at(context, `ip -d link show ${device}`),
      };
    },
    BRIDGE_PORT_STATE: (context) => {
      const { device } = linkWords(context);
      const { bridge } = context.about;
      return {
        message: `${context.about.device === undefined ? 'A port' : `Port ${device}`}${bridge === undefined ? '' : ` of ${bridge}`} on ${where(context)} does not forward.`,
        fix: mend(context, `bridge link set dev ${device} state 3`),
        check: at(context, `bridge -d link show dev ${device}`),
      };
    },
    NO_ROUTE: (context) => noRoute(context),
    ROUTE_BLACKHOLE: routeType('blackhole'),
    ROUTE_UNREACHABLE: routeType('unreachable'),
    ROUTE_PROHIBIT: routeType('prohibit'),
    ROUTE_THROW: routeType('throw'),
    ROUTE_WRONG_DEV: (context) =>
      routeWords(
        context,
        `The ${wrongRoute(context)} leads out of the wrong device${rightRoute(context)}.`,
      ),
    ROUTE_WRONG_NEXTHOP: (context) =>
      routeWords(
        context,
        `The ${wrongRoute(context)} names a next hop that does not lead to ${context.detail.dst ?? 'the destination'}${rightRoute(context)}.`,
      ),
    ROUTE_WRONG_NET: (context) => {
      const { device = 'DEVICE', wrong } = context.about;
      const address = wrong?.address ?? 'ADDRESS';
      return {
        message: `${device} of ${where(context)} has address ${address}, so it looks for ${context.detail.dst ?? 'the destination'} on its own link, where it is not.`,
        fix: mend(context, `ip addr del ${address} dev ${device}`),
        check: routeGet(context),
      };
    },
    ROUTE_SHADOWED: (context) =>
      routeWords(context, `The ${wrongRoute(context)} hides the right one.`),
    POLICY_RULE_DIVERTED: (context) => {
      const { wrong, missing } = context.about;
      const added = wrong?.ipRule;
      const gone = missing?.ipRule;
      const commands = [
        ...(added ? [`ip rule del ${ruleWords(added, context)}`] : []),
        ...(gone ? [`ip rule add ${ruleWords(gone, context)}`] : []),
      ];
      return {
        message: added
          ? `The ip rule "${ruleWords(added, context)}" on ${where(context)} decides before the table with the right route is asked.`
          : `${where(context)} lacks the ip rule${gone ? ` "${ruleWords(gone, context)}"` : ''} that leads to the right route.`,
        fix: mend(context, ...(commands.length > 0 ? commands : ['ip rule del pref PRIORITY'])),
        check: at(context, 'ip rule show'),
      };
    },
    NEIGH_FAILED: (context) => neighFailed(context),
    PROXY_ARP_OFF: (context) => {
      const { device = 'DEVICE' } = context.about;
      const name = sysctlOf(device, 'proxy_arp');
      return {
        message: `${stoppedAt(context)} has a default route without a router and asks ${where(context)} for ${context.detail.ip ?? 'the destination'} itself, which does not answer for others: ${name} is 0.`,
        fix: mend(context, `sysctl -w ${name}=1`),
        check: at(context, `sysctl ${name}`),
      };
    },
    IP_FORWARD_OFF: (context) => ({
      message: `${where(context)} does not forward packets: net.ipv4.ip_forward is 0.`,
      fix: mend(context, 'sysctl -w net.ipv4.ip_forward=1'),
      check: at(context, 'sysctl net.ipv4.ip_forward'),
    }),
    IF_FORWARD_OFF: (context) => {
      const name = sysctlOf(linkWords(context).device, 'forwarding');
      return {
        message: `${where(context)} does not forward packets that come in on ${context.about.device ?? 'this device'}: ${name} is 0.`,
        fix: mend(context, `sysctl -w ${name}=1`),
        check: at(context, `sysctl ${name}`),
      };
    },
    RP_FILTER_DROP: (context) => {
      const { device = 'all', missing, wrong } = context.about;
      const source = context.packet.find((layer) => layer.type === 'ipv4')?.src ?? 'its source';
      const name = sysctlOf(device, 'rp_filter');
      return {
        message: `The reverse path filter of ${where(context)} drops it: the way back to ${source} does not lead out of ${device === 'all' ? 'the device it came in on' : device}.`,
        fix: missing || wrong ? routeFix(context) : mend(context, `sysctl -w ${name}=2`),
        check: at(context, `ip route get ${source}`, `sysctl net.ipv4.conf.all.rp_filter ${name}`),
      };
    },
    MARTIAN_OR_NONROUTABLE: (context) => martian(context),
    TTL_EXCEEDED: (context) => ({
      message: `The TTL ended on ${where(context)}.`,
      fix: 'Look for a routing loop, or raise the TTL of the sender.',
      check: sourcePod(context, `traceroute -n ${context.facts.probe.to.ip ?? 'DESTINATION'}`),
    }),
    MTU_EXCEEDED_DF: (context) => ({
      message: `${context.detail.length ?? 'The'} bytes do not fit the MTU ${context.detail.mtu ?? ''} of ${context.detail.device ?? 'the device'} on ${where(context)}, and the packet must not be fragmented.`,
      fix: `Lower the MTU of the Pods to ${context.detail.mtu ?? 'what the path can carry'} (the plugin's mtu setting).`,
      check: at(context, `ip link show ${context.detail.device ?? ''}`),
    }),
    PMTU_BLACKHOLE: (context) => {
      const { length, mtu, device } = context.detail;
      return {
        message: `${length ?? 'Large'}${length === undefined ? ' packets' : ' bytes'} do not fit the MTU ${mtu ?? ''} of ${device ?? 'a device'} on ${where(context)}, and the ICMP message that says so does not reach the sender.`,
        fix: `Lower the MTU of the Pods to ${mtu ?? 'what the path can carry'}, or let ICMP type 3 code 4 pass.`,
        check: sourcePod(
          context,
          `ping -M do -s ${(sentLength(context) ?? length ?? 1500) - PING_HEADERS} ${context.facts.probe.to.ip ?? 'DESTINATION'}`,
        ),
      };
    },
    TUNNEL_MISSING: (context) => ({
      message: `${where(context)} has no tunnel device${context.about.device === undefined ? '' : ` ${context.about.device}`}.`,
      fix: `Restart the network plugin's agent there: kubectl delete pod -n kube-flannel -l app=flannel --field-selector spec.nodeName=${context.about.node ?? 'NODE'}`,
      check: at(context, 'ip -d link show type vxlan'),
    }),
    VTEP_NEIGH_MISSING: (context) => {
      const { device, missing } = context.about;
      const ip = context.detail.ip ?? 'VTEP-IP';
      const dev = device ?? 'DEVICE';
      return {
        message: `${where(context)} does not know the MAC address of the tunnel end ${named(ip, context)}, and nobody answers for it on ${dev}.`,
        fix: mend(
          context,
          missing?.neighbour
            ? neighReplace(missing.neighbour)
            : `ip neigh replace ${ip} lladdr VTEP-MAC dev ${dev} nud permanent`,
        ),
        check: at(context, `ip neigh show dev ${dev}`),
      };
    },
    VTEP_FDB_MISSING: (context) => {
      const { device = 'DEVICE', mac, missing } = context.about;
      return {
        message: `${device} of ${where(context)} does not know behind which node ${mac === undefined ? "the tunnel end's MAC address" : mac} is.`,
        fix: mend(
          context,
          `bridge fdb append ${missing?.fdb ? context.quote.fdb(missing.fdb) : `${mac ?? 'VTEP-MAC'} dev ${device} dst NODE-IP self permanent`}`,
        ),
        check: at(context, `bridge fdb show dev ${device}`),
      };
    },
    VTEP_FDB_WRONG: (context) => {
      const { device = 'DEVICE', wrong, missing } = context.about;
      const { fdb } = wrong ?? {};
      const right = missing?.fdb ? context.quote.fdb(missing.fdb) : undefined;
      return {
        message:
          fdb?.dst === undefined
            ? `The tunnel packet reaches ${stoppedAt(context)}, which it is not for.`
            : `${device} of ${where(context)} sends what is for ${fdb.mac} to ${named(fdb.dst, context)}${missing?.fdb?.dst === undefined ? '' : ` instead of ${named(missing.fdb.dst, context)}`}.`,
        fix: mend(
          context,
          `bridge fdb replace ${right ?? `VTEP-MAC dev ${device} dst NODE-IP self permanent`}`,
        ),
        check: at(context, `bridge fdb show dev ${device}`),
      };
    },
    ENCAP_ENDPOINT_MISMATCH: (context) => ({
      message: `The tunnel packet reaches ${where(context)}, whose tunnel ${context.about.device ?? ''} has another UDP port or VNI.`,
      fix: 'Give every node the same VNI and port in net-conf.json.',
      check: at(context, 'ip -d link show type vxlan'),
    }),
    UNDERLAY_BLOCKED: (context) => {
      const { node = 'the nodes', peer = 'the others' } = context.about;
      const silent = context.step?.kind === 'neighbour';
      const traffic = silent ? 'everything' : trafficOf(context);
      const filter = silent ? 'arp' : captureFilter(context.packet);
      return {
        message: `The wire between ${node} and ${peer} loses ${silent ? 'even ARP' : `the packet (${traffic})`}.`,
        fix: `Let ${traffic} pass between ${node} and ${peer}, in the firewall or security group of their network.`,
        check: onNode(
          { ...context, about: { node: context.about.peer ?? node, netns: 'host' } },
          `tcpdump -p -ni any ${filter}`.trimEnd(),
        ),
      };
    },
    FIREWALL_DROP: (context) => firewall(context, 'drops'),
    FIREWALL_REJECT: (context) => firewall(context, 'rejects'),
    CHAIN_POLICY_DROP: (context) => {
      const { table = 'filter', chain = 'FORWARD' } = context.detail;
      return {
        message: `${table} ${chain} on ${where(context)} has policy DROP, and no rule accepted the packet.`,
        fix: mend(context, `iptables -t ${table} -P ${chain} ACCEPT`),
        check: at(context, `iptables -t ${table} -vnL ${chain} --line-numbers`),
      };
    },
    ECHO_IGNORED: (context) => ({
      message: `${where(context)} ignores echoes: net.ipv4.icmp_echo_ignore_all is 1.`,
      fix: mend(context, 'sysctl -w net.ipv4.icmp_echo_ignore_all=0'),
      check: at(context, 'sysctl net.ipv4.icmp_echo_ignore_all'),
    }),
    NO_LISTENER: (context) => {
      const { detail, facts } = context;
      const other = detail.otherListener;
      const held =
        other === undefined
          ? ''
          : context.hop?.netns === 'host'
            ? ` ${other.process} has that port; a Pod on the node's network shares the node's ports.`
            : ` Container ${other.process} has that port; the containers of a Pod share one port space.`;
      return {
        message: `Nothing of ${facts.probe.to.container ?? facts.probe.to.name ?? facts.probe.to.ip ?? facts.probe.to.text} listens on ${detail.protocol ?? facts.probe.protocol} port ${detail.port ?? facts.probe.port ?? ''}.${held}`,
        fix: 'Start the server, or connect to a port that it listens on.',
        check: listeners(context),
      };
    },
    LISTENER_WRONG_ADDR: (context) => ({
      message: `${context.detail.otherListener?.process ?? 'The server'} listens on ${context.detail.otherListener?.ip ?? 'another address'} only, not on ${context.detail.ip ?? 'the address asked for'}.`,
      fix: 'Let the server listen on 0.0.0.0.',
      check: listeners(context),
    }),
    NO_SNAT_FOR_EGRESS: (context) => ({
      message: `The packet left the cluster with the Pod's own address (${context.detail.dst ?? context.facts.probe.from.ip ?? ''}): the outside has no way back to it.`,
      fix: `Let ${where(context)} masquerade what leaves the cluster (flanneld --ip-masq, or ipMasq of the bridge plugin).`,
      check: at(context, 'iptables -t nat -S'),
    }),
    CT_INVALID: (context) => {
      const { table = 'filter', chain = 'FORWARD', number } = context.detail;
      const node = stoppedAt(context);
      return {
        message: `${table} ${chain} rule ${number ?? ''} on ${node} drops packets of no known connection (INVALID): conntrack there has not seen ${seenOnly(context)}.`,
        fix: strayFix(context) ?? `Let both directions of the connection pass ${node}, or neither.`,
        check: atStop(context, `iptables -t ${table} -vnL ${chain} --line-numbers`),
      };
    },
    REPLY_ASYMMETRIC: (context) => {
      const device = context.step?.device ?? 'another device';
      const node = stoppedAt(context);
      const source = context.packet.find((layer) => layer.type === 'ipv4')?.src ?? 'its source';
      const name = sysctlOf(device, 'rp_filter');
      return {
        message: `The answer comes to ${node} on ${device}, and the request left by another device: the reverse path filter drops it.`,
        fix: strayFix(context) ?? mend(context, `sysctl -w ${name}=2`),
        check: atStop(
          context,
          `ip route get ${source}`,
          `sysctl net.ipv4.conf.all.rp_filter ${name}`,
        ),
      };
    },
    REPLY_NO_SESSION: (context) => {
      const { src = 'another address' } =
        context.packet.findLast((layer) => layer.type === 'ipv4') ?? {};
      const edit = sourceEdit(context);
      return {
        message: `The answer comes to ${where(context)} from ${named(src, context)}, and no socket there asked that address${edit === undefined ? '' : `: ${edit} on the way translated its source`}.`,
        fix: 'Lead the answer through the machine that translated the request, and past any other that translates.',
        check: at(context, `tcpdump -p -ni any src host ${src}`),
      };
    },
    REPLY_NO_ROUTE: (context) => noRoute(context, ' for the answer'),
    MODEL_UNSUPPORTED: (context) => {
      const { cause, detail, quote } = context;
      const what = cause.unmodelled ?? detail.unmodelled ?? 'rule';
      const { table, chain, number, rule } = detail;
      if (table !== undefined && chain !== undefined && rule) {
        return {
          message: `The answer depends on what k8snet does not model yet: ${table} ${chain} rule ${number ?? ''} on ${where(context)}, "${quote.rule(rule)}".`,
          fix: 'See docs/fidelity.md for what is modelled.',
          check: at(context, `iptables -t ${table} -vnL ${chain} --line-numbers`),
        };
      }
      return {
        message: `The answer depends on what k8snet does not model yet: ${en.unmodelled[what]}.`,
        fix: 'See docs/fidelity.md for what is modelled.',
        check: sourcePod(context, tryIt(context.facts.probe)),
      };
    },
    FACT_MISSING: (context) => ({
      message: `The input does not say whether anything listens on ${context.detail.protocol ?? context.facts.probe.protocol} port ${context.detail.port ?? context.facts.probe.port ?? ''}${context.detail.declared && context.detail.declared.length > 0 ? ` (declared: ${list(context.detail.declared)})` : ''}.`,
      fix: 'Declare the port in the Pod (containerPort), or add the annotation k8snet/listen: "8080/tcp".',
      check: listeners(context),
    }),
  },
  verdicts: {
    delivered: 'delivered and answered',
    refused: 'refused: it arrived, and nothing listens there',
    rejected: 'rejected: an error came back from the way',
    'rejected-here': "rejected: the sender's own kernel says no",
    'rejected-unheard': 'rejected: an error was sent, and the sender does not hear it',
    dropped: 'dropped: it vanished silently',
    unsent: 'dropped: there is nothing to send, or nobody to send it to',
    looped: 'looped: it passes the same place again and again',
    'reply-lost': 'the request arrived, the answer did not come back',
    ambiguous: 'ambiguous: it depends on which way is picked',
    inconclusive: 'inconclusive: a needed fact is missing or not modelled',
  },
  symptoms: {
    connected: 'connected',
    timeout: 'timeout',
    'connection refused': 'connection refused',
    'connection reset': 'connection reset',
    'no route to host': 'no route to host',
    'network unreachable': 'network unreachable',
    'invalid argument': 'invalid argument',
    'permission denied': 'permission denied',
    'message too long': 'message too long',
    'name not found': 'name not found',
    'hangs on large data': 'hangs on large data',
    'protocol not available': 'protocol not available',
    unknown: 'unknown',
  },
  packets: {
    syn: 'SYN',
    synack: 'SYN/ACK',
    rst: 'RST',
    ack: 'ACK',
    data: 'data',
    datagram: 'datagram',
    echo: 'echo request',
    'echo-reply': 'echo reply',
    'icmp-error': 'ICMP error',
  },
  whys: {
    loopback: 'the loopback device',
    address: 'an address',
    'connected-route': 'the connected route of an address',
    'local-route': 'the local route of an address',
    'broadcast-route': 'the broadcast route of an address',
    'default-rule': 'a rule that every namespace has',
    'sysctl-default': 'a default of the kernel',
    'pod-container': 'a container of a Pod',
    'pod-veth': "a Pod's veth pair",
    'pod-address': "a Pod's address",
    'pod-default-route': "a Pod's default route",
    'pod-cluster-route': "a Pod's route to the cluster's range",
    'pod-range-route': "a range of the node's Pods outside the bridge's subnet",
    'pod-sysctl': "a Pod's setting",
    'bridge-device': 'the bridge of the Pods',
    'bridge-gateway': "the bridge's address, the Pods' gateway",
    'bridge-port': 'a port of the bridge',
    'ip-masq': 'the masquerade rules of a Pod',
    'tunnel-device': 'the tunnel device',
    'tunnel-address': "the tunnel device's address",
    'tunnel-neighbour': "a peer's tunnel MAC address",
    'tunnel-fdb': "a peer's node behind its tunnel MAC address",
    'peer-route': "the route to another node's Pods",
    'blackhole-route': "a blackhole for the node's own range",
    'forward-accept': 'forwarding of Pod traffic',
    'masquerade-rule': 'masquerading of traffic that leaves the cluster',
    'node-nic': "a machine's network card",
    'node-address': "a machine's address",
    'node-default-route': "a machine's default route",
    'node-sysctl': "a node's setting",
    'gateway-route': "a route of the network's router",
    'unrouted-range': "a range of the cluster that the network's router has no way to",
    listener: "a container's listening socket",
    'node-listener': "a node's listening socket",
    'external-listener': 'a host outside',
    'fault-command': 'a command of the scenario',
    'break-command': 'a command of the command line',
    'arp-learned': 'learned by ARP',
    'bridge-learned': 'learned by the bridge',
  },
  nearMisses: {
    'shorter-prefix': 'shorter prefix',
    'higher-metric': 'higher metric',
    'later-rule': 'asked later',
    'other-table': 'in a table that is asked later',
    'device-down': 'its device is down',
    'other-device': 'on another device',
    'other-address': 'for another address',
    'rule-condition': 'one condition fails',
  },
  ruleMiss: (miss, condition) => {
    const { number, leadsTo } = miss;
    const way =
      leadsTo === undefined ? '' : `, which leads to ${leadsTo.chain} rule ${leadsTo.number},`;
    return `rule ${number}${way} asks for ${condition}; ${foundText(miss)}`;
  },
  assumptions: {
    'plugin-default': (subject) => `The network plugin is ${subject}.`,
    'plugin-traced-as-bridge': (subject) =>
      `The input shows ${subject}, which is not modelled yet; traced as bridge.`,
    'nodes-default': (subject) => `The nodes are ${subject}.`,
    'node-made': (subject) => `Node ${subject} exists, since Pods name it.`,
    'address-invented': (_, v) =>
      `${ofAllPods(v)} no address and ${v['count'] === 1 ? 'gets' : 'get'} one in the plugin's order.`,
    'placement-invented': (_, v) =>
      `${ofAllPods(v)} no node and ${v['count'] === 1 ? 'is' : 'are'} placed as the scheduler might.`,
    'range-widened': (subject, v) =>
      `${subject} lies outside the ${v['range'] ?? 'range'} ${v['from'] ?? ''}, which becomes ${v['cidr'] ?? 'wider'}.`,
    'range-apart': (subject, v) =>
      `Pods have addresses outside the podCIDR ${subject}: ${spelt(v)}. Each range gets routes of its own.`,
    'node-ranges': (subject, v) => {
      const ranges = spelt(v);
      if (v['given'] !== undefined)
        return `Pods of ${subject} have addresses outside its range ${v['given']}: ${ranges}. Each gets routes of its own.`;
      const bridge =
        v['gateway'] === undefined ? '' : ` The bridge has ${v['gateway']}, which is made up.`;
      return `Pods of ${subject} and of other nodes have addresses among each other: ${subject} has ${ranges}, each with a route.${bridge}`;
    },
    'range-default': (subject, v) => `The ${subject} is ${v['cidr'] ?? ''}.`,
    'listener-assumed': (subject, v) =>
      `${subject} shows no ports at all: it listens on ${v['port'] ?? 'the port'}.`,
    'listener-declared': (subject, v, origin) =>
      `${subject} listens on ${v['port'] ?? 'the port'}, since it says so${evidenceText(origin)}.`,
    'node-listeners': (subject, v) =>
      `${subject} listens on ${v['ports'] ?? 'its own ports'}, and on what Pods on its network show.`,
    'external-answers': (subject) => `${subject} is outside the cluster, and answers.`,
    'pod-template-hash': () =>
      "Pod names of Deployments carry a hash of ours; the cluster's own cannot be computed offline.",
    representative: (subject, v) =>
      `${subject} has ${v['replicas'] ?? 'several'} Pods; ${v['pod'] ?? 'the first'} stands for them.`,
    'not-running-ready': (subject) => `${subject} is not ready; that matters to Services only.`,
    'policies-not-enforced': (subject, v) =>
      `NetworkPolicies select ${subject} (${v['policies'] ?? ''}), and ${v['plugin'] ?? 'the plugin'} does not enforce them.`,
    'config-not-modelled': (subject) => `${subject} is not modelled; traced as if it were not set.`,
    'underlay-default': (subject) => `The nodes' network is ${subject}.`,
    'port-chosen': (subject, v, origin) =>
      v['port'] === undefined
        ? `No port was asked for, and ${subject} shows none: an ICMP echo.`
        : `No port was asked for: ${v['port']} is the first that ${subject} shows${evidenceText(origin)}.`,
  },
  unmodelled: {
    fragmentation: 'splitting a packet into fragments',
    multicast: 'multicast',
    multipath: 'a route with several next hops',
    rule: 'a firewall rule (the step shows it)',
    'vlan-filtering': 'VLANs on a bridge',
    'duplicate-address': 'two owners of one address on a wire',
    sctp: 'SCTP',
    ipv6: 'IPv6',
    'special-address': 'a loopback, multicast or otherwise special destination',
    'service-address': "a Service's virtual address",
    'host-port': 'a hostPort, which leads to a Pod by rules of the portmap plugin',
    'node-port': 'a port that kube-proxy may serve (NodePort)',
    'range-too-small': "a node's Pod range without room for a gateway",
  },
  misuses: {
    'unknown-source': ({ from }) => ({
      message: `nothing in this cluster has the address ${from}`,
      hint: 'A trace starts at a Pod, a workload, a node or external.',
    }),
    'source-port': ({ from }) => ({
      message: `${from}: a source has no port to ask for`,
      hint: 'Name the container, or leave out what follows the colon.',
    }),
    'port-needed': ({ to, protocol }) => ({
      message: `${to} shows no ${protocol} port, and none was asked for`,
      hint: 'Give one with -p, or behind the target: TARGET:PORT.',
    }),
    'port-for-echo': () => ({
      message: 'an ICMP echo has no port',
      hint: 'Leave the port out, or ask with --proto tcp or udp.',
    }),
    'two-ports': ({ to, port }) => ({
      message: `${to} names a port, and port ${port} was asked for`,
      hint: 'Give one of them.',
    }),
    'backend-without-service': ({ to }) => ({
      message: `backend says which endpoint a Service picks, and ${to} is no Service`,
      hint: 'Leave backend out, and name the Pod itself.',
    }),
  },
  report: {
    silent: 'states no expectations',
    unanswerable: 'cannot be asked',
    expected: 'expected',
    found: 'found',
    summary: (files, expectations) =>
      `${count(files, 'file')}, ${count(expectations, 'expectation')}:`,
    hold: (n) => `${n} ${n === 1 ? 'holds' : 'hold'}`,
    differ: (n) => `${n} ${n === 1 ? 'does' : 'do'} not`,
    withoutAny: (files) => `${count(files, 'file')} without any`,
    withErrors: (files) => `${count(files, 'file')} with errors`,
    nothingStated: 'no file states an expectation',
    nothingGiven: 'there is nothing to test',
    nothingHint: 'Give scenarios with spec.expect (k8snet scenarios basics/one-pod shows one).',
  },
  gists: {
    loopback: 'One network namespace: the packet never leaves its loopback device.',
    bridge: 'One node: two veth pairs and a bridge between them, no router.',
    veth: 'One node: the bridge and one veth pair, between the node itself and its Pod.',
    node: "One node: through the node's own routing, no wire.",
    routed: "Two machines: routed over the nodes' network as it is, without a tunnel.",
    tunnel: "Two nodes: routed into a tunnel, carried by the nodes' network, unpacked again.",
    outside: 'Between the cluster and the outside: through the router of the nodes.',
  },
  places: {
    pod: (holder, members) =>
      `network namespace held by its ${holder} container, ${members.length > 1 ? 'shared' : 'joined'} by ${list(members)}`,
    node: "the node's own network namespace",
    router: "the router of the nodes' network",
    outside: 'a host outside the cluster',
    other: 'a network namespace of its own',
  },
  scenario: {
    description: (from, to, verdict) => `The least that ${from} to ${to} needs; ${verdict}.`,
    failed: (redacted) =>
      redacted
        ? 'no scenario with neutral names and addresses gives the same trace'
        : 'no scenario made of this input gives the same trace',
    hint: 'Without --redact the names and addresses stay.',
  },
  runbook: {
    head: (question, verdict) => [
      `${question}: the checks of its way on the real cluster, step by step.`,
      `Below each command stands, as a comment, what it prints where all is as in the trace (${verdict}). The first one that prints something else is where the real path parts from it.`,
      'It reads and changes nothing: ip, bridge, iptables -S, sysctl, ss. It needs kubectl with the right to get Pods and Nodes and to debug nodes. Each visit to a node makes one debugging Pod, privileged, so that it can enter namespaces, with the tools of the node itself (chroot /host). The last lines say how to find these Pods afterwards.',
      'Pods are looked into from their node (crictl, nsenter), since most images have no tools. Where a node has no crictl, this looks into a Pod: kubectl debug POD -it --image=IMAGE --target=CONTAINER -- sh',
      'Neighbours and learned rows are there once a packet was sent: let the client try once just before. A neighbour may as well be REACHABLE, STALE or DELAY.',
      'MAC-1, VETH-1 and the like stand for names that are drawn by chance on a real node: the same name is the same thing. Prefixes and addresses in the comments are those of the trace.',
    ],
    onNode: 'How a node is reached. With ssh instead: ssh "root@$1" sh -vs',
    addresses: 'Addresses. Where the trace made one up, the cluster is asked.',
    given: 'of the input',
    madeUp: 'made up by the trace: put the real one here',
    steps: (numbers) => `${numbers.length === 1 ? 'step' : 'steps'} ${list(numbers.map(String))}`,
    ends: 'the trace ends here',
    lineWith: (text) => `a line with: ${text}`,
    listens: (any, own) => `a line with: ${any}, *:${any.split(':').at(-1)} or ${own}`,
    nothing: 'nothing',
    error: 'an error of RTNETLINK',
    afterwards: 'The debugging Pods, which have ended, to be deleted by whoever made them:',
  },
  story: {
    request: (packet) => `There: ${packet}`,
    reply: (packet) => `Back: ${packet}`,
    steps: (first, last) => `steps ${first} to ${last}`,
    sameWay: 'the same way',
    otherWay: 'another way',
    oneNamespace:
      'Containers of a Pod share one network namespace, as `docker run --net=container:ID` makes it: one IP address, one port space, one localhost.',
    applicationSees: (symptom) => `application sees: ${symptom}`,
    hops: (there, back) =>
      back === undefined
        ? `${count(there, 'hop')} there`
        : `${count(there, 'hop')} there, ${back} back`,
    bytes: (bytes) => count(bytes, 'byte'),
    row: 'row',
    nearMiss: 'near miss',
    ipRule: 'ip rule',
    path: 'reached by',
    by: 'by',
    asked: 'asked',
    answered: 'answered',
    learned: 'learned',
    isBehind: (mac, port) => `${mac} is behind port ${port}`,
    copy: 'copy to',
    copies: 'copies to',
    others: (n, segment) => `${count(n, 'more copy', 'more copies')} on ${segment}`,
    conntrack: 'conntrack',
    connection: ([from, to], [answerFrom, answerTo]) =>
      `${from} to ${to}, answered from ${answerFrom} to ${answerTo}`,
    cause: 'Cause',
    causeBy: 'By',
    fix: 'Fix',
    check: 'Check',
    assumed: 'Assumed',
    atStep: (n) => `step ${n}`,
    noPacket: 'No packet was sent.',
    before: 'Before',
    without: {
      faults: 'Without the faults',
      overrides: 'Without --set',
      'faults-and-overrides': 'Without the faults and --set',
    },
    faredBefore: (without, verdict, symptom) =>
      `${without}: ${verdict}; the application sees ${symptom}.`,
    sameSteps: 'Every step is the same.',
    parted: (step, before, now) =>
      `They part ${step === undefined ? 'at the end' : `at step ${step}`}: before, ${before ?? 'it had ended'}; now, ${now ?? 'it has ended'}.`,
    warm: (newConnection) =>
      newConnection
        ? 'The second probe: a new connection from the next port, which conntrack and nat know nothing of.'
        : 'The second probe, out of the same socket: once it was answered, conntrack calls it ESTABLISHED, and the nat table is not consulted again.',
    onlyChanges: 'Shown is only what is otherwise than the first time.',
    unchanged: 'Nothing is otherwise than the first time.',
    was: 'before',
    gone: 'gone',
    isNew: 'new',
    cost: 'Cost',
    first: 'first',
    second: 'second',
    columns: { where: 'where', about: 'step', what: 'what', remark: 'remark' },
    costs: {
      steps: 'steps',
      arpExchanges: 'ARP questions',
      arpFrames: 'frames for them',
      floods: 'floods',
      natLookups: 'nat lookups',
      newConnections: 'new conntrack rows',
    },
  },
};

/** The ranges of a note: `10.0.0.0/26, 10.0.0.128/26 and 3 more`. */
function spelt({ ranges = '', more = 0 }: Values): string {
  return more === 0 ? String(ranges) : `${ranges} and ${more} more`;
}

/** `3 of the 4 Pods have`. */
function ofAllPods(values: Values): string {
  const { count: some = 0, of: all = some } = values;
  const has = some === 1 ? 'has' : 'have';
  if (some === all)
    return `${some === 1 ? 'The one Pod' : some === 2 ? 'Both Pods' : `All ${all} Pods`} ${has}`;
  return `${some} of the ${all} Pods ${has}`;
}

const neighFailed = (context: CauseContext): CauseWords => {
  const { about, detail } = context;
  const { device = 'DEVICE', wrong, missing } = about;
  if (wrong?.neighbour) {
    const { ip, lladdr } = wrong.neighbour;
    const right = missing?.neighbour;
    return {
      message: `A permanent neighbour entry on ${where(context)} says that ${named(ip, context)} is at ${lladdr ?? 'no address'}, which is not its MAC address.`,
      fix: mend(context, right ? neighReplace(right) : `ip neigh del ${ip} dev ${device}`),
      check: at(context, `ip neigh show ${ip} dev ${device}`),
    };
  }
  if (missing?.address !== undefined) {
    return {
      message: `Nobody answers ${stoppedAt(context)}'s ARP request for ${detail.ip ?? 'the next hop'}: ${device} of ${where(context)} has lost that address.`,
      fix: mend(context, `ip addr add ${missing.address} dev ${device}`),
      check: at(context, `ip addr show dev ${device}`),
    };
  }
  if (detail.ip === undefined) {
    return {
      message: `The frame reaches ${where(context)}, and is for another MAC address.`,
      fix: 'Correct the neighbour entry of the machine that sent it.',
      check: at(context, 'ip link show'),
    };
  }
  return {
    message: `Nobody answers ${where(context)}'s ARP request for ${named(detail.ip, context)}.`,
    fix: 'Bring the owner of the address up, or correct the route that names it.',
    check: at(context, `ip neigh show ${detail.ip}`),
  };
};

/** ` (containerPort, shop.yaml:12:9)`. */
function evidenceText(origin: Origin | undefined): string {
  const { object, at } = origin ?? {};
  const place = at && placeOf(at);
  const parts = [object?.field, place].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

const chainText = ({ table, chain, rules }: { table: string; chain: string; rules: number }) =>
  `${table} ${chain} (${count(rules, 'rule')})`;

/** `its destination port is 8080`: what the packet has where a condition looks. */
function foundText({ condition, found }: RuleMiss): string {
  const values = list(found.map((value) => portText(value)));
  switch (condition.kind) {
    case 'src':
      return `its source is ${values}`;
    case 'dst':
      return `its destination is ${values}`;
    case 'in':
      return found.length === 0 ? 'it was made here' : `it came in on ${values}`;
    case 'out':
      return found.length === 0 ? 'it goes out nowhere' : `it goes out on ${values}`;
    case 'protocol':
      return `its protocol is ${values}`;
    case 'sport':
      return `its source port is ${values}`;
    case 'dport':
      return `its destination port is ${values}`;
    case 'multiport':
      return found.length === 1 ? `its port is ${values}` : `its ports are ${values}`;
    case 'mark':
      return `its mark is ${found.map((mark) => `0x${mark.toString(16)}`).join('')}`;
    case 'ctstate':
      return `its state is ${values}`;
    case 'addrtype':
      return `its ${condition.which === 'src' ? 'source' : 'destination'} is ${values}`;
    case 'physdev':
      return found.length === 0
        ? 'no port of a bridge is known'
        : `the port of the bridge is ${values}`;
    case 'icmp-type':
      return found.length === 0 ? 'it is no ICMP message' : `its type is ${values}`;
    case 'tcp-flags':
      return found.length === 0 ? 'it is no TCP segment' : `its flags are ${values}`;
    case 'length':
      return `it has ${values} bytes`;
    case 'extension':
    case 'comment':
    case 'unmodelled':
      return 'it has not';
    default:
      return condition satisfies never;
  }
}

const portText = (value: string | number | Unknown): string =>
  typeof value === 'object' ? portSuffix(value).slice(1) : `${value}`;

function repliedText(packet: LegPacket): string {
  switch (packet) {
    case 'synack':
      return 'gets its answer: the connection stands';
    case 'rst':
      return 'hears RST: connection refused';
    case 'echo-reply':
      return 'gets its echo back';
    default:
      return 'gets its answer';
  }
}

/** ICMP for IPv4 (RFC 792, RFC 1812): the codes that a packet can meet here. */
const unreachableCodes: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  4: 'fragmentation needed',
  9: 'network prohibited',
  10: 'host prohibited',
  13: 'prohibited by a filter',
};

function icmpText(kind: string, code: number): string {
  const known = kind === 'destination-unreachable' ? unreachableCodes[code] : undefined;
  if (known !== undefined) return known;
  return kind === 'time-exceeded' ? 'the TTL ended' : `${kind} code ${code}`;
}

/** Which error a leg carries, as its first frame shows. */
function icmpOfLeg({ hops }: Leg): string {
  const steps = hops.flatMap((hop) => hop.steps);
  const layers = steps.find(({ packet }) => packet !== undefined)?.packet ?? [];
  const icmp = layers.find((layer) => layer.type === 'icmp');
  return icmp === undefined ? 'ICMP error' : icmpText(icmp.kind, icmp.code);
}

/** strerror(3). */
const errnoNames: Readonly<Record<Errno, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EINVAL: 'invalid argument',
  EACCES: 'permission denied',
  EMSGSIZE: 'message too long',
  ECONNRESET: 'connection reset by peer',
  ETIMEDOUT: 'connection timed out',
  EPERM: 'operation not permitted',
  ENOPROTOOPT: 'protocol not available',
};

function natText(
  detail: {
    field: 'src' | 'dst';
    before: { ip: string; port?: number | Unknown };
    after: {
      ip: string;
      port?: number | Unknown;
    };
    entry: ConntrackEntry;
  },
  { glyphs }: StepContext,
): string {
  const field = detail.field === 'src' ? 'source' : 'destination';
  const suffix = detail.entry.original.protocol === 'icmp' ? idSuffix : portSuffix;
  const side = ({ ip, port }: { ip: string; port?: number | Unknown }) => `${ip}${suffix(port)}`;
  return `${field} ${side(detail.before)} ${glyphs.edit} ${side(detail.after)}`;
}

function dropText(reason: string): string {
  switch (reason) {
    case 'NO_SOCKET':
      return 'no socket takes it';
    case 'NETFILTER_DROP':
      return 'netfilter dropped it';
    case 'OTHERHOST':
      return 'the frame is for another MAC address';
    case 'IP_RPFILTER':
      return 'the way back to its source leads elsewhere';
    case 'IP_OUTNOROUTES':
    case 'IP_INNOROUTES':
      return 'no route';
    case 'NEIGH_FAILED':
      return 'the next hop has no link-layer address';
    case 'PKT_TOO_BIG':
      return 'too big for the device';
    case 'DEV_READY':
    case 'QDISC_DROP':
      return 'the device is down or not plugged in';
    case 'VXLAN_NO_REMOTE':
      return 'the tunnel knows no node for that MAC address';
    case 'VXLAN_INVALID_HDR':
      return 'no VXLAN packet';
    case 'VXLAN_VNI_NOT_FOUND':
      return 'no tunnel with that VNI';
    case 'wire-cut':
      return 'lost on the wire';
    case 'no-attachment':
      return 'nobody on the wire has that MAC address';
    case 'ttl-exceeded':
      return 'the TTL ended';
    case 'looped':
      return 'it was here before';
    case 'forwarding-off':
      return 'forwarding is off';
    case 'INVALID_PROTO':
      return 'an echo to everybody is ignored';
    case 'connection-to-everybody':
      return 'nobody takes a connection to everybody';
    case 'echo-ignored':
      return 'echoes are ignored';
    case 'not-modelled':
      return 'not modelled';
    case 'fact-missing':
      return 'a fact is missing';
    default:
      return 'dropped without a word';
  }
}
