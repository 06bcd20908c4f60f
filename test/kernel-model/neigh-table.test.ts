/** Neighbours that were written by hand, and those that packets left behind. */
import { describe, expect, it } from 'vitest';
import type { Neigh } from '../../src/kernel/neigh.ts';
import { isNudValid, neighLookup, neighTable } from '../../src/kernel/neigh-table.ts';
import { linkAdd, neighDel, neighReplace } from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';

const learned: Neigh = {
  ip: '10.0.0.2',
  dev: 'cni0',
  lladdr: '02:00:00:00:00:02',
  state: 'REACHABLE',
};

describe('a neighbour', () => {
  const node = () => {
    const netns = createNetns({ host: 'node-1', name: 'host' });
    linkAdd(netns, { kind: 'bridge', ifname: 'cni0', mac: '02:00:00:00:00:01' });
    return netns;
  };

  it('is looked up by device and address', () => {
    const dynamic = { neighbours: [learned] };
    expect(neighLookup(node(), dynamic, 'cni0', '10.0.0.2')).toBe(learned);
    expect(neighLookup(node(), dynamic, 'eth0', '10.0.0.2')).toBeUndefined();
    expect(neighLookup(node(), undefined, 'cni0', '10.0.0.2')).toBeUndefined();
  });

  it('that was written by hand comes before a learned one', () => {
    const netns = node();
    const dynamic = { neighbours: [learned] };
    const written = neighReplace(netns, {
      ip: '10.0.0.2',
      dev: 'cni0',
      lladdr: '02:00:00:00:00:99',
    });
    expect(written.state).toBe('PERMANENT');
    expect(neighLookup(netns, dynamic, 'cni0', '10.0.0.2')).toBe(written);
    expect(neighTable(netns, dynamic)).toEqual([written]);
    neighDel(netns, '10.0.0.2', 'cni0');
    expect(neighTable(netns, dynamic)).toEqual([learned]);
  });

  it('can be sent to while its MAC is believed', () => {
    expect(
      (['INCOMPLETE', 'FAILED', 'STALE', 'PERMANENT', 'PROBE'] as const).map(isNudValid),
    ).toEqual([false, false, true, true, true]);
  });
});
