import { describe, expect, it } from 'vitest';
import { compileWorld } from '../../../src/compile/compile.ts';
import { findDev } from '../../../src/kernel/netdev.ts';
import { netnsOf } from '../../../src/kernel/netns.ts';
import type { World } from '../../../src/kernel/world.ts';
import { cluster, network, node, pod } from '../cluster.ts';
import {
  devices,
  fdb,
  localRoutes,
  neighbours,
  routes,
  rules,
  rulesOf,
  sysctls,
} from '../state.ts';

const flannel = (
  backend: 'vxlan' | 'host-gw',
  config: Record<string, unknown> = {},
  more: Parameters<typeof cluster>[0] = {},
): World => compileWorld(cluster({ network: network({ backend, config }), ...more }));

const host = (world: World, name = 'node-1') => netnsOf(world, `${name}/host`);

/** All seven rules that flanneld writes into nat, with node-1's range in them. */
const MASQ = [
  ':FLANNEL-POSTRTG - [0:0]',
  '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
  '-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG -s 10.244.1.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
  '-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
];
const FORWARD = [
  ':FLANNEL-FWD - [0:0]',
  '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD',
  '-A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
  '-A FLANNEL-FWD -d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
];

describe('flannel vxlan', () => {
  const world = flannel('vxlan');
  const mac = (name: string): string => findDev(host(world, name), 'flannel.1')?.mac ?? '';

  it('has flannel.1 before the bridge, and 50 bytes less everywhere above the wire', () => {
    const veth = host(world).devices[4]?.ifname;
    expect(devices(host(world))).toEqual([
      'lo up mtu 65536 127.0.0.1/8',
      'eth0 up mtu 1500 192.168.10.11/24 brd 192.168.10.255',
      'flannel.1 up mtu 1450 10.244.1.0/32',
      'cni0 up mtu 1450 10.244.1.1/24 brd 10.244.1.255',
      `${veth} up mtu 1450 master cni0 hairpin`,
    ]);
    expect(devices(netnsOf(world, 'node-1/default/pod-a'))[1]).toBe(
      'eth0 up mtu 1450 10.244.1.2/24 brd 10.244.1.255',
    );
  });

  it('makes the tunnel on eth0, on the kernel’s port, learning nothing', () => {
    expect(findDev(host(world), 'flannel.1')).toMatchObject({
      kind: 'vxlan',
      vni: 1,
      local: '192.168.10.11',
      lower: 'eth0',
      dstport: 8472,
      learning: false,
      ttl: 0,
    });
    expect(sysctls(host(world))).toContain('net.ipv6.conf.flannel/1.accept_ra = 0');
  });

  it('has one route, one neighbour and one FDB row for each other node', () => {
    expect(routes(world, 'node-1/host')).toEqual([
      'default via 192.168.10.1 dev eth0 proto static',
      '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1',
      '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
      '192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.11',
    ]);
    expect(neighbours(world, 'node-1/host')).toEqual([
      `10.244.2.0 dev flannel.1 lladdr ${mac('node-2')} PERMANENT`,
    ]);
    expect(fdb(world, 'node-1/host')).toContain(
      `${mac('node-2')} dev flannel.1 dst 192.168.10.12 self permanent`,
    );
    expect(fdb(world, 'node-1/host').filter((row) => row.includes('flannel.1'))).toHaveLength(1);
    expect(localRoutes(world, 'node-1/host').filter((row) => row.includes('flannel.1'))).toEqual([
      'local 10.244.1.0 dev flannel.1 proto kernel scope host src 10.244.1.0',
    ]);
  });

  it('gives the other node the mirror of it', () => {
    expect(neighbours(world, 'node-2/host')).toEqual([
      `10.244.1.0 dev flannel.1 lladdr ${mac('node-1')} PERMANENT`,
    ]);
    expect(mac('node-1')).toMatch(/^[0-9a-f][26ae]:/);
    expect(mac('node-1')).not.toBe(mac('node-2'));
  });

  it('adds FLANNEL_NETWORK to the Pod’s routes, before the default route', () => {
    expect(routes(world, 'node-1/default/pod-a')).toEqual([
      'default via 10.244.1.1 dev eth0',
      '10.244.0.0/16 via 10.244.1.1 dev eth0',
      '10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2',
    ]);
    expect(
      netnsOf(world, 'node-1/default/pod-a')
        .routes.slice(-2)
        .map(({ dst, origin }) => `${dst} ${origin?.why}`),
    ).toEqual(['10.244.0.0/16 pod-cluster-route', '0.0.0.0/0 pod-default-route']);
  });

  it('writes every rule in flanneld’s order', () => {
    expect(rules(host(world))).toEqual([...FORWARD, ...MASQ]);
  });

  it('comes after kube-proxy, which starts before it', () => {
    expect(rulesOf(host(world), 'nat', 'POSTROUTING')).toEqual([
      '-m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
      '-m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
    ]);
    expect(rulesOf(host(world), 'filter', 'FORWARD').at(-1)).toBe(
      '-m comment --comment "flanneld forward" -j FLANNEL-FWD',
    );
  });

  it('says for which node each row is', () => {
    const object = { kind: 'Node', name: 'node-2' };
    const row = host(world).routes.find(({ dst }) => dst === '10.244.2.0/24');
    expect(row?.origin).toEqual({ by: 'cni', why: 'peer-route', object });
    expect(host(world).neighbours[0]?.origin).toEqual({
      by: 'cni',
      why: 'tunnel-neighbour',
      object,
    });
    const dev = findDev(host(world), 'flannel.1');
    expect(dev?.kind === 'vxlan' && dev.fdb[0]?.origin).toEqual({
      by: 'cni',
      why: 'tunnel-fdb',
      object,
    });
  });

  it('is there without Pods too, and without a bridge', () => {
    const empty = flannel('vxlan', {}, { pods: [] });
    expect(devices(host(empty)).map((line) => line.split(' ')[0])).toEqual([
      'lo',
      'eth0',
      'flannel.1',
    ]);
    expect(rules(host(empty))).toEqual([...FORWARD, ...MASQ]);
  });
});

describe('keys of net-conf.json', () => {
  it('VNI names the device, Port is the outer port', () => {
    const world = flannel('vxlan', { Backend: { Type: 'vxlan', VNI: 4096, Port: 4789 } });
    expect(findDev(host(world), 'flannel.4096')).toMatchObject({ vni: 4096, dstport: 4789 });
    expect(routes(world, 'node-1/host')).toContain(
      '10.244.2.0/24 via 10.244.2.0 dev flannel.4096 onlink',
    );
  });

  it('MTU is the wire’s: the tunnel and the Pods have 50 less', () => {
    const world = flannel('vxlan', { Backend: { Type: 'vxlan', MTU: 1400 } });
    expect(findDev(host(world), 'flannel.1')?.mtu).toBe(1350);
    expect(findDev(netnsOf(world, 'node-1/default/pod-a'), 'eth0')?.mtu).toBe(1350);
  });

  it('the wire’s own MTU counts where none is given', () => {
    const underlay = { cidr: '192.168.10.0/24', mtu: 9000, gateway: '192.168.10.1' };
    const world = flannel('vxlan', {}, { underlay });
    expect(findDev(host(world), 'cni0')?.mtu).toBe(8950);
  });

  it('an MTU beyond the wire’s: the kernel limits the tunnel, nobody limits the Pods', () => {
    const world = flannel('vxlan', { Backend: { Type: 'vxlan', MTU: 9000 } });
    expect(findDev(host(world), 'flannel.1')?.mtu).toBe(1450);
    expect(findDev(host(world), 'cni0')?.mtu).toBe(8950);
  });

  it('Learning switches learning on', () => {
    expect(
      findDev(host(flannel('vxlan', { backend: { learning: true } })), 'flannel.1'),
    ).toMatchObject({ learning: true });
  });

  it('DirectRouting: plain routes to nodes on the link, tunnels to the others', () => {
    const world = flannel(
      'vxlan',
      { Backend: { Type: 'vxlan', DirectRouting: true } },
      {
        nodes: [node('node-1', 0), node('node-2', 1), node('node-3', 2, { ip: '172.20.0.5' })],
      },
    );
    expect(routes(world, 'node-1/host')).toEqual([
      'default via 192.168.10.1 dev eth0 proto static',
      '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1',
      '10.244.2.0/24 via 192.168.10.12 dev eth0',
      '10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink',
      '192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.11',
    ]);
    expect(neighbours(world, 'node-1/host').map((row) => row.split(' ')[0])).toEqual([
      '10.244.3.0',
    ]);
  });

  it('Network is what the rules and the Pods’ routes speak of', () => {
    const world = flannel('vxlan', { Network: '10.0.0.0/8' });
    expect(rules(host(world)).join('\n')).toContain('-s 10.244.1.0/24 -d 10.0.0.0/8');
    expect(routes(world, 'node-1/default/pod-a')).toContain('10.0.0.0/8 via 10.244.1.1 dev eth0');
  });
});

describe('flags of flanneld', () => {
  it('no ip-masq: the bridge plugin masquerades in its place', () => {
    const world = flannel('vxlan', { 'ip-masq': false });
    const chains = rules(host(world)).filter((line) => line.startsWith(':'));
    expect(chains).toEqual([':FLANNEL-FWD - [0:0]', expect.stringMatching(/^:CNI-[0-9a-f]{24} -/)]);
    expect(rules(host(world)).join('\n')).toContain('name: \\"cbr0\\" id:');
  });

  it('ip-masq-fully-random-disable', () => {
    const world = flannel('vxlan', { 'ip-masq-fully-random-disable': true });
    expect(rules(host(world)).slice(4)).toEqual(
      MASQ.map((line) => line.replace(' --random-fully', '')),
    );
  });

  it('no iptables-forward-rules', () => {
    expect(rules(host(flannel('vxlan', { 'iptables-forward-rules': false })))).toEqual(MASQ);
  });

  it('ip-blackhole-route: in front of the bridge’s own route', () => {
    const world = flannel('vxlan', { 'ip-blackhole-route': true });
    expect(
      host(world)
        .routes.filter(({ dst }) => dst === '10.244.1.0/24')
        .map(({ type }) => type),
    ).toEqual(['blackhole', 'unicast']);
  });

  it('delegate: what is written wins over the manifest', () => {
    const world = flannel('vxlan', { delegate: { hairpinMode: false, mtu: 1300, bridge: 'cbr0' } });
    expect(devices(host(world)).slice(3)).toEqual([
      'cbr0 up mtu 1300 10.244.1.1/24 brd 10.244.1.255',
      expect.stringMatching(/^veth\w+ up mtu 1300 master cbr0$/),
    ]);
  });
});

describe('flannel host-gw', () => {
  const world = flannel('host-gw');

  it('has no device of its own and the whole MTU', () => {
    const veth = host(world).devices[3]?.ifname;
    expect(devices(host(world)).slice(1)).toEqual([
      'eth0 up mtu 1500 192.168.10.11/24 brd 192.168.10.255',
      'cni0 up mtu 1500 10.244.1.1/24 brd 10.244.1.255',
      `${veth} up mtu 1500 master cni0 hairpin`,
    ]);
  });

  it('routes by the other node’s address; no neighbour, no FDB row, the same rules', () => {
    expect(routes(world, 'node-1/host')).toContain('10.244.2.0/24 via 192.168.10.12 dev eth0');
    expect(neighbours(world, 'node-1/host')).toEqual([]);
    expect(rules(host(world))).toEqual([...FORWARD, ...MASQ]);
  });

  it('cannot reach a node that is not on the link', () => {
    const apart = flannel(
      'host-gw',
      {},
      { nodes: [node('node-1', 0), node('node-2', 1, { ip: '172.20.0.5' })] },
    );
    expect(routes(apart, 'node-1/host').join()).not.toContain('10.244.2.0/24');
  });
});

describe('a node alone', () => {
  it('has rules and a device, and nobody to reach', () => {
    const world = flannel(
      'vxlan',
      {},
      { nodes: [node('node-1', 0)], pods: [pod('pod-a', 'node-1', '10.244.1.2')] },
    );
    expect(routes(world, 'node-1/host').join()).not.toContain('flannel.1');
    expect(rules(host(world))).toEqual([...FORWARD, ...MASQ]);
  });
});
