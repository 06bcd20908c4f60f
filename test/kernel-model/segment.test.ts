/** Who is on a wire, and what the wire loses. */
import { describe, expect, it } from 'vitest';
import {
  attachmentOf,
  attachmentsByIp,
  attachmentsByMac,
  cutBetween,
} from '../../src/kernel/segment.ts';
import type { Attachment, Segment } from '../../src/kernel/world.ts';

const attachment = (n: number): Attachment => ({
  host: `node-${n}`,
  netns: `node-${n}/host`,
  ifname: 'eth0',
  mac: `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`,
  ips: [`10.0.${n >> 8}.${n & 255}`, `10.244.${n & 255}.1`],
});

const wire = (count: number, extra: Partial<Segment> = {}): Segment => ({
  name: 'underlay',
  mtu: 1500,
  attachments: Array.from({ length: count }, (_, n) => attachment(n + 1)),
  cuts: [],
  ...extra,
});

describe('a wire', () => {
  it('finds everybody among thousands, once it has looked at them', () => {
    const segment = wire(5000);
    const asked = Array.from({ length: 5000 }, (_, n) => attachment(n + 1));
    for (const one of asked) {
      expect(attachmentsByMac(segment, one.mac)).toEqual([one]);
      expect(attachmentOf(segment, one.netns, 'eth0')).toEqual(one);
    }
    expect(attachmentsByIp(segment, '10.0.3.7').map(({ host }) => host)).toEqual(['node-775']);
  });

  it('knows nobody by what was never given', () => {
    const segment = wire(2);
    expect(attachmentsByMac(segment, '02:00:00:00:00:99')).toEqual([]);
    expect(attachmentsByIp(segment, '10.9.9.9')).toEqual([]);
    expect(attachmentOf(segment, 'node-1/host', 'eth1')).toBeUndefined();
  });

  it('names everybody who answers for an address that was given twice', () => {
    const twice = [attachment(1), { ...attachment(2), ips: ['10.0.0.1'] }];
    const segment = wire(0, { attachments: twice });
    expect(attachmentsByIp(segment, '10.0.0.1')).toEqual(twice);
  });

  it('loses what is cut, in that direction only', () => {
    const tunnel = { from: 'node-1', to: 'node-2', drop: { protocol: 'udp', port: 8472 } } as const;
    const all = { from: 'node-3', to: 'node-1', drop: 'all' } as const;
    const segment = wire(3, { cuts: [tunnel, all] });
    const cut = (from: string, to: string, protocol?: 'tcp' | 'udp' | 'icmp', port?: number) =>
      cutBetween(segment, from, to, {
        ...(protocol && { protocol }),
        ...(port !== undefined && { port }),
      });
    expect(cut('node-1', 'node-2', 'udp', 8472)).toBe(tunnel);
    expect(cut('node-2', 'node-1', 'udp', 8472)).toBeUndefined();
    expect(cut('node-1', 'node-2', 'udp', 53)).toBeUndefined();
    expect(cut('node-1', 'node-2', 'tcp', 8472)).toBeUndefined();
    expect(cut('node-1', 'node-2')).toBeUndefined();
    expect(cut('node-3', 'node-1')).toBe(all);
  });
});
