/** Carriers: what is up because something else is. */
import { describe, expect, it } from 'vitest';
import { createBook } from '../../src/kernel/book.ts';
import {
  findDev,
  findDevOfAddress,
  hasCarrier,
  isRunning,
  operstate,
  portState,
  portsOf,
  vethPeer,
} from '../../src/kernel/netdev.ts';
import {
  addrAdd,
  linkAdd,
  linkAddVeth,
  linkDel,
  linkSet,
  portSet,
} from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import type { Netdev, Netns, World } from '../../src/kernel/world.ts';
import { createHost, createWorld } from '../../src/kernel/world-build.ts';
import { printAddr } from '../../src/userland/print/link.ts';

const mac = (n: number): string => `02:00:00:00:00:0${n}`;

/** A bridge with one Pod, and a namespace that is nobody's peer. */
const setup = (): { host: Netns; pod: Netns; world: World } => {
  const host = createNetns({ host: 'node-1', name: 'host' });
  const pod = createNetns({ host: 'node-1', name: 'default/pod-a' });
  linkAdd(host, { kind: 'bridge', ifname: 'cni0', mac: mac(1) });
  linkAddVeth(host, 'vethA', pod, 'eth0', { mac: mac(2), peerMac: mac(3) });
  linkSet(host, 'cni0', { up: true });
  linkSet(host, 'vethA', { up: true });
  const world = createWorld({
    name: 'test',
    hostNames: ['node-1'],
    compile: () => createHost('node-1', [host, pod]),
    segments: [],
    book: createBook([], []),
  });
  return { host, pod, world };
};

const need = (netns: Netns, ifname: string): Netdev => {
  const dev = findDev(netns, ifname);
  if (!dev) throw new Error(`no ${ifname}`);
  return dev;
};

describe('a dummy device', () => {
  it('keeps its addresses local while it is down, and connects no subnet', () => {
    const { host, world } = setup();
    linkAdd(host, { kind: 'dummy', ifname: 'kube-ipvs0', mac: mac(4) });
    addrAdd(host, 'kube-ipvs0', { ip: '10.96.0.1', prefix: 32 });
    expect(operstate(world, host, need(host, 'kube-ipvs0'))).toBe('DOWN');
    expect(host.routes.filter(({ dev }) => dev === 'kube-ipvs0')).toMatchObject([
      { type: 'local', dst: '10.96.0.1/32', scope: 'host', src: '10.96.0.1' },
    ]);
    linkSet(host, 'kube-ipvs0', { up: true });
    expect(operstate(world, host, need(host, 'kube-ipvs0'))).toBe('UNKNOWN');
    expect(hasCarrier(world, host, need(host, 'kube-ipvs0'))).toBe(true);
  });

  it('is printed as a device that asks nobody', () => {
    const { host } = setup();
    linkAdd(host, { kind: 'dummy', ifname: 'kube-ipvs0', mac: mac(4), ifindex: 9 });
    addrAdd(host, 'kube-ipvs0', { ip: '10.96.0.1', prefix: 32 });
    const printed = printAddr(need(host, 'kube-ipvs0'), { operstate: 'DOWN', carrier: true });
    expect(printed).toEqual([
      '9: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default qlen 1000',
      '    link/ether 02:00:00:00:00:04 brd ff:ff:ff:ff:ff:ff',
      '    inet 10.96.0.1/32 scope global kube-ipvs0',
      '       valid_lft forever preferred_lft forever',
    ]);
  });
});

describe('a carrier', () => {
  it('of a veth needs both ends up', () => {
    const { host, pod, world } = setup();
    const state = () => operstate(world, host, need(host, 'vethA'));
    expect(state()).toBe('LOWERLAYERDOWN');
    linkSet(pod, 'eth0', { up: true });
    expect(state()).toBe('UP');
    expect(vethPeer(world, need(host, 'vethA'))).toEqual({ netns: pod, dev: need(pod, 'eth0') });
    linkSet(host, 'vethA', { up: false });
    expect(state()).toBe('DOWN');
    expect(operstate(world, pod, need(pod, 'eth0'))).toBe('LOWERLAYERDOWN');
  });

  it('of a bridge needs a port that forwards, once it had one', () => {
    const { host, pod, world } = setup();
    const state = () => operstate(world, host, need(host, 'cni0'));
    expect(state()).toBe('UNKNOWN');
    linkSet(host, 'vethA', { master: 'cni0' });
    expect(state()).toBe('DOWN');
    linkSet(pod, 'eth0', { up: true });
    expect(state()).toBe('UP');
    expect(portState(world, host, need(host, 'vethA'))).toBe('forwarding');
    portSet(host, 'vethA', { state: 'disabled' });
    expect([state(), isRunning(world, host, need(host, 'cni0'))]).toEqual(['DOWN', false]);
    linkDel(host, 'vethA', () => pod);
    expect(state()).toBe('DOWN');
  });

  it('of a physical device needs a wire, of a tunnel and of lo nothing', () => {
    const { host, world } = setup();
    linkAdd(host, { kind: 'physical', ifname: 'eth0', mac: mac(4), segment: 'underlay' });
    linkAdd(host, { kind: 'physical', ifname: 'eth1', mac: mac(5) });
    linkAdd(host, { kind: 'vxlan', ifname: 'vx', mac: mac(6), vni: 1 });
    for (const ifname of ['eth0', 'eth1', 'vx', 'lo']) linkSet(host, ifname, { up: true });
    expect(
      ['eth0', 'eth1', 'vx', 'lo'].map((ifname) => [
        operstate(world, host, need(host, ifname)),
        hasCarrier(world, host, need(host, ifname)),
      ]),
    ).toEqual([
      ['UP', true],
      ['DOWN', false],
      ['UNKNOWN', true],
      ['UNKNOWN', true],
    ]);
  });
});

describe('a device is found', () => {
  it('by name, by address and as a port, as soon as netlink has written it', () => {
    const { host } = setup();
    expect(findDevOfAddress(host, '10.0.0.1')).toBeUndefined();
    addrAdd(host, 'cni0', { ip: '10.0.0.1', prefix: 24 });
    expect(findDevOfAddress(host, '10.0.0.1')?.dev.ifname).toBe('cni0');
    expect(portsOf(host, 'cni0')).toEqual([]);
    linkSet(host, 'vethA', { master: 'cni0' });
    expect(portsOf(host, 'cni0').map(({ ifname }) => ifname)).toEqual(['vethA']);
    linkDel(host, 'cni0');
    expect(findDev(host, 'cni0')).toBeUndefined();
    expect(need(host, 'vethA').master).toBeUndefined();
  });
});
