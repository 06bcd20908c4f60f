import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEthernet } from '../../src/wire/decode.ts';
import { DecodeError } from '../../src/wire/decode-error.ts';
import { DNS_RCODE, type DnsMessage, type DnsRcode, dnsQuery } from '../../src/wire/dns.ts';
import { decodeDns } from '../../src/wire/dns-decode.ts';
import { dnsPayload, encodeDns } from '../../src/wire/dns-encode.ts';
import { encodeEthernet } from '../../src/wire/encode.ts';
import { layersOf } from '../../src/wire/layers.ts';
import type { Ethernet } from '../../src/wire/packet.ts';
import { dnsMessage } from './dns-arbitrary.ts';

const bytesOf = (...parts: (string | readonly number[])[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'string' ? [...part].map((char) => char.charCodeAt(0)) : part,
    ),
  );

describe('a DNS message', () => {
  it('is written as RFC 1035 lays it out', () => {
    expect(encodeDns(dnsQuery(0x1234, { name: 'web.shop', type: 'A' }))).toEqual(
      bytesOf([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3], 'web', [4], 'shop', [0, 0, 1, 0, 1]),
    );
  });

  it('is read with compressed names', () => {
    const answer = decodeDns(
      bytesOf(
        [0, 7, 0x85, 0x80, 0, 1, 0, 2, 0, 0, 0, 0],
        // At 12: the question; at 16: its parent.
        [3],
        'web',
        [4],
        'shop',
        [0, 0, 5, 0, 1],
        // The question's name, and a CNAME of a label before the parent.
        [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 1],
        'b',
        [0xc0, 16],
        // Which a pointer to that name holds in turn.
        [0xc0, 38, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 0, 0, 1],
      ),
    );
    expect(answer.answers).toEqual([
      { name: 'web.shop', type: 'CNAME', ttl: 30, target: 'b.shop' },
      { name: 'b.shop', type: 'A', ttl: 5, address: '10.0.0.1' },
    ]);
    expect(answer).toMatchObject({ id: 7, response: true, authoritative: true });
  });

  it('is refused where a name never ends', () => {
    const header = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    expect(() => decodeDns(bytesOf(header, [0xc0, 12], [0, 1, 0, 1]))).toThrow(DecodeError);
    expect(() => decodeDns(bytesOf(header, [1], 'a', [0xc0, 12], [0, 1, 0, 1]))).toThrow(
      DecodeError,
    );
    expect(() => decodeDns(bytesOf(header, [5], 'a'))).toThrow(DecodeError);
  });

  it('comes back from its bytes as it was', () => {
    fc.assert(
      fc.property(dnsMessage, (message) => {
        expect(decodeDns(encodeDns(message))).toEqual(message);
      }),
    );
  });

  it('of any bytes is a message or refused', () => {
    const refused = (bytes: Uint8Array): DnsMessage | undefined => {
      try {
        return decodeDns(bytes);
      } catch (error) {
        if (error instanceof DecodeError) return undefined;
        throw error;
      }
    };
    fc.assert(
      fc.property(dnsMessage, fc.nat(), fc.integer({ min: 0, max: 255 }), (message, at, byte) => {
        const bytes = encodeDns(message);
        bytes[at % bytes.length] = byte;
        refused(bytes);
        refused(bytes.subarray(0, at % bytes.length));
      }),
    );
  });

  it('is a layer of its own in a frame, in both directions', () => {
    const payload = dnsPayload(dnsQuery(9, { name: 'web', type: 'AAAA' }));
    const frame: Ethernet = {
      type: 'ethernet',
      src: '02:00:00:00:00:0a',
      dst: '02:00:00:00:00:0b',
      payload: {
        type: 'ipv4',
        src: '10.0.0.1',
        dst: '10.0.0.2',
        ttl: 64,
        tos: 0,
        df: true,
        id: 0,
        payload: { type: 'udp', sport: 40_000, dport: 53, payload },
      },
    };
    const dns = { type: 'dns', id: 9, response: false, name: 'web', question: 'AAAA', length: 21 };
    expect(layersOf(frame).at(-1)).toEqual(dns);
    expect(layersOf(decodeEthernet(encodeEthernet(frame)))).toEqual(layersOf(frame));
  });

  it('knows the codes that RFC 1035 has', () => {
    const codes: DnsRcode[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
    expect(codes.map((code) => DNS_RCODE[code])).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
