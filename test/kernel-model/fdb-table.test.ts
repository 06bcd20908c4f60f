/** Which row a bridge and a tunnel forward by. */
import { describe, expect, it } from 'vitest';
import type { FdbEntry } from '../../src/kernel/fdb.ts';
import { bridgeFdb, bridgeFdbFind, vxlanFdbFind } from '../../src/kernel/fdb-table.ts';
import { findDev } from '../../src/kernel/netdev.ts';
import { fdbAdd, fdbAppend, linkAdd, linkAddVeth, linkSet } from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import type { Netns } from '../../src/kernel/world.ts';

const mac = (n: number): string => `02:00:00:00:00:0${n}`;
const ZERO = '00:00:00:00:00:00';

const node = (): Netns => {
  const netns = createNetns({ host: 'node-1', name: 'host' });
  linkAdd(netns, { kind: 'bridge', ifname: 'cni0', mac: mac(1), macSet: true });
  linkAddVeth(netns, 'vethA', netns, 'peerA', { mac: mac(2), peerMac: mac(8) });
  linkSet(netns, 'vethA', { master: 'cni0' });
  linkAdd(netns, { kind: 'vxlan', ifname: 'vx', mac: mac(3), vni: 1 });
  return netns;
};

const bridge = (netns: Netns) => {
  const dev = findDev(netns, 'cni0');
  if (dev?.kind !== 'bridge') throw new Error('no bridge');
  return dev;
};

const tunnel = (netns: Netns) => {
  const dev = findDev(netns, 'vx');
  if (dev?.kind !== 'vxlan') throw new Error('no tunnel');
  return dev;
};

const learned = (owner: string, row: FdbEntry) => ({
  fdb: new Map([[owner, new Map([[row.mac, row]])]]),
});

describe('a bridge', () => {
  it('keeps frames to its own MAC and to those of its ports', () => {
    const netns = node();
    expect(bridgeFdbFind(netns, bridge(netns), undefined, mac(1))).toMatchObject({
      dev: 'cni0',
      local: true,
    });
    expect(bridgeFdbFind(netns, bridge(netns), undefined, mac(2))).toMatchObject({
      dev: 'vethA',
      local: true,
    });
    expect(bridgeFdbFind(netns, bridge(netns), undefined, mac(9))).toBeUndefined();
  });

  it('forwards by what it learned, which moves rows that were written by hand', () => {
    const netns = node();
    const row: FdbEntry = { mac: mac(9), dev: 'vethB', state: 'learned' };
    const seen = learned('cni0', row);
    expect(bridgeFdbFind(netns, bridge(netns), seen, mac(9))).toBe(row);
    const written = fdbAdd(netns, { mac: mac(9), dev: 'vethA', state: 'static' });
    expect(bridgeFdbFind(netns, bridge(netns), undefined, mac(9))).toBe(written);
    expect(bridgeFdbFind(netns, bridge(netns), seen, mac(9))).toBe(row);
    expect(bridgeFdb(netns, bridge(netns), seen).map((one) => `${one.mac} ${one.dev}`)).toEqual([
      `${mac(2)} vethA`,
      `${mac(1)} cni0`,
      `${mac(9)} vethB`,
    ]);
  });

  it('has no row of its own without a MAC', () => {
    const netns = node();
    linkSet(netns, 'vethA', { master: null });
    const bare = { ...bridge(netns), mac: ZERO };
    expect(bridgeFdb(netns, bare, undefined)).toEqual([]);
    expect(bridgeFdbFind(netns, bare, undefined, ZERO)).toBeUndefined();
  });
});

describe('a tunnel', () => {
  it('sends to the remote of a MAC, else to all that stand for unknown ones', () => {
    const netns = node();
    expect(vxlanFdbFind(tunnel(netns), undefined, mac(9))).toEqual([]);
    fdbAppend(netns, { mac: ZERO, dev: 'vx', dst: '192.168.10.12' });
    fdbAppend(netns, { mac: ZERO, dev: 'vx', dst: '192.168.10.13' });
    fdbAppend(netns, { mac: mac(9), dev: 'vx', dst: '192.168.10.14' });
    const remotes = (address: string, seen?: ReturnType<typeof learned>) =>
      vxlanFdbFind(tunnel(netns), seen, address).map(({ dst }) => dst?.slice(-2));
    expect(remotes(mac(9))).toEqual(['14']);
    expect(remotes(mac(7))).toEqual(['12', '13']);
    const row: FdbEntry = { mac: mac(7), dev: 'vx', dst: '192.168.10.15', state: 'learned' };
    expect(remotes(mac(7), learned('vx', row))).toEqual(['15']);
  });
});
