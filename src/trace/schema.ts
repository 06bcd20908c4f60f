/**
 * The JSON Schema (draft 2020-12) of what `-o json` prints. The compiler holds it to the types: an
 * object's fields, which of them may be missing, and every closed list must be complete.
 */
import type { DropReason } from '../kernel/drop-reason.ts';
import type {
  Errno,
  KernelEvent,
  StepKind,
  Tap,
  Unmodelled,
  WireBroadcast,
} from '../kernel/event.ts';
import type { FdbEntry } from '../kernel/fdb.ts';
import type { FibEntry, FibRule, Nexthop } from '../kernel/fib.ts';
import type { IpvsIdle, IpvsRewrite } from '../kernel/ipvs/told.ts';
import { type IpvsProtocol, SCHEDULERS } from '../kernel/ipvs/virtual-server.ts';
import type { Neigh } from '../kernel/neigh.ts';
import type { ConntrackEntry, CtDir, CtTuple } from '../kernel/netfilter/conntrack.ts';
import type { NftTableName } from '../kernel/netfilter/nft-table.ts';
import type {
  CtState,
  Hook,
  Match,
  RejectWith,
  Rule,
  TableName,
  Target,
} from '../kernel/netfilter/ruleset.ts';
import type { Origin, OriginObject } from '../kernel/origin.ts';
import { DNS_RCODE, DNS_TYPE, type DnsRcode, type DnsRecord, type DnsType } from '../wire/dns.ts';
import type { IcmpKind, Ipv4, Layer, TcpFlag, Unknown } from '../wire/packet.ts';
import { ADVICE_CODES, CAUSE_CODES, DISPOSITIONS, SYMPTOMS } from './codes.ts';
import type { Advice, Check, Fix, PatchedObject, Remedy, RemedyPlace } from './remedy.ts';
import type {
  Affinity,
  Alternative,
  Before,
  Cause,
  CauseFact,
  CauseRows,
  CauseSubject,
  Change,
  Cost,
  DnsQuery,
  EndpointRef,
  FateCount,
  FixOutcome,
  FixRound,
  Forks,
  Hop,
  Leg,
  LegPacket,
  NearMiss,
  PlacedStep,
  ReachedTarget,
  RepeatSummary,
  RepeatTarget,
  Resolution,
  RuleMiss,
  SeenSource,
  Socketed,
  Step,
  Trace,
  TraceList,
  TraceProbe,
  UnmodelledQuestion,
  Warm,
  WithFix,
} from './trace.ts';

const DNS_TYPES = Object.keys(DNS_TYPE) as DnsType[];
const DNS_RCODES = Object.keys(DNS_RCODE) as DnsRcode[];

type Json = { readonly [key: string]: unknown };

/** A schema for values of a type, which only the compiler knows. */
interface Schema<Value> {
  readonly json: Json;
  readonly type?: Value;
}

/** A field that may be missing. */
interface Optional<Value> extends Schema<Value> {
  readonly optional: true;
}

type Fields<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? Optional<Exclude<T[K], undefined>>
    : Schema<T[K]>;
};

const raw = <Value>(json: Json): Schema<Value> => ({ json });
const opt = <Value>({ json }: Schema<Value>): Optional<Value> => ({ json, optional: true });
const described = <Value>({ json }: Schema<Value>, description: string): Schema<Value> => ({
  json: { ...json, description },
});

const text = raw<string>({ type: 'string' });
const whole = raw<number>({ type: 'integer' });
const count = raw<number>({ type: 'integer', minimum: 0 });
const flag = raw<boolean>({ type: 'boolean' });
const ip = raw<string>({ type: 'string', format: 'ipv4' });
const mac = raw<string>({ type: 'string', pattern: '^([0-9a-f]{2}:){5}[0-9a-f]{2}$' });
const cidr = raw<string>({ type: 'string', pattern: '^[0-9.]+/[0-9]+$' });

const only = <const Value extends string | number | boolean>(value: Value): Schema<Value> =>
  raw({ const: value });

const enumOf = <Value>(values: readonly Value[]): Schema<Value> => raw({ enum: values });

/** A closed list that the compiler holds to be complete. */
const closed =
  <Union extends string>() =>
  <const List extends readonly Union[]>(
    ...list: [Union] extends [List[number]] ? List : never
  ): Schema<Union> =>
    raw({ enum: list });

const list = <Item>({ json }: Schema<Item>): Schema<Item[]> => raw({ type: 'array', items: json });

const anyOf = <const Schemas extends readonly Schema<unknown>[]>(
  ...schemas: Schemas
): Schema<Schemas[number] extends Schema<infer Value> ? Value : never> =>
  raw({ anyOf: schemas.map(({ json }) => json) });

const isOptional = (schema: Schema<unknown>): boolean => 'optional' in schema;

const object = <T extends object>(fields: Fields<T>): Schema<T> => {
  const entries: [string, Schema<unknown>][] = Object.entries(fields);
  return raw({
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, { json }]) => [name, json])),
    required: entries.filter(([, schema]) => !isOptional(schema)).map(([name]) => name),
    additionalProperties: false,
  });
};

/** A union that the compiler holds to be complete. */
const complete =
  <Union>() =>
  <Value extends Union>(
    schema: Schema<Value>,
    ..._complete: [Union] extends [Value] ? [] : [never]
  ): Schema<Union> =>
    schema;

const ref = <Value>(name: string): Schema<Value> => raw({ $ref: `#/$defs/${name}` });

const unknownValue = described(
  object<Unknown>({
    unknown: closed<Unknown['unknown']>()('flow-hash', 'random-port'),
    range: raw<[number, number]>({
      type: 'array',
      prefixItems: [{ type: 'integer' }, { type: 'integer' }],
      minItems: 2,
      maxItems: 2,
    }),
  }),
  'A value that only a running kernel knows, with the bounds it must lie in.',
);
const port = anyOf(count, ref<Unknown>('Unknown'));

type LayerOf<Type extends Layer['type']> = Extract<Layer, { type: Type }>;

const layers: { readonly [Type in Layer['type']]: Schema<LayerOf<Type>> } = {
  ethernet: object<LayerOf<'ethernet'>>({ type: only('ethernet'), src: mac, dst: mac }),
  arp: object<LayerOf<'arp'>>({
    type: only('arp'),
    op: closed<LayerOf<'arp'>['op']>()('request', 'reply'),
    sha: mac,
    spa: ip,
    tha: mac,
    tpa: ip,
  }),
  ipv4: object<LayerOf<'ipv4'>>({
    type: only('ipv4'),
    src: ip,
    dst: ip,
    ttl: count,
    protocol: text,
    df: flag,
    length: described(count, 'Total length in bytes.'),
  }),
  tcp: object<LayerOf<'tcp'>>({
    type: only('tcp'),
    sport: port,
    dport: port,
    flags: list(closed<TcpFlag>()('fin', 'syn', 'rst', 'psh', 'ack')),
    mss: opt(count),
    length: count,
  }),
  udp: object<LayerOf<'udp'>>({ type: only('udp'), sport: port, dport: port, length: count }),
  icmp: object<LayerOf<'icmp'>>({
    type: only('icmp'),
    kind: closed<IcmpKind>()(
      'echo-request',
      'echo-reply',
      'destination-unreachable',
      'time-exceeded',
      'redirect',
      'parameter-problem',
    ),
    code: count,
    id: opt(port),
    seq: opt(count),
    mtu: opt(count),
    length: count,
    original: opt(list(ref<Layer>('Layer'))),
  }),
  vxlan: object<LayerOf<'vxlan'>>({ type: only('vxlan'), vni: count }),
  dns: object<LayerOf<'dns'>>({
    type: only('dns'),
    id: count,
    response: flag,
    name: text,
    question: enumOf(DNS_TYPES),
    rcode: opt(enumOf(DNS_RCODES)),
    answers: opt(count),
    length: count,
  }),
  data: object<LayerOf<'data'>>({ type: only('data'), length: count }),
};

const packet = described(
  list(ref<Layer>('Layer')),
  'Headers, outermost first, as a capture on the device shows them.',
);

const originObject = object<OriginObject>({
  kind: text,
  namespace: opt(text),
  name: text,
  field: opt(text),
});

const origin = object<Origin>({
  by: closed<Origin['by']>()(
    'kernel',
    'kubelet',
    'cni',
    'kube-proxy',
    'policy',
    'fault',
    'scenario',
    'dump',
  ),
  why: closed<Origin['why']>()(
    'loopback',
    'address',
    'connected-route',
    'local-route',
    'broadcast-route',
    'default-rule',
    'sysctl-default',
    'pod-container',
    'pod-veth',
    'pod-address',
    'pod-default-route',
    'pod-cluster-route',
    'pod-range-route',
    'pod-sysctl',
    'bridge-device',
    'bridge-gateway',
    'bridge-port',
    'ip-masq',
    'tunnel-device',
    'tunnel-address',
    'tunnel-neighbour',
    'tunnel-fdb',
    'peer-route',
    'blackhole-route',
    'forward-accept',
    'masquerade-rule',
    'localnet-guard',
    'proxy-chain',
    'proxy-mark',
    'proxy-masquerade',
    'proxy-invalid-drop',
    'proxy-forward',
    'node-port-entry',
    'service-cluster-ip',
    'service-external-ip',
    'service-load-balancer',
    'service-node-port',
    'service-health-check',
    'service-no-endpoints',
    'service-no-local-endpoints',
    'service-port-undefined',
    'cluster-ip-unallocated',
    'service-source-range',
    'service-firewall',
    'service-cluster-masquerade',
    'service-external-masquerade',
    'service-local-pod',
    'service-local-node',
    'service-external-policy',
    'service-affinity',
    'service-backend',
    'endpoint-hairpin',
    'endpoint-address',
    'host-port-entry',
    'host-port',
    'host-port-masquerade',
    'balancer-route',
    'service-address',
    'node-nic',
    'node-address',
    'node-default-route',
    'node-sysctl',
    'gateway-route',
    'unrouted-range',
    'listener',
    'node-listener',
    'external-listener',
    'fault-command',
    'break-command',
    'arp-learned',
    'bridge-learned',
  ),
  object: opt(originObject),
  at: opt(object<NonNullable<Origin['at']>>({ file: text, line: opt(count), column: opt(count) })),
});
const from = opt(ref<Origin>('Origin'));

const tap = object<Tap>({
  netns: text,
  device: text,
  direction: closed<Tap['direction']>()('transmit', 'receive'),
  packet,
  flooded: opt(only(true)),
});

const broadcast = object<WireBroadcast>({ segment: text, others: count, packet });

const nearMiss = <Row>(row: Schema<Row>): Schema<NearMiss<Row>> =>
  object<NearMiss<unknown>>({
    row,
    reason: closed<NearMiss<Row>['reason']>()(
      'shorter-prefix',
      'higher-metric',
      'later-rule',
      'other-table',
      'device-down',
      'other-device',
      'other-address',
      'rule-condition',
    ),
  }) as Schema<NearMiss<Row>>;

const fibRule = object<FibRule>({
  priority: count,
  from: opt(cidr),
  to: opt(cidr),
  iif: opt(text),
  oif: opt(text),
  fwmark: opt(object<NonNullable<FibRule['fwmark']>>({ mark: count, mask: count })),
  action: anyOf(
    object<Extract<FibRule['action'], { kind: 'table' }>>({ kind: only('table'), table: count }),
    object<Exclude<FibRule['action'], { kind: 'table' }>>({
      kind: closed<Exclude<FibRule['action']['kind'], 'table'>>()(
        'blackhole',
        'unreachable',
        'prohibit',
      ),
    }),
  ),
  origin: from,
});

const nexthop = object<Nexthop>({
  via: opt(ip),
  viaSelf: opt(flag),
  dev: text,
  onlink: opt(flag),
  weight: count,
  dead: opt(flag),
});

const fibEntry = object<FibEntry>({
  table: count,
  type: closed<FibEntry['type']>()(
    'unicast',
    'local',
    'broadcast',
    'blackhole',
    'unreachable',
    'prohibit',
    'throw',
  ),
  dst: cidr,
  via: opt(ip),
  viaSelf: opt(flag),
  dev: opt(text),
  nexthops: opt(list(nexthop)),
  scope: closed<FibEntry['scope']>()('host', 'link', 'global'),
  metric: count,
  src: opt(ip),
  protocol: anyOf(enumOf(['kernel', 'boot', 'static'] as const), count),
  onlink: opt(flag),
  mtu: opt(count),
  origin: from,
});

const neigh = object<Neigh>({
  ip,
  dev: text,
  lladdr: opt(mac),
  state: closed<Neigh['state']>()(
    'INCOMPLETE',
    'REACHABLE',
    'STALE',
    'DELAY',
    'PROBE',
    'FAILED',
    'NOARP',
    'PERMANENT',
  ),
  origin: from,
});

const fdbEntry = object<FdbEntry>({
  mac,
  dev: text,
  dst: opt(ip),
  state: closed<FdbEntry['state']>()('permanent', 'static', 'learned'),
  local: opt(flag),
  origin: from,
});

const ipvsProtocol = closed<IpvsProtocol>()('tcp', 'udp', 'sctp');
const virtualEnd = object<IpvsRewrite['virtual']>({ ip, port: count });

const ipvsRewrite = object<IpvsRewrite>({
  protocol: ipvsProtocol,
  virtual: virtualEnd,
  scheduler: closed<IpvsRewrite['scheduler']>()(...SCHEDULERS),
  servers: count,
  pick: closed<IpvsRewrite['pick']>()('scheduler', 'template', 'connection'),
});

const hook = closed<Hook>()('PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING');
const table = anyOf(
  closed<TableName>()('raw', 'mangle', 'nat', 'filter', 'security'),
  described(
    raw<NftTableName>({ type: 'string', pattern: '^(ip|ip6|inet) ' }),
    'A table of nf_tables, with its family.',
  ),
);
const ctState = closed<CtState>()('INVALID', 'NEW', 'ESTABLISHED', 'RELATED', 'UNTRACKED');
const ctDir = closed<CtDir>()('original', 'reply');

type MatchOf<Kind extends Match['kind']> = Extract<Match, { readonly kind: Kind }>;

const match = complete<Match>()(
  anyOf(
    object<MatchOf<'src' | 'dst'>>({
      kind: closed<'src' | 'dst'>()('src', 'dst'),
      cidr,
      negate: flag,
    }),
    object<MatchOf<'in' | 'out'>>({
      kind: closed<'in' | 'out'>()('in', 'out'),
      ifname: text,
      negate: flag,
    }),
    object<MatchOf<'protocol'>>({
      kind: only('protocol'),
      protocol: anyOf(enumOf(['tcp', 'udp', 'icmp', 'sctp'] as const), count),
      negate: flag,
    }),
    object<MatchOf<'sport' | 'dport'>>({
      kind: closed<'sport' | 'dport'>()('sport', 'dport'),
      from: count,
      to: count,
      negate: flag,
    }),
    object<MatchOf<'multiport'>>({
      kind: only('multiport'),
      which: closed<MatchOf<'multiport'>['which']>()('sports', 'dports', 'ports'),
      ports: list(
        raw<[number, number]>({
          type: 'array',
          items: { type: 'integer' },
          minItems: 2,
          maxItems: 2,
        }),
      ),
      negate: flag,
    }),
    object<MatchOf<'mark'>>({ kind: only('mark'), value: count, mask: count, negate: flag }),
    object<MatchOf<'ctstate'>>({
      kind: only('ctstate'),
      states: list(anyOf(ctState, enumOf(['DNAT', 'SNAT'] as const))),
      negate: flag,
      alias: opt(only('state')),
    }),
    object<MatchOf<'addrtype'>>({
      kind: only('addrtype'),
      which: closed<MatchOf<'addrtype'>['which']>()('src', 'dst'),
      type: closed<MatchOf<'addrtype'>['type']>()('LOCAL', 'UNICAST', 'BROADCAST', 'MULTICAST'),
      negate: flag,
    }),
    object<MatchOf<'physdev'>>({
      kind: only('physdev'),
      which: closed<MatchOf<'physdev'>['which']>()('in', 'out', 'is-bridged', 'is-in', 'is-out'),
      ifname: opt(text),
      negate: flag,
    }),
    object<MatchOf<'icmp-type'>>({
      kind: only('icmp-type'),
      type: count,
      code: opt(count),
      negate: flag,
    }),
    object<MatchOf<'tcp-flags'>>({
      kind: only('tcp-flags'),
      mask: list(text),
      set: list(text),
      negate: flag,
    }),
    object<MatchOf<'length'>>({ kind: only('length'), from: count, to: count, negate: flag }),
    object<MatchOf<'set'>>({
      kind: only('set'),
      name: text,
      dirs: list(closed<MatchOf<'set'>['dirs'][number]>()('src', 'dst')),
      negate: flag,
    }),
    object<MatchOf<'statistic'>>({ kind: only('statistic'), probability: count, negate: flag }),
    object<MatchOf<'recent'>>({
      kind: only('recent'),
      op: closed<MatchOf<'recent'>['op']>()('set', 'rcheck', 'update', 'remove'),
      name: text,
      seconds: opt(count),
      reap: opt(only(true)),
      hitcount: opt(count),
      mask: ip,
      side: closed<MatchOf<'recent'>['side']>()('source', 'dest'),
      negate: flag,
    }),
    object<MatchOf<'nfacct'>>({ kind: only('nfacct'), name: text }),
    object<MatchOf<'extension'>>({
      kind: only('extension'),
      name: closed<MatchOf<'extension'>['name']>()('tcp', 'udp', 'sctp'),
    }),
    object<MatchOf<'comment'>>({ kind: only('comment'), text }),
    object<MatchOf<'unmodelled'>>({ kind: only('unmodelled'), text }),
  ),
);

type TargetOf<Kind extends Target['kind']> = Extract<Target, { readonly kind: Kind }>;

const target = complete<Target>()(
  anyOf(
    object<TargetOf<'ACCEPT' | 'DROP'>>({ kind: closed<'ACCEPT' | 'DROP'>()('ACCEPT', 'DROP') }),
    object<TargetOf<'RETURN'>>({ kind: only('RETURN') }),
    object<TargetOf<'NONE'>>({ kind: only('NONE') }),
    object<TargetOf<'jump' | 'goto'>>({
      kind: closed<'jump' | 'goto'>()('jump', 'goto'),
      chain: text,
    }),
    object<TargetOf<'REJECT'>>({
      kind: only('REJECT'),
      with: closed<RejectWith>()(
        'icmp-net-unreachable',
        'icmp-host-unreachable',
        'icmp-port-unreachable',
        'icmp-proto-unreachable',
        'icmp-net-prohibited',
        'icmp-host-prohibited',
        'icmp-admin-prohibited',
        'tcp-reset',
      ),
    }),
    object<TargetOf<'MARK'>>({
      kind: only('MARK'),
      op: closed<TargetOf<'MARK'>['op']>()('set', 'or', 'and', 'xor'),
      value: count,
      mask: count,
    }),
    object<TargetOf<'MASQUERADE'>>({ kind: only('MASQUERADE'), randomFully: flag }),
    object<TargetOf<'SNAT'>>({ kind: only('SNAT'), ip, port: opt(count) }),
    object<TargetOf<'DNAT'>>({ kind: only('DNAT'), ip, port: opt(count) }),
    object<TargetOf<'NOTRACK'>>({ kind: only('NOTRACK'), alias: opt(only('CT')) }),
    object<TargetOf<'LOG'>>({ kind: only('LOG'), options: opt(text) }),
    object<TargetOf<'unmodelled'>>({ kind: only('unmodelled'), text }),
  ),
);

const rule = object<Rule>({
  matches: list(match),
  target,
  comment: opt(text),
  commentAt: opt(count),
  nft: opt(described(text, 'A rule of nf_tables in the words of nft; it has no other matches.')),
  origin: from,
});

const place = object<{ chain: string; number: number }>({ chain: text, number: count });

const ruleMiss = described(
  object<RuleMiss>({
    chain: text,
    number: count,
    rule: ref<Rule>('Rule'),
    path: list(place),
    condition: described(match, 'The only condition of the rule that does not hold.'),
    found: described(
      list(anyOf(text, whole, ref<Unknown>('Unknown'))),
      'What the packet has where the condition looks; empty: nothing of that kind.',
    ),
    leadsTo: opt(described(place, 'Of a jump: the rule that would have decided behind it.')),
  }),
  'A firewall rule that would have decided otherwise, had one condition of it held.',
);

const tuple = object<CtTuple>({
  src: ip,
  dst: ip,
  protocol: closed<CtTuple['protocol']>()('tcp', 'udp', 'icmp'),
  sport: port,
  dport: port,
});

const entry = object<ConntrackEntry>({
  original: tuple,
  reply: tuple,
  seenReply: flag,
  assured: flag,
  snat: flag,
  dnat: flag,
  tcpState: opt(
    closed<NonNullable<ConntrackEntry['tcpState']>>()(
      'SYN_SENT',
      'SYN_SENT2',
      'SYN_RECV',
      'ESTABLISHED',
      'FIN_WAIT',
      'CLOSE_WAIT',
      'LAST_ACK',
      'TIME_WAIT',
      'CLOSE',
    ),
  ),
  confirmed: flag,
  srcNatDone: opt(flag),
  dstNatDone: opt(flag),
  masqueradeOut: opt(text),
  closedBy: opt(closed<NonNullable<ConntrackEntry['closedBy']>>()('fin', 'original', 'reply')),
});

const path = opt(list(place));

type EventOf<Kind extends StepKind> = Extract<KernelEvent, { readonly kind: Kind }>;
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

const steps: { readonly [Kind in StepKind]: readonly Schema<StepOf<Kind>>[] } = {
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
      closed<EventOf<'policy'>['action']>()('not-enforced'),
      object<DetailOf<'policy'>>({ policies: list(text) }),
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

const endpoint = object<EndpointRef>({
  text: described(text, 'As typed.'),
  kind: closed<EndpointRef['kind']>()('pod', 'node', 'service', 'ip', 'external', 'name'),
  namespace: opt(text),
  name: opt(text),
  container: opt(text),
  ip: opt(text),
  node: opt(text),
  workload: opt(
    object<NonNullable<EndpointRef['workload']>>({ kind: text, name: text, replicas: count }),
  ),
});

const disposition = enumOf(DISPOSITIONS);

const hop = object<Hop>({
  node: text,
  netns: described(text, '`host`, or namespace/pod.'),
  steps: list(ref<Step>('Step')),
});

const direction = closed<Leg['direction']>()('request', 'reply');
const legPacket = closed<LegPacket>()(
  'syn',
  'synack',
  'rst',
  'ack',
  'data',
  'datagram',
  'echo',
  'echo-reply',
  'icmp-error',
);

const leg = object<Leg>({ direction, packet: legPacket, disposition, hops: list(hop) });

const placed = object<PlacedStep>({
  direction,
  packet: legPacket,
  node: text,
  netns: text,
  step: ref<Step>('Step'),
});

const symptom = described(enumOf(SYMPTOMS), 'What the application sees.');

const before = object<Before>({
  without: closed<Before['without']>()('faults', 'overrides', 'faults-and-overrides'),
  disposition,
  symptom,
  cause: opt(enumOf(CAUSE_CODES)),
  parts: opt(
    described(
      object<NonNullable<Before['parts']>>({
        before: opt(ref<PlacedStep>('PlacedStep')),
        step: opt(described(whole, 'The step (n) of this trace.')),
      }),
      'The first steps that differ; absent where both traces take the same steps.',
    ),
  ),
});

const cost = object<Cost>({
  steps: count,
  arpExchanges: count,
  arpFrames: count,
  floods: count,
  natLookups: count,
  newConnections: count,
});

const warm = object<Warm>({
  first: cost,
  second: cost,
  changes: list(
    object<Change>({
      was: opt(ref<PlacedStep>('PlacedStep')),
      is: opt(ref<PlacedStep>('PlacedStep')),
    }),
  ),
});

const rows = object<CauseRows>({
  address: opt(cidr),
  route: opt(ref<FibEntry>('Route')),
  ipRule: opt(fibRule),
  neighbour: opt(neigh),
  fdb: opt(fdbEntry),
});

const about = described(
  object<CauseSubject>({
    node: text,
    netns: described(text, '`host`, or namespace/pod.'),
    device: opt(text),
    bridge: opt(described(text, 'The bridge that the device is, or should be, a port of.')),
    peer: opt(described(text, 'The machine at the other end of the wire.')),
    mac: opt(described(mac, 'The link-layer address that the tunnel has no node for.')),
    service: opt(
      described(
        object<NonNullable<CauseSubject['service']>>({ namespace: text, name: text }),
        'The Service that was asked.',
      ),
    ),
    rules: opt(
      described(
        closed<NonNullable<CauseSubject['rules']>>()('never-written', 'gone'),
        'Of rules for a Service: nobody writes any, or they were there before the faults.',
      ),
    ),
    wrong: opt(described(rows, 'What decided, and should not.')),
    missing: opt(
      described(
        rows,
        "What is not there because of the scenario's faults, or a route that would lead on.",
      ),
    ),
  }),
  'What is to be looked at and mended, as far as it is known by name.',
);

const placeSchema = object<RemedyPlace>({ node: text, netns: text });

const advice = object<Advice>({
  code: enumOf(ADVICE_CODES),
  values: raw<Advice['values']>({
    type: 'object',
    additionalProperties: { type: ['string', 'number'] },
  }),
  run: opt(described(text, 'A command that goes with it, for anybody with kubectl.')),
});

type FixOf<K extends Fix['kind']> = Extract<Fix, { kind: K }>;

const fix = complete<Fix>()(
  anyOf(
    object<FixOf<'commands'>>({
      kind: only('commands'),
      on: placeSchema,
      commands: list(text),
    }),
    object<FixOf<'patch'>>({
      kind: only('patch'),
      object: object<PatchedObject>({ kind: text, namespace: opt(text), name: text }),
      patch: described(
        raw<FixOf<'patch'>['patch']>({ type: 'object' }),
        'A strategic merge patch of an object of the input, which it names.',
      ),
      advice,
    }),
    object<FixOf<'advice'>>({ kind: only('advice'), advice }),
  ),
);

const remedy = object<Remedy>({
  fix,
  check: object<Check>({ on: opt(placeSchema), commands: list(text) }),
});

const withFix = object<WithFix>({
  mended: flag,
  rounds: list(
    object<FixRound>({
      for: enumOf(CAUSE_CODES),
      fix,
      outcome: closed<FixOutcome>()('mended', 'not-enough', 'advice', 'refused', 'repeated'),
      disposition: opt(disposition),
      symptom: opt(symptom),
      problem: opt(described(text, 'Why it is refused.')),
    }),
  ),
});

const alternative = {
  choice: closed<Alternative['choice']>()('backend', 'node', 'path'),
  name: text,
  address: opt(described(text, 'Of a backend: IP:port, where the destination was rewritten.')),
  node: opt(described(text, 'The machine that it was sent through, where several would do.')),
  disposition,
  symptom,
  cause: opt(text),
};

const forks = described(
  object<Forks>({ ...alternative, others: opt(count) }),
  'Which of several ways the legs tell; the others are alternatives.',
);

const socketed = { ip, port: opt(port) };

type RecordOf<Type extends DnsType> = Extract<DnsRecord, { readonly type: Type }>;

const recordBase = { name: text, ttl: count };
const pointing = <const Type extends DnsType>(type: Type) => ({
  type: only(type),
  target: text,
  ...recordBase,
});

const dnsRecord = anyOf(
  object<RecordOf<'A'>>({ type: only('A'), address: ip, ...recordBase }),
  object<RecordOf<'AAAA'>>({ type: only('AAAA'), address: text, ...recordBase }),
  object<RecordOf<'CNAME'>>(pointing('CNAME')),
  object<RecordOf<'PTR'>>(pointing('PTR')),
  object<RecordOf<'TXT'>>({ type: only('TXT'), text, ...recordBase }),
  object<RecordOf<'SRV'>>({
    ...pointing('SRV'),
    priority: count,
    weight: count,
    port: count,
  }),
  object<RecordOf<'SOA'>>({
    type: only('SOA'),
    mname: text,
    rname: text,
    serial: count,
    refresh: count,
    retry: count,
    expire: count,
    minimum: count,
    ...recordBase,
  }),
);

/** Of a query's cause there is the code and the step: the whole trace's cause has sentences. */
const queryCause = object<CauseFact>({
  code: enumOf(CAUSE_CODES),
  step: opt(whole),
  origin: from,
  about: opt(about),
  inner: opt(enumOf(CAUSE_CODES)),
  unmodelled: opt(raw({ type: 'string' })),
});

const resolution = object<Resolution>({
  name: described(text, 'As it was asked for.'),
  by: closed<Resolution['by']>()('hosts', 'dns', 'records'),
  resolvConf: object<Resolution['resolvConf']>({
    policy: closed<Resolution['resolvConf']['policy']>()(
      'ClusterFirst',
      'ClusterFirstWithHostNet',
      'Default',
      'None',
      'Node',
    ),
    nameservers: list(text),
    searches: list(text),
    options: list(text),
    ndots: count,
    node: described(flag, "It begins with what the node's own file has, which no input shows."),
  }),
  queries: list(
    object<DnsQuery>({
      name: text,
      type: enumOf(DNS_TYPES),
      server: ip,
      transport: only('udp'),
      takenBy: opt(object<NonNullable<DnsQuery['takenBy']>>({ node: text, netns: text })),
      rcode: opt(described(enumOf(DNS_RCODES), 'Absent: no answer, or nobody knows which.')),
      answers: list(ref<DnsRecord>('DnsRecord')),
      forwarded: opt(described(text, 'The name server asks outside for this name.')),
      disposition,
      symptom,
      cause: opt(queryCause),
      legs: list(leg),
      told: opt(forks),
      alternatives: opt(list(object<Alternative>(alternative))),
    }),
  ),
  outcome: closed<Resolution['outcome']>()('found', 'not-found', 'unreachable', 'unknown'),
  addresses: described(list(ip), 'What the client may connect to, in the order of the answer.'),
  near: opt(described(list(text), 'Names of the cluster that it may have been meant to be.')),
});

const trace = object<Trace>({
  apiVersion: only('k8snet/v1'),
  kind: only('Trace'),
  scenario: text,
  probe: object<TraceProbe>({
    from: endpoint,
    to: endpoint,
    protocol: text,
    port: opt(count),
    sourcePort: opt(count),
    size: opt(count),
  }),
  disposition,
  symptom,
  cause: opt(
    object<Cause>({
      code: enumOf(CAUSE_CODES),
      step: opt(described(whole, 'The step (n) that is the cause.')),
      message: text,
      fix: text,
      check: text,
      remedy: described(remedy, 'What mends it, and what shows it on a real node, as data.'),
      origin: from,
      about: opt(about),
      inner: opt(described(enumOf(CAUSE_CODES), 'Why the query of a name fails.')),
      unmodelled: opt(
        closed<UnmodelledQuestion>()(
          'sctp',
          'ipv6',
          'special-address',
          'balancer-proxy',
          'external-name',
          'range-too-small',
          'dns-over-tcp',
        ),
      ),
    }),
  ),
  resolution: opt(
    described(resolution, 'Where a name was asked for: how it was resolved, before the legs.'),
  ),
  legs: list(leg),
  before: opt(
    described(before, 'Without the faults, or without --set: how the same question fares.'),
  ),
  warm: opt(
    described(warm, 'This is the second probe (--warm): what is otherwise than the first time.'),
  ),
  withFix: opt(
    described(withFix, 'Only with --with-fix: what comes of the fixes, one after the other.'),
  ),
  told: opt(forks),
  alternatives: opt(list(object<Alternative>(alternative))),
  notWalked: opt(
    described(count, 'Ways that nobody walked, since there are too many: so many at least.'),
  ),
  sourceSeen: opt(
    described(
      object<SeenSource>({
        ...socketed,
        rewritten: opt(
          object<NonNullable<SeenSource['rewritten']>>({
            step: whole,
            node: text,
            netns: text,
            was: object<Socketed>(socketed),
          }),
        ),
      }),
      "The source of the request as the server's socket sees it.",
    ),
  ),
  dnat: opt(
    described(
      object<ReachedTarget>({ ...socketed, step: whole }),
      'Where the last rewrite of the destination sends the request.',
    ),
  ),
  assumptions: list(text),
});

const fates = list(object<FateCount>({ disposition, probes: count }));

const traceList = object<TraceList>({
  apiVersion: only('k8snet/v1'),
  kind: only('TraceList'),
  items: described(list(ref<Trace>('Trace')), 'The probes, one after the other.'),
  summary: object<RepeatSummary>({
    probes: count,
    fates,
    targets: described(
      list(
        object<RepeatTarget>({
          choice: alternative.choice,
          name: text,
          address: alternative.address,
          node: alternative.node,
          probes: count,
          fates,
        }),
      ),
      'Where they went; none where there is one way only.',
    ),
    affinity: opt(
      described(
        closed<Affinity>()('pinned', 'none', 'no-choice'),
        'Absent: no two probes came the same way to where a backend is picked.',
      ),
    ),
  }),
});

const definitions: Readonly<Record<string, Json>> = {
  Unknown: unknownValue.json,
  Layer: { oneOf: Object.values<Schema<unknown>>(layers).map(({ json }) => json) },
  Origin: origin.json,
  Tap: tap.json,
  Route: fibEntry.json,
  Rule: rule.json,
  RuleMiss: ruleMiss.json,
  Connection: entry.json,
  PlacedStep: placed.json,
  DnsRecord: dnsRecord.json,
  Step: {
    oneOf: Object.values<readonly Schema<unknown>[]>(steps).flatMap((variants) =>
      variants.map(({ json }) => json),
    ),
  },
};

/** The JSON Schema of a Trace. */
export const traceSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'k8snet Trace',
  ...trace.json,
  $defs: definitions,
});

/** The JSON Schema of a TraceList. */
export const traceListSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'k8snet TraceList',
  ...traceList.json,
  $defs: { ...definitions, Trace: trace.json },
});
