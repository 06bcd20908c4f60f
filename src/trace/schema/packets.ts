/** The schema of packets as captures show them, and of values that only a running kernel knows. */

import { DNS_RCODE, DNS_TYPE, type DnsRcode, type DnsType } from '../../wire/dns.ts';
import type { IcmpKind, Layer, TcpFlag, Unknown } from '../../wire/packet.ts';
import {
  anyOf,
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

export const DNS_TYPES = Object.keys(DNS_TYPE) as DnsType[];
export const DNS_RCODES = Object.keys(DNS_RCODE) as DnsRcode[];

export const unknownValue = described(
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
export const port = anyOf(count, ref<Unknown>('Unknown'));

type LayerOf<Type extends Layer['type']> = Extract<Layer, { type: Type }>;

export const layers: { readonly [Type in Layer['type']]: Schema<LayerOf<Type>> } = {
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

export const packet = described(
  list(ref<Layer>('Layer')),
  'Headers, outermost first, as a capture on the device shows them.',
);
