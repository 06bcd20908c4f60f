import { describe, expect, it } from 'vitest';
import type { Tap } from '../../src/kernel/event.ts';
import { compareTaps, type OnWire, samePacket } from '../../src/trace/compare-taps.ts';
import { acknowledgement, type FlowTaps, type OwnTap, tapsOf } from '../../src/trace/taps.ts';
import type { Layer } from '../../src/wire/packet.ts';

const ETHERNET: Layer = { type: 'ethernet', src: '0a:00:00:00:00:01', dst: '0a:00:00:00:00:02' };

const udp = (ttl = 64): Layer[] => [
  ETHERNET,
  { type: 'ipv4', src: '10.0.0.1', dst: '10.0.0.2', ttl, protocol: 'udp', df: true, length: 28 },
  { type: 'udp', sport: 40000, dport: 53, length: 8 },
];

const request = (dst = 'ff:ff:ff:ff:ff:ff'): Layer[] => [
  { ...ETHERNET, dst },
  {
    type: 'arp',
    op: 'request',
    sha: '0a:00:00:00:00:01',
    spa: '10.0.0.1',
    tha: '00:00:00:00:00:00',
    tpa: '10.0.0.2',
  },
];

const tap = (device: string, packet: Layer[], direction: Tap['direction'] = 'transmit'): Tap => ({
  netns: 'n/host',
  device,
  direction,
  packet,
});

const own = (taps: readonly Tap[]): OwnTap[] =>
  taps.map((one, n) => ({ ...one, n: n + 1, leg: 'datagram' }));

const flow = (change: Partial<FlowTaps> = {}): FlowTaps => ({
  own: own([tap('a', udp()), tap('b', udp())]),
  copies: [],
  arp: [],
  broadcasts: [],
  looped: false,
  ...change,
});

const nowhere: OnWire = () => false;

const kinds = (expected: FlowTaps, found: readonly Tap[], onWire: OnWire = nowhere): string[] =>
  compareTaps(expected, found, onWire).differences.map(
    ({ kind, what, tap: { device } }) => `${kind} ${what} ${device}`,
  );

describe('compareTaps', () => {
  it('counts what both have', () => {
    expect(compareTaps(flow(), [tap('a', udp()), tap('b', udp())], nowhere)).toEqual({
      differences: [],
      equal: 2,
    });
  });

  it('tells any other header, device, direction or order', () => {
    expect(kinds(flow(), [tap('a', udp(63)), tap('b', udp())])).not.toEqual([]);
    expect(kinds(flow(), [tap('a', udp()), tap('c', udp())])).toEqual([
      'unexpected own c',
      'missing own b',
    ]);
    expect(kinds(flow(), [tap('a', udp(), 'receive'), tap('b', udp())])).not.toEqual([]);
    expect(kinds(flow(), [tap('b', udp()), tap('a', udp())])).not.toEqual([]);
    expect(kinds(flow(), [tap('a', udp())])).toEqual(['missing own b']);
  });

  it('takes copies at any time, but takes each once', () => {
    const expected = flow({ copies: [tap('x', udp())] });
    const main = [tap('a', udp()), tap('b', udp())];
    expect(kinds(expected, [...main, tap('x', udp())])).toEqual([]);
    expect(kinds(expected, [tap('x', udp()), ...main])).toEqual([]);
    expect(kinds(expected, main)).toEqual(['missing copy x']);
    expect(kinds(expected, [...main, tap('x', udp()), tap('x', udp())])).toEqual([
      'unexpected own x',
    ]);
  });

  it('compares ARP as a set in which a repeated request is one member', () => {
    const expected = flow({ own: [], arp: [tap('a', request())] });
    expect(kinds(expected, [tap('a', request()), tap('a', request())])).toEqual([]);
    expect(kinds(expected, [])).toEqual(['missing arp a']);
    expect(kinds(expected, [tap('a', request()), tap('b', request())])).toEqual([
      'unexpected arp b',
    ]);
  });

  it('takes further rounds of a packet that loops, and no others', () => {
    const rounds = [tap('a', udp(64)), tap('b', udp(64)), tap('a', udp(62)), tap('b', udp(62))];
    expect(kinds(flow(), rounds)).toEqual(['unexpected own a', 'unexpected own b']);
    expect(kinds(flow({ looped: true }), rounds)).toEqual([]);
    expect(kinds(flow({ looped: true }), [...rounds, tap('c', udp(60))])).toEqual([
      'unexpected own c',
    ]);
  });

  it('lets a router keep quiet about a shorter way, but not speak of one unasked', () => {
    const redirect = tap('r', [
      ETHERNET,
      { type: 'icmp', kind: 'redirect', code: 1, length: 36, original: udp().slice(1) },
    ]);
    const main = [tap('a', udp()), tap('b', udp())];
    const expected = flow({ own: own([tap('a', udp()), redirect, tap('b', udp())]) });
    expect(kinds(expected, [...main, redirect])).toEqual([]);
    expect(kinds(expected, main)).toEqual([]);
    expect(kinds(flow(), [...main, redirect])).toEqual(['unexpected own r']);
  });

  it('ignores a neighbour that is checked again by unicast', () => {
    expect(kinds(flow({ own: [] }), [tap('a', request('0a:00:00:00:00:02'))])).toEqual([]);
  });

  it('lets a counted broadcast be heard by those on its wire only', () => {
    const expected = flow({
      own: [],
      broadcasts: [{ segment: 'w', others: 1, packet: request() }],
    });
    const onWire: OnWire = (segment, { device }) => segment === 'w' && device === 'eth0';
    expect(kinds(expected, [tap('eth0', request(), 'receive')], onWire)).toEqual([]);
    expect(kinds(expected, [tap('eth1', request(), 'receive')], onWire)).toEqual([
      'unexpected arp eth1',
    ]);
    expect(kinds(expected, [tap('eth0', request())], onWire)).toEqual(['unexpected arp eth0']);
  });
});

describe('samePacket', () => {
  const withPort = (sport: Extract<Layer, { type: 'udp' }>['sport']): Layer[] => [
    { type: 'udp', sport, dport: 8472, length: 50 },
  ];

  it('matches a value that only a kernel knows by its range', () => {
    const unknown = withPort({ unknown: 'flow-hash', range: [32768, 60999] });
    expect(samePacket(unknown, withPort(32768))).toBe(true);
    expect(samePacket(unknown, withPort(60999))).toBe(true);
    expect(samePacket(unknown, withPort(61000))).toBe(false);
    expect(samePacket(unknown, withPort(32767))).toBe(false);
  });

  it('looks into a quoted packet', () => {
    const error = (ttl: number): Layer[] => [
      {
        type: 'icmp',
        kind: 'time-exceeded',
        code: 0,
        length: 36,
        original: udp(ttl).slice(1),
      },
    ];
    expect(samePacket(error(1), error(1))).toBe(true);
    expect(samePacket(error(1), error(2))).toBe(false);
  });
});

describe('tapsOf', () => {
  it('finds own packets, copies and ARP in a trace', () => {
    const taps = tapsOf({
      legs: [
        {
          direction: 'request',
          packet: 'datagram',
          disposition: 'delivered',
          hops: [
            {
              node: 'node-1',
              netns: 'default/pod-a',
              steps: [
                {
                  n: 1,
                  kind: 'neighbour',
                  action: 'resolved',
                  detail: { ip: '10.0.0.2', exchange: [tap('eth0', request())] },
                },
                {
                  n: 2,
                  kind: 'transmit',
                  device: 'eth0',
                  action: 'xmit',
                  detail: {},
                  packet: udp(),
                },
                {
                  n: 3,
                  kind: 'bridge',
                  action: 'flood',
                  detail: { mac: 'x', copies: [tap('v2', udp()), tap('v3', request())] },
                },
              ],
            },
          ],
        },
      ],
    });
    expect(taps.own).toEqual([
      {
        netns: 'node-1/default/pod-a',
        device: 'eth0',
        direction: 'transmit',
        packet: udp(),
        n: 2,
        leg: 'datagram',
      },
    ]);
    expect(taps.copies.map(({ device }) => device)).toEqual(['v2']);
    expect(taps.arp.map(({ device }) => device)).toEqual(['eth0', 'v3']);
  });
});

describe('acknowledgement', () => {
  it('goes the way of the SYN without its options', () => {
    const syn: Layer[] = [
      ETHERNET,
      {
        type: 'ipv4',
        src: '10.0.0.1',
        dst: '10.0.0.2',
        ttl: 63,
        protocol: 'tcp',
        df: true,
        length: 60,
      },
      { type: 'tcp', sport: 40000, dport: 80, flags: ['syn'], mss: 1460, length: 40 },
    ];
    const [ack] = acknowledgement([{ ...tap('a', syn), n: 1, leg: 'syn' }]);
    expect(ack?.leg).toBe('ack');
    expect(ack?.packet.slice(1)).toEqual([
      { ...syn[1], length: 52 },
      { type: 'tcp', sport: 40000, dport: 80, flags: ['ack'], length: 32 },
    ]);
  });
});
