/** Steps in English. */
import type { Errno, NatEvent } from '../../../kernel/event.ts';
import type { FibEntry, Nexthop } from '../../../kernel/fib.ts';
import type { IpvsIdle } from '../../../kernel/ipvs/told.ts';
import type { Leg, LegPacket } from '../../../trace/trace.ts';
import type { Layer, Unknown } from '../../../wire/packet.ts';
import type { DetailOf, StepMessages, StepWords } from '../../catalogue.ts';
import type { StepContext } from '../../context.ts';
import { idSuffix, portSuffix, tellPath } from '../../step.ts';
import { count, list, named, recordText } from './phrases.ts';
import { policySteps } from './policy-steps.ts';
import { unmodelled } from './unmodelled.ts';

const sizeOnWire = (packet: readonly Layer[] | undefined): string | undefined => {
  const ip = packet?.find((layer) => layer.type === 'ipv4');
  return ip && `${ip.length} bytes of IP`;
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
const shortRoute = (row: FibEntry, taken?: Nexthop): string => {
  const { via, dev, onlink } = taken ?? row;
  return [
    row.type === 'unicast' ? '' : row.type,
    row.dst === '0.0.0.0/0' ? 'default' : row.dst,
    via === undefined ? '' : `via ${via}`,
    dev === undefined ? '' : `dev ${dev}`,
    onlink ? 'onlink' : '',
  ]
    .filter((word) => word !== '')
    .join(' ');
};

const routeAside = (detail: DetailOf<'route.lookup'>): string | undefined => {
  if (detail.purpose === 'underlay') return 'for the outer packet';
  if (detail.purpose === 'reverse-path') return 'may its source come from here?';
  const { row } = detail;
  if (row === undefined || row.type !== 'unicast') return undefined;
  if (row.nexthops) return `one of ${row.nexthops.length} next hops`;
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

export const steps: StepMessages = {
  'resolve.read': ({ name, nameservers, searches, ndots }) => ({
    text: `resolv.conf: ${name} is asked for at ${list(nameservers)}, search ${searches.length === 0 ? 'nothing' : searches.join(' ')}, ndots ${ndots}`,
  }),
  'resolve.hosts': ({ name, ip }) => ({ text: `/etc/hosts: ${name} is ${ip}` }),
  'resolve.answer': ({ name, type, rcode, answers }) => ({
    text: `${rcode}: ${answers.length === 0 ? `no ${type} of ${name}` : answers.map(recordText).join(', ')}`,
  }),
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
        return withAside(
          detail.row ? shortRoute(detail.row, detail.nexthop) : 'found',
          routeAside(detail),
        );
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
    aside: unNatAside(context),
  }),
  'nat.un-dnat': (detail, context) => ({
    text: natText(detail, context),
    aside: unNatAside(context),
  }),
  'nat.ipvs': (detail, context) => ({
    text: ipvsText(detail, context),
    aside: 'IPVS',
  }),
  'nat.un-ipvs': (detail, context) => ({
    text: natText(detail, context),
    aside: 'IPVS: the virtual server answers',
  }),
  'conntrack.new': () => ({ text: 'first packet of a connection: NEW' }),
  'conntrack.established': () => ({ text: 'belongs to a known connection: ESTABLISHED' }),
  'conntrack.related': () => ({ text: 'an error about a known connection: RELATED' }),
  'conntrack.invalid': () => ({ text: 'fits no known connection: INVALID' }),
  'conntrack.confirm': () => ({ text: 'the connection is remembered' }),
  'conntrack.full': () => ({ text: 'no room for another connection: dropped' }),
  ...policySteps,
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
  'drop.drop': (detail) => {
    if (detail.ipvs) return { text: idleText(detail.ipvs), aside: detail.reason };
    return detail.unmodelled === undefined
      ? { text: dropText(detail.reason), aside: detail.reason }
      : { text: `not modelled yet: ${unmodelled[detail.unmodelled]}` };
  },
};

const virtualText = ({ protocol, virtual: { ip, port } }: IpvsIdle): string =>
  `IPVS virtual server ${protocol.toUpperCase()} ${ip}:${port}`;

const idleText = (idle: IpvsIdle): string => `${virtualText(idle)} has no server to send it to`;

/** `IPVS virtual server TCP 10.96.0.20:80 picks 10.244.2.5:8080 (rr, one of 3)`. */
const ipvsText = (detail: NatEvent['detail'], context: StepContext): string => {
  const { ipvs, after } = detail;
  if (!ipvs) return natText(detail, context);
  const server = `${after.ip}${after.port === undefined ? '' : portSuffix(after.port)}`;
  const virtual = virtualText(ipvs);
  switch (ipvs.pick) {
    case 'scheduler':
      return `${virtual} picks ${server} (${ipvs.scheduler}, ${ipvs.servers === 1 ? 'the only one' : `one of ${ipvs.servers}`})`;
    case 'template':
      return `${virtual} stays with ${server}, where this client was before`;
    case 'connection':
      return `${virtual} sends on to ${server}, as the connection began`;
    default:
      return ipvs.pick satisfies never;
  }
};

const chainText = ({ table, chain, rules }: { table: string; chain: string; rules: number }) =>
  `${table} ${chain} (${count(rules, 'rule')})`;

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

type NatDetail = NatEvent['detail'];

function natText(detail: NatDetail, context: StepContext): string {
  const { glyphs } = context;
  const field = detail.field === 'src' ? 'source' : 'destination';
  const suffix = detail.entry.original.protocol === 'icmp' ? idSuffix : portSuffix;
  const side = ({ ip, port }: { ip: string; port?: number | Unknown }) => `${ip}${suffix(port)}`;
  const edit = `${field} ${side(detail.before)} ${glyphs.edit} ${side(detail.after)}`;
  return [edit, ...natReason(detail, context)].join('; ');
}

/** `kube-proxy for Service shop/web, one of 3 endpoints (33 %) [KUBE-SERVICES 3 → …]`. */
function natReason(
  { chain, number, path = [] }: NatDetail,
  { step, backends = 1, glyphs }: StepContext,
): string[] {
  if (chain === undefined) return [];
  const rules = tellPath([...path, { chain, number: number ?? 0 }], { glyphs });
  const { by, object } = step.origin ?? {};
  const isPick = by === 'kube-proxy' && step.action === 'dnat';
  const name = object && (object.namespace ? `${object.namespace}/${object.name}` : object.name);
  const owner = object && `${by} for ${object.kind} ${name}`;
  const share =
    isPick && backends > 1
      ? `one of ${backends} endpoints (${Math.round(100 / backends)} %)`
      : undefined;
  const said = [owner, share].filter((part) => part !== undefined).join(', ');
  return [`${said}${said === '' ? '' : ' '}[${rules}]`];
}

function unNatAside({ boundAt, leg }: StepContext): string {
  if (boundAt === undefined) return 'conntrack knows the flow';
  return leg.direction === 'reply'
    ? `the entry made in step ${boundAt} brings it home`
    : `the entry made in step ${boundAt}`;
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
