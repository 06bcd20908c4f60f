/**
 * Frames that a real kernel sent (fixtures/capture.sh made them). What each is expected to hold was
 * written by hand from what `tcpdump -e -vv` prints of it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeEthernet } from '../../src/wire/decode.ts';
import { encodeEthernet } from '../../src/wire/encode.ts';
import { layersOf } from '../../src/wire/layers.ts';
import { frameLength } from '../../src/wire/length.ts';
import type { Ethernet, Layer, Tcp } from '../../src/wire/packet.ts';
import { readPcap } from './pcap.ts';

const CLIENT = '02:00:00:00:01:02';
const ROUTER = '02:00:00:00:01:01';
const THERE: Layer = { type: 'ethernet', src: CLIENT, dst: ROUTER };
const BACK: Layer = { type: 'ethernet', src: ROUTER, dst: CLIENT };

const capture = (name: string): Uint8Array[] =>
  readPcap(readFileSync(new URL(`fixtures/${name}.pcap`, import.meta.url)));

const ip = (
  src: string,
  dst: string,
  ttl: number,
  protocol: string,
  df: boolean,
  length: number,
): Layer => ({ type: 'ipv4', src, dst, ttl, protocol, df, length });

const tcpOf = (frame: Ethernet | undefined): Tcp => {
  const packet = frame?.payload;
  if (packet?.type !== 'ipv4' || packet.payload.type !== 'tcp') throw new Error('no TCP');
  return packet.payload;
};

const request: Layer[] = [
  ip('10.0.1.2', '10.0.2.2', 64, 'icmp', true, 84),
  { type: 'icmp', kind: 'echo-request', code: 0, id: 12290, seq: 1, length: 64 },
  { type: 'data', length: 56 },
];

const expected: Record<string, Layer[][]> = {
  'arp-ping': [
    [
      { type: 'ethernet', src: CLIENT, dst: 'ff:ff:ff:ff:ff:ff' },
      {
        type: 'arp',
        op: 'request',
        sha: CLIENT,
        spa: '10.0.1.2',
        tha: '00:00:00:00:00:00',
        tpa: '10.0.1.1',
      },
    ],
    [
      BACK,
      { type: 'arp', op: 'reply', sha: ROUTER, spa: '10.0.1.1', tha: CLIENT, tpa: '10.0.1.2' },
    ],
    [THERE, ...request],
    [
      BACK,
      ip('10.0.2.2', '10.0.1.2', 63, 'icmp', false, 84),
      { type: 'icmp', kind: 'echo-reply', code: 0, id: 12290, seq: 1, length: 64 },
      { type: 'data', length: 56 },
    ],
  ],
  'tcp-rst': [
    [
      THERE,
      ip('10.0.1.2', '10.0.2.2', 64, 'tcp', true, 60),
      { type: 'tcp', sport: 40001, dport: 8081, flags: ['syn'], mss: 1460, length: 40 },
    ],
    [
      BACK,
      ip('10.0.2.2', '10.0.1.2', 63, 'tcp', true, 40),
      { type: 'tcp', sport: 8081, dport: 40001, flags: ['rst', 'ack'], length: 20 },
    ],
  ],
  'udp-unreachable': [
    [
      THERE,
      ip('10.0.1.2', '10.0.2.2', 64, 'udp', true, 31),
      { type: 'udp', sport: 40002, dport: 5353, length: 11 },
      { type: 'data', length: 3 },
    ],
    [
      BACK,
      ip('10.0.2.2', '10.0.1.2', 63, 'icmp', false, 59),
      {
        type: 'icmp',
        kind: 'destination-unreachable',
        code: 3,
        length: 39,
        original: [
          ip('10.0.1.2', '10.0.2.2', 63, 'udp', true, 31),
          { type: 'udp', sport: 40002, dport: 5353, length: 11 },
          { type: 'data', length: 3 },
        ],
      },
    ],
  ],
  'frag-needed': [
    [
      THERE,
      ip('10.0.1.2', '10.0.2.2', 64, 'udp', true, 1500),
      { type: 'udp', sport: 40003, dport: 5354, length: 1480 },
      { type: 'data', length: 1472 },
    ],
    [
      BACK,
      ip('10.0.1.1', '10.0.1.2', 64, 'icmp', false, 576),
      {
        type: 'icmp',
        kind: 'destination-unreachable',
        code: 4,
        mtu: 1400,
        length: 556,
        original: [
          ip('10.0.1.2', '10.0.2.2', 64, 'udp', true, 1500),
          { type: 'udp', sport: 40003, dport: 5354, length: 1480 },
          { type: 'data', length: 1472 },
        ],
      },
    ],
  ],
  'ttl-exceeded': [
    [
      THERE,
      ip('10.0.1.2', '10.0.2.2', 1, 'icmp', true, 84),
      { type: 'icmp', kind: 'echo-request', code: 0, id: 12366, seq: 1, length: 64 },
      { type: 'data', length: 56 },
    ],
    [
      BACK,
      ip('10.0.1.1', '10.0.1.2', 64, 'icmp', false, 112),
      {
        type: 'icmp',
        kind: 'time-exceeded',
        code: 0,
        length: 92,
        original: [
          ip('10.0.1.2', '10.0.2.2', 1, 'icmp', true, 84),
          { type: 'icmp', kind: 'echo-request', code: 0, id: 12366, seq: 1, length: 64 },
          { type: 'data', length: 56 },
        ],
      },
    ],
  ],
  vxlan: [
    [
      THERE,
      ip('10.0.1.2', '10.0.2.2', 64, 'udp', false, 78),
      { type: 'udp', sport: 55705, dport: 8472, length: 58 },
      { type: 'vxlan', vni: 7 },
      { type: 'ethernet', src: '02:00:00:00:07:01', dst: 'ff:ff:ff:ff:ff:ff' },
      {
        type: 'arp',
        op: 'request',
        sha: '02:00:00:00:07:01',
        spa: '10.7.0.1',
        tha: '00:00:00:00:00:00',
        tpa: '10.7.0.2',
      },
    ],
    [
      BACK,
      ip('10.0.2.2', '10.0.1.2', 63, 'udp', false, 78),
      { type: 'udp', sport: 55705, dport: 8472, length: 58 },
      { type: 'vxlan', vni: 7 },
      { type: 'ethernet', src: '02:00:00:00:07:02', dst: '02:00:00:00:07:01' },
      {
        type: 'arp',
        op: 'reply',
        sha: '02:00:00:00:07:02',
        spa: '10.7.0.2',
        tha: '02:00:00:00:07:01',
        tpa: '10.7.0.1',
      },
    ],
    [
      THERE,
      ip('10.0.1.2', '10.0.2.2', 64, 'udp', false, 134),
      { type: 'udp', sport: 54349, dport: 8472, length: 114 },
      { type: 'vxlan', vni: 7 },
      { type: 'ethernet', src: '02:00:00:00:07:01', dst: '02:00:00:00:07:02' },
      ip('10.7.0.1', '10.7.0.2', 64, 'icmp', true, 84),
      { type: 'icmp', kind: 'echo-request', code: 0, id: 12379, seq: 1, length: 64 },
      { type: 'data', length: 56 },
    ],
    [
      BACK,
      ip('10.0.2.2', '10.0.1.2', 63, 'udp', false, 134),
      { type: 'udp', sport: 54349, dport: 8472, length: 114 },
      { type: 'vxlan', vni: 7 },
      { type: 'ethernet', src: '02:00:00:00:07:02', dst: '02:00:00:00:07:01' },
      ip('10.7.0.2', '10.7.0.1', 64, 'icmp', false, 84),
      { type: 'icmp', kind: 'echo-reply', code: 0, id: 12379, seq: 1, length: 64 },
      { type: 'data', length: 56 },
    ],
    [
      THERE,
      ip('10.0.1.2', '10.0.2.2', 64, 'udp', false, 110),
      { type: 'udp', sport: 42324, dport: 8472, length: 90 },
      { type: 'vxlan', vni: 7 },
      { type: 'ethernet', src: '02:00:00:00:07:01', dst: '02:00:00:00:07:02' },
      ip('10.7.0.1', '10.7.0.2', 64, 'tcp', true, 60),
      { type: 'tcp', sport: 40004, dport: 8082, flags: ['syn'], mss: 1260, length: 40 },
    ],
    [
      BACK,
      ip('10.0.2.2', '10.0.1.2', 63, 'udp', false, 90),
      { type: 'udp', sport: 55908, dport: 8472, length: 70 },
      { type: 'vxlan', vni: 7 },
      { type: 'ethernet', src: '02:00:00:00:07:02', dst: '02:00:00:00:07:01' },
      ip('10.7.0.2', '10.7.0.1', 64, 'tcp', true, 40),
      { type: 'tcp', sport: 8082, dport: 40004, flags: ['rst', 'ack'], length: 20 },
    ],
  ],
};

describe('a capture', () => {
  it.each(Object.keys(expected))('%s holds what tcpdump prints', (name) => {
    expect(capture(name).map((bytes) => layersOf(decodeEthernet(bytes)))).toEqual(expected[name]);
  });

  it.each([...Object.keys(expected), 'tcp'])('%s is encoded again byte by byte', (name) => {
    const frames = capture(name);
    expect(frames.length).toBeGreaterThan(1);
    for (const bytes of frames) {
      const frame = decodeEthernet(bytes);
      expect(frameLength(frame)).toBe(bytes.length);
      expect([...encodeEthernet(frame)]).toEqual([...bytes]);
    }
  });

  it('of a connection holds its numbers, windows, options and data', () => {
    const segments = capture('tcp').map((bytes) => tcpOf(decodeEthernet(bytes)));
    const text = new TextDecoder();
    expect(
      segments.map(({ flags, seq, ack, window, payload }) =>
        [flags.join('+'), seq, ack, window, payload.length, text.decode(payload.bytes)].join(' '),
      ),
    ).toEqual([
      'syn 1356614316 0 64240 0 ',
      'syn+ack 237207891 1356614317 64704 0 ',
      'ack 1356614317 237207892 63 0 ',
      'fin+ack 237207892 1356614317 64 0 ',
      'psh+ack 1356614317 237207893 63 5 hello',
      'ack 237207893 1356614322 64 0 ',
      'fin+ack 1356614322 237207893 63 0 ',
      'ack 237207893 1356614323 64 0 ',
    ]);
    expect(segments[1]?.options).toEqual([
      { kind: 'mss', mss: 1360 },
      { kind: 'sack-permitted' },
      { kind: 'timestamps', value: 4105450506, echo: 942351941 },
      { kind: 'nop' },
      { kind: 'window-scale', shift: 10 },
    ]);
    expect(segments[2]?.options).toEqual([
      { kind: 'nop' },
      { kind: 'nop' },
      { kind: 'timestamps', value: 942351942, echo: 4105450506 },
    ]);
  });

  it('of an error has type of service 0xc0 and an identification', () => {
    const [, error] = capture('ttl-exceeded').map((bytes) => decodeEthernet(bytes).payload);
    expect(error).toMatchObject({ tos: 0xc0, id: 19542 });
  });
});
