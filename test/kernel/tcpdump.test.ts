/** Frames that we encode, read by somebody else's decoder: tcpdump finds nothing wrong with them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEthernet } from '../../src/wire/encode.ts';
import type { Ethernet, Ipv4 } from '../../src/wire/packet.ts';
import { frame } from '../wire/arbitrary.ts';
import { writePcap } from '../wire/pcap.ts';
import { missing } from './requirements.ts';

const lacking = missing(['tcpdump']).filter((what) => what !== 'root');

/** What tcpdump prints of frames, one text each, checksums checked. */
const read = (frames: readonly Uint8Array[], ...options: string[]): string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'k8snet-frames-'));
  try {
    const file = join(folder, 'frames.pcap');
    writeFileSync(file, writePcap(frames));
    const text = execFileSync('tcpdump', ['-r', file, '-nn', '-vvv', '-tt', ...options], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 2 ** 20,
    });
    // Each frame starts with its second, which is its number.
    const parts = text.split(/^(?=\d+\.000000 )/m);
    expect(parts.map((part) => Number.parseFloat(part))).toEqual(frames.map((_, n) => n));
    return parts;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const WRONG = /bad|wrong|incorrect|truncated|invalid|\[\|/;

/** Random data of another protocol has no right checksum of that protocol (`bad igmp cksum`). */
const OURS_WRONG = /bad (?:udp )?cksum|wrong icmp cksum|incorrect/;

const packet = (payload: Ipv4['payload']): Ethernet => ({
  type: 'ethernet',
  src: '02:00:00:00:00:01',
  dst: '02:00:00:00:00:02',
  payload: {
    type: 'ipv4',
    src: '10.0.0.1',
    dst: '10.0.0.2',
    ttl: 64,
    tos: 0,
    df: true,
    id: 0,
    payload,
  },
});

const SAMPLES = [
  packet({
    type: 'tcp',
    sport: 40000,
    dport: 40001,
    seq: 1,
    ack: 2,
    flags: ['psh', 'ack'],
    window: 502,
    options: [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', value: 1, echo: 2 }],
    payload: { type: 'data', length: 5 },
  }),
  packet({ type: 'udp', sport: 40000, dport: 40001, payload: { type: 'data', length: 5 } }),
  packet({
    type: 'icmp',
    kind: 'echo-request',
    code: 0,
    id: 1,
    seq: 1,
    payload: { type: 'data', length: 56 },
  }),
];

describe.skipIf(lacking.length > 0)(`tcpdump${lacking.length ? ` (lacks ${lacking})` : ''}`, () => {
  it('finds the checksums right that we write', () => {
    expect(
      read(SAMPLES.map(encodeEthernet)).map((text) =>
        text.match(/\((correct)\)|sum (ok)/)?.slice(1),
      ),
    ).toEqual([['correct', undefined], [undefined, 'ok'], undefined]);
    for (const text of read(SAMPLES.map(encodeEthernet))) expect(text).not.toMatch(WRONG);
  });

  it('would find a wrong one', () => {
    const broken = SAMPLES.map((sample) => {
      const bytes = encodeEthernet(sample);
      bytes[bytes.length - 1] = 1;
      return bytes;
    });
    for (const text of read(broken))
      expect(text).toMatch(/bad udp cksum|wrong icmp cksum|incorrect/);
    const header = SAMPLES.map((sample) => encodeEthernet(sample).with(22, 63));
    for (const text of read(header)) expect(text).toMatch(/bad cksum/);
  });

  it('finds no bad checksum in random frames, tunnels and ICMP errors included', () => {
    const frames = fc.sample(frame, { numRuns: 3000, seed: 20 }).map(encodeEthernet);
    const texts = read(frames);
    const bad = texts.flatMap((text, n) => (OURS_WRONG.test(text) ? [`${n}: ${text}`] : []));
    expect(bad).toEqual([]);
  });
});
