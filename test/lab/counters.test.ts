import { describe, expect, it } from 'vitest';
import { compareCounters, countedBetween, createCounterSheet } from '../../src/lab/counters.ts';

const saved = (jump: number, drop: number): string =>
  [
    '*filter',
    ':FORWARD ACCEPT [7:420]',
    `[${jump}:60] -A FORWARD -j KUBE-FORWARD`,
    '[0:0] -A FORWARD -j ACCEPT',
    `[${drop}:60] -A KUBE-FORWARD -j DROP`,
    'COMMIT',
  ].join('\n');

const listed = (packets: number): string =>
  JSON.stringify({
    nftables: [
      { table: { family: 'ip', name: 'kube-proxy' } },
      { rule: { family: 'ip', table: 'kube-proxy', chain: 'services', expr: [{ vmap: {} }] } },
      {
        rule: {
          family: 'ip',
          table: 'kube-proxy',
          chain: 'services',
          expr: [{ counter: { packets, bytes: 60 } }, { accept: null }],
        },
      },
      // What iptables keeps in nf_tables is counted by iptables.
      {
        rule: {
          family: 'ip',
          table: 'filter',
          chain: 'FORWARD',
          expr: [{ counter: { packets: 9, bytes: 60 } }],
        },
      },
    ],
  });

describe('counters of rules', () => {
  it('are what was counted between two readings, by both tools', () => {
    const counted = countedBetween([
      [saved(2, 1), listed(0)],
      [saved(5, 1), listed(4)],
    ]);
    expect([...counted]).toEqual([
      ['filter FORWARD 1', 3],
      ['ip kube-proxy services 2', 4],
    ]);
  });

  it('are compared rule by rule', () => {
    const sheet = createCounterSheet();
    sheet.count('node-1/host', 'filter', 'FORWARD', 1);
    sheet.count('node-1/host', 'filter', 'FORWARD', 1);
    sheet.count('node-1/host', 'filter', 'INPUT', 2);
    const expected = sheet.byNetns.get('node-1/host') ?? new Map();
    expect(compareCounters('node-1/host', expected, new Map(expected))).toEqual([]);
    expect(compareCounters('node-1/host', expected, new Map([['filter FORWARD 1', 2]]))).toEqual([
      'rule filter INPUT 2 in node-1/host: the trace has 1 packets, the kernel 0',
    ]);
  });
});
