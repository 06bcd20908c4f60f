import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finishSum, sumWords } from '../../src/wire/checksum.ts';
import { decodeEthernet, decodeIpv4 } from '../../src/wire/decode.ts';
import { DecodeError } from '../../src/wire/decode-error.ts';
import { encodeEthernet, encodeIpv4 } from '../../src/wire/encode.ts';
import { layersOf } from '../../src/wire/layers.ts';
import { frameLength, ipv4Length } from '../../src/wire/length.ts';
import { type Ethernet, type Icmp, type Ipv4, NO_DATA, type Udp } from '../../src/wire/packet.ts';
import { frame, ipv4 } from './arbitrary.ts';

const A = '02:00:00:00:00:0a';
const B = '02:00:00:00:00:0b';

const packet = (payload: Ipv4['payload'], more: Partial<Ipv4> = {}): Ipv4 => ({
  type: 'ipv4',
  src: '10.0.0.1',
  dst: '10.0.0.2',
  ttl: 64,
  tos: 0,
  df: true,
  id: 0,
  payload,
  ...more,
});

const inFrame = (payload: Ethernet['payload']): Ethernet => ({
  type: 'ethernet',
  src: A,
  dst: B,
  payload,
});

const udp = (payload: Udp['payload']): Udp => ({ type: 'udp', sport: 1, dport: 2, payload });

const unreachable = (original: Ipv4, more: Partial<Icmp> = {}): Ipv4 =>
  packet({
    type: 'icmp',
    kind: 'destination-unreachable',
    code: 1,
    original,
    payload: NO_DATA,
    ...more,
  });

describe('encoding and decoding', () => {
  it('give back any frame, in as many bytes as length.ts says', () => {
    fc.assert(
      fc.property(frame, (value) => {
        const bytes = encodeEthernet(value);
        expect(bytes.length).toBe(frameLength(value));
        expect(decodeEthernet(bytes)).toEqual(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('make an IPv4 header whose words sum up to all ones', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        const bytes = encodeIpv4(value);
        expect(finishSum(sumWords(bytes, 0, 20))).toBe(0);
        expect(bytes.length).toBe(ipv4Length(value));
        expect(decodeIpv4(bytes)).toEqual(value);
      }),
    );
  });

  it('keep an ICMP error to 576 bytes, with the length of the whole original', () => {
    const long = packet(udp({ type: 'data', length: 1472 }));
    const error = unreachable(long, { code: 4, mtu: 1400 });
    expect(ipv4Length(error)).toBe(576);
    expect(decodeIpv4(encodeIpv4(error))).toEqual(error);
    const fits = unreachable(packet(udp({ type: 'data', length: 520 })));
    expect(ipv4Length(fits)).toBe(576);
    const shorter = unreachable(packet(udp({ type: 'data', length: 519 })));
    expect(ipv4Length(shorter)).toBe(575);
  });

  it('cut an ICMP error where it says, even in the header of what it is about', () => {
    const segment = packet({
      type: 'tcp',
      sport: 40000,
      dport: 80,
      seq: 7,
      ack: 0,
      flags: ['syn'],
      window: 64240,
      options: [{ kind: 'mss', mss: 1460 }],
      payload: NO_DATA,
    });
    const error = unreachable(segment, { quoted: 28 });
    const bytes = encodeIpv4(error);
    expect(bytes.length).toBe(20 + 8 + 28);
    // Eight bytes of a TCP header are no TCP header: they come back as data of protocol 6.
    expect(decodeIpv4(bytes)).toEqual(
      unreachable(
        packet(
          { type: 'data', length: 24, bytes: Uint8Array.of(156, 64, 0, 80, 0, 0, 0, 7) },
          { protocol: 6 },
        ),
        { quoted: 28 },
      ),
    );
    expect([...encodeIpv4(decodeIpv4(bytes))]).toEqual([...bytes]);
  });

  it('keep the lengths of an ICMP error in a tunnel whose outer packet was cut by another error', () => {
    const asked = packet(udp({ type: 'data', length: 900 }));
    const tunnel = packet({
      ...udp({ type: 'vxlan', vni: 1, payload: inFrame(unreachable(asked)) }),
      dport: 8472,
    });
    const error = inFrame(unreachable(tunnel));
    expect(frameLength(error)).toBe(14 + 576);
    expect(layersOf(decodeEthernet(encodeEthernet(error)))).toEqual(layersOf(error));
  });

  it('take the lower bound of a port that only a running kernel knows', () => {
    const port = { unknown: 'flow-hash', range: [32768, 60999] } as const;
    const bytes = encodeIpv4(packet({ ...udp(NO_DATA), sport: port }));
    expect((bytes[20] ?? 0) * 256 + (bytes[21] ?? 0)).toBe(32768);
  });

  it('send a UDP checksum of zero in its other form, which does not mean "none"', () => {
    const pseudoHeader = 0x0a00 + 1 + 0x0a00 + 2 + 17 + 10;
    const header = 1 + 2 + 10;
    const word = 0xffff - pseudoHeader - header;
    const bytes = Uint8Array.of(word >> 8, word & 255);
    const datagram = encodeIpv4(packet(udp({ type: 'data', length: 2, bytes })));
    expect([...datagram.subarray(26, 28)]).toEqual([0xff, 0xff]);
  });

  it('name the protocol of data nobody looks into', () => {
    const layers = layersOf(inFrame(packet({ type: 'data', length: 4 }, { protocol: 89 })));
    expect(layers).toMatchObject([{ type: 'ethernet' }, { protocol: '89' }, { length: 4 }]);
  });
});

describe('decoding', () => {
  const good = encodeEthernet(inFrame(packet(udp({ type: 'data', length: 3 }))));
  const changed = (at: number, ...values: number[]): Uint8Array => {
    const bytes = good.slice();
    bytes.set(values, at);
    return bytes;
  };

  it.each<[string, Uint8Array]>([
    ['ethertype 0x86dd', changed(12, 0x86, 0xdd)],
    ['IP version 6', changed(14, 0x65)],
    ['IPv4 with options', changed(14, 0x46)],
    ['IPv4 fragment', changed(20, 0x20, 0)],
    ['IPv4 packet of 31 bytes, of which 30 are there', good.subarray(0, -1)],
    ['Ethernet: 13 bytes', good.subarray(0, 13)],
    ['IPv4: 19 bytes', good.subarray(0, 33)],
    ['UDP length', changed(39, 12)],
    ['ICMP type 13', changed(23, 1).with(34, 13)],
  ])('refuses and names: %s', (message, bytes) => {
    expect(() => decodeEthernet(bytes)).toThrow(DecodeError);
    expect(() => decodeEthernet(bytes)).toThrow(message);
  });

  it('drops the padding of a short frame', () => {
    const padded = new Uint8Array(60);
    padded.set(good);
    expect(decodeEthernet(padded)).toEqual(decodeEthernet(good));
  });

  it('reads only a well-formed VXLAN on its ports as one', () => {
    const tunnel = (bytes: Uint8Array): Ethernet =>
      inFrame(packet({ ...udp({ type: 'data', length: bytes.length, bytes }), dport: 8472 }));
    const inner = encodeEthernet(inFrame(packet(udp({ type: 'data', length: 1 }))));
    const header = [8, 0, 0, 0, 0, 0, 7, 0];
    const kind = (bytes: number[], ports?: readonly number[]): unknown => {
      const { payload } = decodeEthernet(encodeEthernet(tunnel(Uint8Array.from(bytes))), ports);
      return payload.type === 'ipv4' && payload.payload.type === 'udp'
        ? payload.payload.payload.type
        : undefined;
    };
    expect(kind([...header, ...inner])).toBe('vxlan');
    expect(kind([...header, ...inner], [4789])).toBe('data');
    expect(kind([0, ...header.slice(1), ...inner])).toBe('data');
    expect(kind([...header, ...inner.subarray(0, 30)])).toBe('data');
    expect(kind([...header, ...inner.with(12, 0x86).with(13, 0xdd)])).toBe('data');
  });

  it('ends in a packet or a DecodeError for any bytes', () => {
    const mutated = fc
      .tuple(frame, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
      .map(([value, at, byte, cut]) => {
        const bytes = encodeEthernet(value);
        bytes[at % bytes.length] = byte;
        return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        try {
          layersOf(decodeEthernet(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses to encode what is no address', () => {
    expect(() => encodeEthernet({ ...inFrame(packet(NO_DATA)), src: '02:00' })).toThrow(RangeError);
    expect(() => encodeIpv4(packet(NO_DATA, { src: '10.1' }))).toThrow(RangeError);
  });
});
