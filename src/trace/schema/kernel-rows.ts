/** The schema of rows of kernel tables (routes, neighbours, FDB), who wrote them, and what was seen beside the way. */

import type { Tap, WireBroadcast } from '../../kernel/event.ts';
import type { FdbEntry } from '../../kernel/fdb.ts';
import type { FibEntry, FibRule, Nexthop } from '../../kernel/fib.ts';
import type { IpvsRewrite } from '../../kernel/ipvs/told.ts';
import { type IpvsProtocol, SCHEDULERS } from '../../kernel/ipvs/virtual-server.ts';
import type { Neigh } from '../../kernel/neigh.ts';
import type { Origin, OriginObject } from '../../kernel/origin.ts';
import type { NearMiss } from '../trace.ts';
import { packet } from './packets.ts';
import {
  anyOf,
  cidr,
  closed,
  count,
  enumOf,
  flag,
  ip,
  list,
  mac,
  object,
  only,
  opt,
  ref,
  type Schema,
  text,
} from './typed-schema.ts';

const originObject = object<OriginObject>({
  kind: text,
  namespace: opt(text),
  name: text,
  field: opt(text),
});

export const origin = object<Origin>({
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
    'policy-established',
    'policy-own-node',
    'policy-self',
    'policy-dispatch',
    'policy-accept',
    'policy-pass',
    'policy-deny',
    'policy-ingress-default-deny',
    'policy-egress-default-deny',
    'policy-undecided',
    'fault-command',
    'break-command',
    'arp-learned',
    'bridge-learned',
  ),
  object: opt(originObject),
  at: opt(object<NonNullable<Origin['at']>>({ file: text, line: opt(count), column: opt(count) })),
});
export const from = opt(ref<Origin>('Origin'));

export const tap = object<Tap>({
  netns: text,
  device: text,
  direction: closed<Tap['direction']>()('transmit', 'receive'),
  packet,
  flooded: opt(only(true)),
});

export const broadcast = object<WireBroadcast>({ segment: text, others: count, packet });

export const nearMiss = <Row>(row: Schema<Row>): Schema<NearMiss<Row>> =>
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

export const fibRule = object<FibRule>({
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

export const nexthop = object<Nexthop>({
  via: opt(ip),
  viaSelf: opt(flag),
  dev: text,
  onlink: opt(flag),
  weight: count,
  dead: opt(flag),
});

export const fibEntry = object<FibEntry>({
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

export const neigh = object<Neigh>({
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

export const fdbEntry = object<FdbEntry>({
  mac,
  dev: text,
  dst: opt(ip),
  state: closed<FdbEntry['state']>()('permanent', 'static', 'learned'),
  local: opt(flag),
  origin: from,
});

export const ipvsProtocol = closed<IpvsProtocol>()('tcp', 'udp', 'sctp');
export const virtualEnd = object<IpvsRewrite['virtual']>({ ip, port: count });

export const ipvsRewrite = object<IpvsRewrite>({
  protocol: ipvsProtocol,
  virtual: virtualEnd,
  scheduler: closed<IpvsRewrite['scheduler']>()(...SCHEDULERS),
  servers: count,
  pick: closed<IpvsRewrite['pick']>()('scheduler', 'template', 'connection'),
});
