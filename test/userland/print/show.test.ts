/**
 * What the tools of a node print of one made by hand. The lines have the form of iproute2 6.1 on
 * Debian 12, where test/kernel/edit.test.ts compares them with the tools themselves.
 */
import { describe, expect, it } from 'vitest';
import {
  addrAdd,
  fdbAdd,
  linkAddVeth,
  linkSet,
  neighAdd,
  ruleAdd,
} from '../../../src/kernel/netlink.ts';
import { netnsOf } from '../../../src/kernel/netns.ts';
import type { World } from '../../../src/kernel/world.ts';
import { withDynamic } from '../../../src/kernel/world-build.ts';
import {
  bridgeFdb,
  bridgeLink,
  ipAddr,
  ipLink,
  ipNeigh,
  ipRoute,
  ipRule,
  sysctl,
} from '../../../src/userland/print/show.ts';
import { cluster, worldOf } from '../../kernel/hand-made.ts';

const NODE = 'node-1/host';
const POD = 'node-1/default/pod-1';

const node = (
  change: (netns: ReturnType<typeof netnsOf>) => void = () => undefined,
): { world: World; netns: ReturnType<typeof netnsOf> } => {
  const world = worldOf(cluster({ nodes: 2, pods: 2, join: 'vxlan' }));
  const netns = netnsOf(world, NODE);
  change(netns);
  return { world, netns };
};

describe('ip link', () => {
  it('shows devices in the order of their index, with flags, state and peer', () => {
    const { world, netns } = node();
    expect(ipLink(world, netns, ['lo', 'eth0', 'veth1', 'flannel.1'])).toEqual([
      '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000',
      '    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00',
      '2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT group default qlen 1000',
      '    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff',
      '4: veth1@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master cni0 state UP mode DEFAULT group default qlen 1000',
      '    link/ether 0e:00:00:00:01:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0',
      '6: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000',
      '    link/ether 06:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff',
    ]);
    expect(ipLink(world, netns, ['veth2'])[1]).toMatch(/link-netnsid 1$/);
    expect(ipLink(world, netns)).toHaveLength(12);
  });

  it('shows a link that is down on the other side', () => {
    const { world, netns } = node();
    linkSet(netnsOf(world, POD), 'eth0', { up: false });
    linkSet(netns, 'veth2', { up: false, promisc: true });
    expect(ipLink(world, netns, ['cni0', 'veth1', 'veth2']).filter((_, n) => n % 2 === 0)).toEqual([
      '3: cni0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN mode DEFAULT group default qlen 1000',
      '4: veth1@if2: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue master cni0 state LOWERLAYERDOWN mode DEFAULT group default qlen 1000',
      '5: veth2@if2: <BROADCAST,MULTICAST,PROMISC> mtu 1500 qdisc noop master cni0 state DOWN mode DEFAULT group default qlen 1000',
    ]);
  });

  it('names a peer of the same namespace, and says when that is down', () => {
    const { world, netns } = node((own) => {
      linkAddVeth(own, 'a0', own, 'a1', { mac: '02:00:00:00:0a:00', peerMac: '02:00:00:00:0a:01' });
      linkSet(own, 'a0', { up: true });
    });
    expect(ipLink(world, netns, ['a0', 'a1'])).toEqual([
      '7: a1@a0: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000',
      '    link/ether 02:00:00:00:0a:01 brd ff:ff:ff:ff:ff:ff',
      '8: a0@a1: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN mode DEFAULT group default qlen 1000',
      '    link/ether 02:00:00:00:0a:00 brd ff:ff:ff:ff:ff:ff',
    ]);
  });
});

describe('ip addr', () => {
  it('shows broadcast, scope and secondary of each address', () => {
    const { world, netns } = node((own) => {
      addrAdd(own, 'cni0', { ip: '10.244.1.3', prefix: 24 });
      addrAdd(own, 'cni0', { ip: '10.50.0.1', prefix: 24, broadcast: '10.50.0.255' });
    });
    expect(ipAddr(world, netns, ['cni0'])).toEqual([
      '3: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000',
      '    link/ether 0a:58:0a:f4:01:01 brd ff:ff:ff:ff:ff:ff',
      '    inet 10.244.1.1/24 scope global cni0',
      '       valid_lft forever preferred_lft forever',
      '    inet 10.50.0.1/24 brd 10.50.0.255 scope global cni0',
      '       valid_lft forever preferred_lft forever',
      '    inet 10.244.1.3/24 scope global secondary cni0',
      '       valid_lft forever preferred_lft forever',
    ]);
    expect(ipAddr(world, netns)).toContain('    inet 127.0.0.1/8 scope host lo');
  });
});

describe('ip route', () => {
  it('marks routes over a link that is down, but never local ones', () => {
    const { world, netns } = node();
    linkSet(netnsOf(world, POD), 'eth0', { up: false });
    linkSet(netns, 'veth2', { up: false });
    expect(ipRoute(world, netns)).toEqual([
      'default via 192.168.10.1 dev eth0',
      '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 linkdown',
      '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
      '192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.11',
    ]);
    expect(ipRoute(world, netns, 255)).toContain(
      'local 10.244.1.1 dev cni0 proto kernel scope host src 10.244.1.1',
    );
    expect(ipRoute(world, netns, 'all')).toContain(
      'broadcast 10.244.1.255 dev cni0 table local proto kernel scope link src 10.244.1.1 linkdown',
    );
  });
});

describe('the rest', () => {
  it('ip rule marks a device that is not there', () => {
    const { netns } = node((own) => {
      ruleAdd(own, { priority: 10, iif: 'nope', action: { kind: 'table', table: 5 } });
      ruleAdd(own, { priority: 11, oif: 'eth0', action: { kind: 'blackhole' } });
    });
    expect(ipRule(netns)).toEqual([
      '0:\tfrom all lookup local',
      '10:\tfrom all iif nope [detached] lookup 5',
      '11:\tfrom all oif eth0 blackhole',
      '32766:\tfrom all lookup main',
      '32767:\tfrom all lookup default',
    ]);
  });

  it('ip neigh shows what was written, then what was learned, and no NOARP', () => {
    const { world, netns } = node((own) => {
      neighAdd(own, {
        ip: '10.0.0.5',
        dev: 'eth0',
        lladdr: '02:00:00:00:00:05',
        state: 'NOARP',
      });
    });
    const warm = withDynamic(
      world,
      new Map([
        [
          NODE,
          {
            neighbours: [
              { ip: '10.244.1.2', dev: 'cni0', lladdr: '0a:00:00:00:01:01', state: 'REACHABLE' },
            ],
            fdb: new Map(),
            conntrack: [],
            ipvs: [],
            pmtu: new Map(),
            flowHashes: new Map(),
          },
        ],
      ]),
    );
    expect(ipNeigh(warm, netns)).toEqual([
      '10.244.2.0 dev flannel.1 lladdr 06:00:00:00:00:02 PERMANENT',
      '10.244.1.2 dev cni0 lladdr 0a:00:00:00:01:01 REACHABLE',
    ]);
  });

  it('bridge fdb shows ports, the bridge and tunnels, written and learned rows', () => {
    const { world, netns } = node((own) => {
      fdbAdd(own, { mac: '02:00:00:00:aa:01', dev: 'veth1', state: 'static' });
    });
    const warm = withDynamic(
      world,
      new Map([
        [
          NODE,
          {
            neighbours: [],
            fdb: new Map([
              [
                'cni0',
                new Map([
                  [
                    '0a:00:00:00:01:01',
                    { mac: '0a:00:00:00:01:01', dev: 'veth1', state: 'learned' as const },
                  ],
                ]),
              ],
            ]),
            conntrack: [],
            ipvs: [],
            pmtu: new Map(),
            flowHashes: new Map(),
          },
        ],
      ]),
    );
    expect(bridgeFdb(warm, netns)).toEqual([
      '0a:58:0a:f4:01:01 dev cni0 master cni0 permanent',
      '0a:00:00:00:01:01 dev veth1 master cni0',
      '02:00:00:00:aa:01 dev veth1 master cni0 static',
      '0e:00:00:00:01:01 dev veth1 master cni0 permanent',
      '0e:00:00:00:01:02 dev veth2 master cni0 permanent',
      '06:00:00:00:00:02 dev flannel.1 dst 192.168.10.12 self permanent',
    ]);
  });

  it('bridge link shows ports as the tool does, which looks for the peer in the wrong place', () => {
    const { world, netns } = node();
    expect(bridgeLink(world, netns)).toEqual([
      '4: veth1@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master cni0 state forwarding priority 32 cost 2',
      '5: veth2@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master cni0 state forwarding priority 32 cost 2',
    ]);
    linkSet(netns, 'veth1', { up: false });
    expect(bridgeLink(world, netns, true).slice(0, 2)).toEqual([
      '4: veth1@eth0: <BROADCAST,MULTICAST> mtu 1500 master cni0 state disabled priority 32 cost 2',
      '    hairpin off guard off root_block off fastleave off learning on flood on mcast_flood on bcast_flood on mcast_router 1 mcast_to_unicast off neigh_suppress off vlan_tunnel off isolated off locked off',
    ]);
  });

  it('sysctl shows the key as typed', () => {
    const { netns } = node();
    expect(sysctl(netns, 'net.ipv4.ip_forward')).toBe('net.ipv4.ip_forward = 1');
    expect(sysctl(netns, 'net.ipv4.conf.flannel/1.rp_filter')).toBe(
      'net.ipv4.conf.flannel/1.rp_filter = 0',
    );
    expect(() => sysctl(netns, 'net.ipv4.nope')).toThrow('No such file or directory');
  });
});
