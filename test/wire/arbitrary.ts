/** Random packets for properties: every kind of header, nested as the wire nests them. */
import fc from 'fast-check';
import type {
  Ethernet,
  Icmp,
  IcmpKind,
  Ipv4,
  Opaque,
  Tcp,
  TcpFlag,
  TcpOption,
  Udp,
} from '../../src/wire/packet.ts';

const uint8 = fc.integer({ min: 0, max: 0xff });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });

export const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'));

/** Data whose `bytes` do not end in zero: the one form that decoding gives. */
const data = (maxLength: number): fc.Arbitrary<Opaque> =>
  fc
    .tuple(fc.uint8Array({ maxLength }), fc.integer({ min: 0, max: 4 }))
    .map(([bytes, zeros]): Opaque => {
      const last = bytes.findLastIndex((byte) => byte !== 0) + 1;
      const length = bytes.length + zeros;
      return last > 0
        ? { type: 'data', length, bytes: bytes.slice(0, last) }
        : { type: 'data', length };
    });

const option: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.record({ kind: fc.constant('mss' as const), mss: uint16 }),
  fc.record({ kind: fc.constant('sack-permitted' as const) }),
  fc.record({ kind: fc.constant('timestamps' as const), value: uint32, echo: uint32 }),
  fc.record({ kind: fc.constant('nop' as const) }),
  fc.record({ kind: fc.constant('window-scale' as const), shift: uint8 }),
  // Selective acknowledgement of one block (RFC 2018).
  fc.record({
    kind: fc.constant('raw' as const),
    bytes: fc
      .uint8Array({ minLength: 8, maxLength: 8 })
      .map((block) => Uint8Array.of(5, 10, ...block)),
  }),
);

/** As many options as fit into a header of 60 bytes whatever they are. */
const options = fc.array(option, { maxLength: 4 });

const FLAGS: readonly TcpFlag[] = ['fin', 'syn', 'rst', 'psh', 'ack'];

/** Ports that are not a tunnel's, so that random data is not taken for a frame. */
const port = uint16.filter((n) => n !== 4789 && n !== 8472);

export const tcp: fc.Arbitrary<Tcp> = fc.record({
  type: fc.constant('tcp' as const),
  sport: uint16,
  dport: uint16,
  seq: uint32,
  ack: uint32,
  flags: fc.subarray([...FLAGS]),
  window: uint16,
  options,
  payload: data(64),
});

const plainUdp: fc.Arbitrary<Udp> = fc.record({
  type: fc.constant('udp' as const),
  sport: uint16,
  dport: port,
  payload: data(64),
});

const echo: fc.Arbitrary<Icmp> = fc.record({
  type: fc.constant('icmp' as const),
  kind: fc.constantFrom<IcmpKind>('echo-request', 'echo-reply'),
  code: fc.constant(0),
  id: uint16,
  seq: uint16,
  payload: data(64),
});

const opaque = fc.record({
  payload: data(64),
  protocol: uint8.filter((n) => n !== 1 && n !== 6 && n !== 17),
});

const packetOf = (
  contents: fc.Arbitrary<{ payload: Ipv4['payload']; protocol?: number }>,
): fc.Arbitrary<Ipv4> =>
  fc
    .tuple(
      fc.record({
        type: fc.constant('ipv4' as const),
        src: fc.ipV4(),
        dst: fc.ipV4(),
        ttl: uint8,
        tos: uint8,
        df: fc.boolean(),
        id: uint16,
      }),
      contents,
    )
    .map(([header, inner]) => ({ ...header, ...inner }));

const plainPacket = packetOf(
  fc.oneof(
    fc.oneof(tcp, plainUdp, echo).map((payload) => ({ payload })),
    opaque,
  ),
);

const error: fc.Arbitrary<Icmp> = fc.oneof(
  fc.record({
    type: fc.constant('icmp' as const),
    kind: fc.constantFrom<IcmpKind>('time-exceeded', 'parameter-problem'),
    code: uint8,
    original: plainPacket,
    payload: data(0),
  }),
  fc
    .record({
      type: fc.constant('icmp' as const),
      kind: fc.constant('destination-unreachable' as const),
      code: uint8,
      mtu: uint16,
      original: plainPacket,
      payload: data(0),
    })
    .map(({ mtu, ...icmp }) => (icmp.code === 4 ? { ...icmp, mtu } : icmp)),
  fc.record({
    type: fc.constant('icmp' as const),
    kind: fc.constant('redirect' as const),
    code: uint8,
    gateway: fc.ipV4(),
    original: plainPacket,
    payload: data(0),
  }),
);

export const ipv4: fc.Arbitrary<Ipv4> = fc.oneof(
  plainPacket,
  packetOf(error.map((payload) => ({ payload }))),
);

const frameOf = (payload: fc.Arbitrary<Ethernet['payload']>): fc.Arbitrary<Ethernet> =>
  fc.record({ type: fc.constant('ethernet' as const), src: mac, dst: mac, payload });

const arp = fc.record({
  type: fc.constant('arp' as const),
  op: fc.constantFrom('request' as const, 'reply' as const),
  sha: mac,
  spa: fc.ipV4(),
  tha: mac,
  tpa: fc.ipV4(),
});

const plainFrame = frameOf(fc.oneof({ weight: 4, arbitrary: ipv4 }, { weight: 1, arbitrary: arp }));

const vxlan: fc.Arbitrary<Udp> = fc.record({
  type: fc.constant('udp' as const),
  sport: uint16,
  dport: fc.constantFrom(4789, 8472),
  payload: fc.record({
    type: fc.constant('vxlan' as const),
    vni: fc.integer({ min: 0, max: 0xffffff }),
    payload: plainFrame,
  }),
});

/** Any frame, a third of them tunnels. */
export const frame: fc.Arbitrary<Ethernet> = fc.oneof(
  { weight: 2, arbitrary: plainFrame },
  { weight: 1, arbitrary: frameOf(packetOf(vxlan.map((payload) => ({ payload })))) },
);
