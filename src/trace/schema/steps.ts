/** The schema of steps, one kind after the other. */

import type { DropReason } from '../../kernel/drop-reason.ts';
import type { Errno, Tap, Unmodelled } from '../../kernel/event.ts';
import type { FibEntry } from '../../kernel/fib.ts';
import type { IpvsIdle } from '../../kernel/ipvs/told.ts';
import type { ConntrackEntry } from '../../kernel/netfilter/conntrack.ts';
import type { Rule } from '../../kernel/netfilter/ruleset.ts';
import type { DnsRecord } from '../../wire/dns.ts';
import type { Ipv4 } from '../../wire/packet.ts';
import type { RuleMiss, Step } from '../trace.ts';
import type { StepKind, TraceEvent } from '../trace-event.ts';
import {
  broadcast,
  fdbEntry,
  fibRule,
  from,
  ipvsProtocol,
  ipvsRewrite,
  nearMiss,
  neigh,
  nexthop,
  virtualEnd,
} from './kernel-rows.ts';
import { ctDir, ctState, hook, path, table } from './netfilter.ts';
import { DNS_RCODES, DNS_TYPES, packet, port } from './packets.ts';
import { policyFacts } from './policies.ts';
import {
  closed,
  count,
  described,
  enumOf,
  flag,
  ip,
  list,
  mac,
  object,
  only,
  opt,
  raw,
  ref,
  type Schema,
  text,
} from './typed-schema.ts';

type EventOf<Kind extends StepKind> = Extract<TraceEvent, { readonly kind: Kind }>;
type DetailOf<Kind extends StepKind> = EventOf<Kind>['detail'];
type SocketDetail<Action extends EventOf<'socket'>['action']> = Extract<
  EventOf<'socket'>,
  { readonly action: Action }
>['detail'];

type ResolveDetail<Action extends EventOf<'resolve'>['action']> = Extract<
  EventOf<'resolve'>,
  { readonly action: Action }
>['detail'];

/** A step as the trace prints an event: without its namespace, which the hop names. */
type StepOf<Kind extends StepKind> = Omit<EventOf<Kind>, 'netns'> & Pick<Step, 'n'>;

const stepOf = <Kind extends StepKind>(
  kind: Kind,
  action: Schema<EventOf<Kind>['action']>,
  detail: Schema<unknown>,
): Schema<StepOf<Kind>> =>
  raw(
    object<Step>({
      n: described(raw<number>({ type: 'integer', minimum: 1 }), 'Runs through all legs.'),
      kind: raw({ const: kind }),
      device: opt(text),
      action: raw(action.json),
      detail: raw(detail.json),
      origin: from,
      packet: opt(packet),
    }).json,
  );

export const steps: { readonly [Kind in StepKind]: readonly Schema<StepOf<Kind>>[] } = {
  resolve: [
    stepOf(
      'resolve',
      only('read'),
      object<ResolveDetail<'read'>>({
        name: text,
        nameservers: list(text),
        searches: list(text),
        ndots: count,
      }),
    ),
    stepOf('resolve', only('hosts'), object<ResolveDetail<'hosts'>>({ name: text, ip })),
    stepOf(
      'resolve',
      only('answer'),
      object<ResolveDetail<'answer'>>({
        name: text,
        type: enumOf(DNS_TYPES),
        rcode: enumOf(DNS_RCODES),
        answers: list(ref<DnsRecord>('DnsRecord')),
      }),
    ),
  ],
  socket: [
    stepOf(
      'socket',
      only('send'),
      object<SocketDetail<'send'>>({
        protocol: text,
        src: ip,
        sport: opt(count),
        dst: ip,
        dport: opt(count),
        process: opt(text),
      }),
    ),
    stepOf(
      'socket',
      only('kernel-send'),
      object<SocketDetail<'kernel-send'>>({
        protocol: text,
        what: closed<SocketDetail<'kernel-send'>['what']>()(
          'rst',
          'syn-ack',
          'echo-reply',
          'icmp-error',
          'answer',
        ),
        src: ip,
        dst: ip,
      }),
    ),
    stepOf(
      'socket',
      only('error'),
      object<SocketDetail<'error'>>({
        errno: closed<Errno>()(
          'ECONNREFUSED',
          'EHOSTUNREACH',
          'ENETUNREACH',
          'EINVAL',
          'EACCES',
          'EMSGSIZE',
          'ECONNRESET',
          'ETIMEDOUT',
          'EPERM',
          'ENOPROTOOPT',
        ),
      }),
    ),
  ],
  route: [
    stepOf(
      'route',
      closed<EventOf<'route'>['action']>()('lookup'),
      object<DetailOf<'route'>>({
        dst: ip,
        src: opt(ip),
        chosenSource: opt(ip),
        iif: opt(text),
        mark: opt(count),
        purpose: closed<DetailOf<'route'>['purpose']>()(
          'output',
          'input',
          'reverse-path',
          'underlay',
        ),
        rule: opt(fibRule),
        row: opt(ref<FibEntry>('Route')),
        nexthop: opt(nexthop),
        nearMiss: opt(nearMiss(ref<FibEntry>('Route'))),
        result: closed<DetailOf<'route'>['result']>()(
          'unicast',
          'local',
          'broadcast',
          'blackhole',
          'unreachable',
          'prohibit',
          'no-route',
        ),
        pmtu: opt(count),
      }),
    ),
  ],
  neighbour: [
    stepOf(
      'neighbour',
      closed<EventOf<'neighbour'>['action']>()('known', 'resolved', 'failed', 'noarp'),
      object<DetailOf<'neighbour'>>({
        ip,
        lladdr: opt(mac),
        row: opt(neigh),
        exchange: opt(list(ref<Tap>('Tap'))),
        broadcasts: opt(list(broadcast)),
        asked: opt(count),
        nearMiss: opt(nearMiss(neigh)),
      }),
    ),
  ],
  transmit: [
    stepOf(
      'transmit',
      closed<EventOf<'transmit'>['action']>()('xmit'),
      object<DetailOf<'transmit'>>({
        via: opt(
          closed<NonNullable<DetailOf<'transmit'>['via']>>()(
            'veth',
            'bridge-port',
            'wire',
            'loopback',
            'tunnel',
          ),
        ),
        peer: opt(object<NonNullable<DetailOf<'transmit'>['peer']>>({ netns: text, device: text })),
      }),
    ),
  ],
  receive: [
    stepOf(
      'receive',
      closed<EventOf<'receive'>['action']>()('accept', 'other-host', 'to-bridge', 'from-bridge'),
      object<DetailOf<'receive'>>({
        from: opt(
          closed<NonNullable<DetailOf<'receive'>['from']>>()(
            'veth',
            'wire',
            'loopback',
            'bridge',
            'tunnel',
          ),
        ),
      }),
    ),
  ],
  bridge: [
    stepOf(
      'bridge',
      closed<EventOf<'bridge'>['action']>()('forward', 'flood', 'local'),
      object<DetailOf<'bridge'>>({
        mac,
        inPort: opt(text),
        outPort: opt(text),
        row: opt(fdbEntry),
        learned: opt(object<NonNullable<DetailOf<'bridge'>['learned']>>({ mac, port: text })),
        copies: opt(list(ref<Tap>('Tap'))),
        broadcasts: opt(list(broadcast)),
        callsIptables: opt(flag),
      }),
    ),
  ],
  encapsulate: [
    stepOf(
      'encapsulate',
      closed<EventOf<'encapsulate'>['action']>()('vxlan'),
      object<DetailOf<'encapsulate'>>({
        vni: count,
        local: ip,
        remote: ip,
        dport: count,
        overhead: count,
        row: fdbEntry,
        lower: opt(text),
      }),
    ),
  ],
  decapsulate: [
    stepOf(
      'decapsulate',
      closed<EventOf<'decapsulate'>['action']>()('vxlan'),
      object<DetailOf<'decapsulate'>>({ vni: count, remote: ip, learned: opt(fdbEntry) }),
    ),
  ],
  hook: [
    stepOf(
      'hook',
      closed<EventOf<'hook'>['action']>()('accept', 'drop', 'reject', 'unknown'),
      object<DetailOf<'hook'>>({
        hook,
        in: opt(text),
        out: opt(text),
        physin: opt(text),
        physout: opt(text),
        chains: list(
          object<DetailOf<'hook'>['chains'][number]>({
            table,
            chain: text,
            rules: count,
            policy: closed<'ACCEPT' | 'DROP'>()('ACCEPT', 'DROP'),
            nearMiss: opt(ref<RuleMiss>('RuleMiss')),
          }),
        ),
        bridged: flag,
      }),
    ),
  ],
  rule: [
    stepOf(
      'rule',
      closed<EventOf<'rule'>['action']>()(
        'accept',
        'drop',
        'reject',
        'mark',
        'return',
        'jump',
        'policy-drop',
        'unmodelled',
      ),
      object<DetailOf<'rule'>>({
        hook,
        table,
        chain: text,
        number: opt(count),
        rule: opt(ref<Rule>('Rule')),
        element: opt(text),
        path,
        bridged: flag,
        mark: opt(count),
        nearMiss: opt(ref<RuleMiss>('RuleMiss')),
      }),
    ),
  ],
  nat: [
    stepOf(
      'nat',
      closed<EventOf<'nat'>['action']>()(
        'snat',
        'dnat',
        'masquerade',
        'un-snat',
        'un-dnat',
        'ipvs',
        'un-ipvs',
      ),
      object<DetailOf<'nat'>>({
        hook,
        field: closed<DetailOf<'nat'>['field']>()('src', 'dst'),
        before: object<DetailOf<'nat'>['before']>({ ip, port: opt(port) }),
        after: object<DetailOf<'nat'>['after']>({ ip, port: opt(port) }),
        ipvs: opt(ipvsRewrite),
        table: opt(table),
        chain: opt(text),
        number: opt(count),
        rule: opt(ref<Rule>('Rule')),
        path,
        element: opt(text),
        nearMiss: opt(ref<RuleMiss>('RuleMiss')),
        entry: ref<ConntrackEntry>('Connection'),
      }),
    ),
  ],
  conntrack: [
    stepOf(
      'conntrack',
      closed<EventOf<'conntrack'>['action']>()(
        'new',
        'established',
        'related',
        'invalid',
        'confirm',
        'full',
      ),
      object<DetailOf<'conntrack'>>({
        hook: opt(hook),
        state: ctState,
        dir: ctDir,
        entry: opt(ref<ConntrackEntry>('Connection')),
      }),
    ),
  ],
  policy: [
    stepOf(
      'policy',
      closed<EventOf<'policy'>['action']>()(
        'allowed',
        'denied',
        'unknown',
        'not-enforced',
        'escaped',
        'not-isolated',
      ),
      policyFacts,
    ),
  ],
  forward: [
    stepOf(
      'forward',
      closed<EventOf<'forward'>['action']>()('forward'),
      object<DetailOf<'forward'>>({ from: text, to: text, ttlBefore: count, ttlAfter: count }),
    ),
  ],
  size: [
    stepOf(
      'size',
      closed<EventOf<'size'>['action']>()('fits', 'too-big', 'pmtu-learned'),
      object<DetailOf<'size'>>({
        length: count,
        mtu: count,
        df: flag,
        needed: opt(count),
        device: text,
      }),
    ),
  ],
  wire: [
    stepOf(
      'wire',
      closed<EventOf<'wire'>['action']>()('carry', 'cut', 'nobody'),
      object<DetailOf<'wire'>>({ segment: text, from: text, to: opt(text) }),
    ),
  ],
  deliver: [
    stepOf(
      'deliver',
      closed<EventOf<'deliver'>['action']>()(
        'socket',
        'echo',
        'icmp-error',
        'no-listener',
        'unknown-listener',
      ),
      object<DetailOf<'deliver'>>({
        protocol: text,
        ip,
        port: opt(count),
        process: opt(text),
        assumed: opt(flag),
        declared: opt(list(text)),
        otherListener: opt(
          object<NonNullable<DetailOf<'deliver'>['otherListener']>>({ ip, process: text }),
        ),
        error: opt(object<NonNullable<DetailOf<'deliver'>['error']>>({ kind: text, code: count })),
      }),
    ),
  ],
  drop: [
    stepOf(
      'drop',
      closed<EventOf<'drop'>['action']>()('drop'),
      object<DetailOf<'drop'>>({
        reason: closed<DropReason>()(
          'NO_SOCKET',
          'NETFILTER_DROP',
          'OTHERHOST',
          'IP_RPFILTER',
          'IP_OUTNOROUTES',
          'IP_INNOROUTES',
          'IP_INADDRERRORS',
          'IP_INVALID_SOURCE',
          'IP_LOCALNET',
          'IP_INVALID_DEST',
          'IP_LOCAL_SOURCE',
          'IP_INHDR',
          'IP_NOPROTO',
          'INVALID_PROTO',
          'NEIGH_FAILED',
          'NEIGH_QUEUEFULL',
          'NEIGH_DEAD',
          'PKT_TOO_BIG',
          'DEV_READY',
          'QDISC_DROP',
          'NO_TX_TARGET',
          'BRIDGE_INGRESS_STP_STATE',
          'LOCAL_MAC',
          'VXLAN_INVALID_HDR',
          'VXLAN_VNI_NOT_FOUND',
          'VXLAN_NO_REMOTE',
          'VXLAN_ENTRY_EXISTS',
          'TCP_MINTTL',
          'TUNNEL_TXINFO',
          'NOT_SPECIFIED',
          'wire-cut',
          'no-attachment',
          'ttl-exceeded',
          'looped',
          'forwarding-off',
          'echo-ignored',
          'connection-to-everybody',
          'not-modelled',
          'fact-missing',
        ),
        about: opt(
          raw<Ipv4>({
            type: 'object',
            properties: { type: { const: 'ipv4' }, src: ip.json, dst: ip.json },
            required: ['type', 'src', 'dst'],
          }),
        ),
        unmodelled: opt(
          closed<Unmodelled>()(
            'fragmentation',
            'multicast',
            'multipath',
            'rule',
            'vlan-filtering',
            'ipvs',
            'duplicate-address',
            'received-twice',
          ),
        ),
        ipvs: opt(object<IpvsIdle>({ protocol: ipvsProtocol, virtual: virtualEnd })),
      }),
    ),
  ],
};
