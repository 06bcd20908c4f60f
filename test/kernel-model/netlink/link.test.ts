/** What a device takes along when it goes, and what a bridge takes over from its ports. */
import { describe, expect, it } from 'vitest';
import { findDev } from '../../../src/kernel/netdev.ts';
import {
  addrAdd,
  fdbAppend,
  linkAdd,
  linkAddVeth,
  linkDel,
  linkSet,
  NetlinkError,
  neighReplace,
  portSet,
  routeAdd,
} from '../../../src/kernel/netlink.ts';
import { createNetns } from '../../../src/kernel/netns.ts';
import type { Netns } from '../../../src/kernel/world.ts';

const mac = (n: number): string => `02:00:00:00:00:0${n}`;

const node = (): Netns => createNetns({ host: 'node-1', name: 'host' });

const nodeWithTunnel = (): Netns => {
  const netns = node();
  linkAdd(netns, { kind: 'physical', ifname: 'eth0', mac: mac(1), segment: 'underlay' });
  linkSet(netns, 'eth0', { up: true });
  addrAdd(netns, 'eth0', { ip: '192.168.10.11', prefix: 24 });
  linkAdd(netns, {
    kind: 'vxlan',
    ifname: 'flannel.1',
    mac: mac(2),
    vni: 1,
    lower: 'eth0',
    local: '192.168.10.11',
    learning: false,
  });
  addrAdd(netns, 'flannel.1', { ip: '10.244.1.0', prefix: 32 });
  linkSet(netns, 'flannel.1', { up: true });
  routeAdd(netns, { dst: '10.244.2.0/24', via: '10.244.2.0', dev: 'flannel.1', onlink: true });
  neighReplace(netns, { ip: '10.244.2.0', dev: 'flannel.1', lladdr: mac(9) });
  fdbAppend(netns, { mac: mac(9), dev: 'flannel.1', dst: '192.168.10.12' });
  return netns;
};

const rowsOf = (netns: Netns): string[] =>
  netns.routes.map(({ type, dst, dev, table }) => `${table} ${type} ${dst} ${dev}`);

describe('a tunnel', () => {
  it('has what its lower device leaves of the MTU, and the port of the kernel', () => {
    expect(findDev(nodeWithTunnel(), 'flannel.1')).toMatchObject({ mtu: 1450, dstport: 8472 });
  });

  it('keeps its address and its FDB when it goes down, and loses routes and neighbours', () => {
    const netns = nodeWithTunnel();
    linkSet(netns, 'flannel.1', { up: false });
    expect(rowsOf(netns).filter((row) => row.endsWith('flannel.1'))).toEqual([
      '255 local 10.244.1.0/32 flannel.1',
    ]);
    expect(netns.neighbours).toEqual([]);
    expect(findDev(netns, 'flannel.1')).toMatchObject({ fdb: [{ dst: '192.168.10.12' }] });
    linkSet(netns, 'flannel.1', { up: true });
    expect(rowsOf(netns).some((row) => row.includes('10.244.2.0/24'))).toBe(false);
  });

  it('goes with its lower device, and leaves nothing behind', () => {
    const netns = node();
    linkAdd(netns, { kind: 'bridge', ifname: 'br0', mac: mac(1) });
    linkAdd(netns, { kind: 'vxlan', ifname: 'vx', mac: mac(2), vni: 1, lower: 'br0' });
    linkSet(netns, 'vx', { up: true });
    addrAdd(netns, 'vx', { ip: '10.0.0.1', prefix: 24 });
    linkDel(netns, 'br0');
    expect(netns.devices.map(({ ifname }) => ifname)).toEqual(['lo']);
    expect(netns.routes).toEqual([]);
  });
});

describe('a veth pair', () => {
  const pair = (): [Netns, Netns] => {
    const host = node();
    const pod = createNetns({ host: 'node-1', name: 'default/pod-a' });
    linkAddVeth(host, 'vethA', pod, 'eth0', { mac: mac(1), peerMac: mac(2), mtu: 1450 });
    return [host, pod];
  };

  it('has two ends that know each other', () => {
    const [host, pod] = pair();
    expect(findDev(host, 'vethA')).toMatchObject({
      mac: mac(1),
      mtu: 1450,
      peer: { netns: 'node-1/default/pod-a', ifname: 'eth0' },
    });
    expect(findDev(pod, 'eth0')).toMatchObject({
      mac: mac(2),
      mtu: 1450,
      ifindex: 2,
      peer: { netns: 'node-1/host', ifname: 'vethA' },
    });
  });

  it('goes as a whole', () => {
    const [host, pod] = pair();
    linkSet(pod, 'eth0', { up: true });
    addrAdd(pod, 'eth0', { ip: '10.244.1.2', prefix: 24 });
    linkDel(host, 'vethA', (id) => (id === pod.id ? pod : undefined));
    expect([findDev(host, 'vethA'), findDev(pod, 'eth0'), pod.routes]).toEqual([
      undefined,
      undefined,
      [],
    ]);
  });

  it('will not lose only one end', () => {
    const [host] = pair();
    expect(() => {
      linkDel(host, 'vethA');
    }).toThrow('node-1/default/pod-a');
  });
});

describe('a bridge', () => {
  const bridge = (macSet: boolean): Netns => {
    const netns = node();
    linkAdd(netns, { kind: 'bridge', ifname: 'cni0', mac: mac(5), macSet });
    for (const n of [3, 2]) {
      linkAddVeth(netns, `veth${n}`, netns, `peer${n}`, {
        mac: mac(n),
        peerMac: mac(9),
        mtu: 1400,
      });
      linkSet(netns, `veth${n}`, { master: 'cni0' });
    }
    return netns;
  };

  it('takes the lowest MAC and the smallest MTU of its ports', () => {
    expect(findDev(bridge(false), 'cni0')).toMatchObject({ mac: mac(2), mtu: 1400 });
  });

  it('keeps what was set by hand', () => {
    const netns = bridge(true);
    linkSet(netns, 'cni0', { mtu: 1300 });
    linkSet(netns, 'veth2', { master: null });
    expect(findDev(netns, 'cni0')).toMatchObject({ mac: mac(5), mtu: 1300 });
  });

  it('gives a port back with nothing of its own', () => {
    const netns = bridge(false);
    portSet(netns, 'veth2', { hairpin: true });
    linkSet(netns, 'veth2', { master: null });
    expect(findDev(netns, 'veth2')).not.toHaveProperty('port');
    linkSet(netns, 'veth2', { master: 'cni0' });
    expect(findDev(netns, 'veth2')?.port?.hairpin).toBe(false);
  });

  it('refuses itself, another bridge, and what is above it', () => {
    const netns = bridge(false);
    linkAdd(netns, { kind: 'vxlan', ifname: 'vx', mac: mac(8), vni: 1, lower: 'cni0' });
    const errno = (ifname: string): unknown => {
      try {
        linkSet(netns, ifname, { master: 'cni0' });
        return 'ok';
      } catch (error) {
        return error instanceof NetlinkError ? error.errno : error;
      }
    };
    expect(['cni0', 'vx', 'lo'].map(errno)).toEqual(['ELOOP', 'EBUSY', 'EINVAL']);
  });
});
