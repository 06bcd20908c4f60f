import { describe, expect, it } from 'vitest';
import { compileWorld } from '../../src/compile/compile.ts';
import { fibLookup } from '../../src/kernel/fib-lookup.ts';
import { ruleAdd } from '../../src/kernel/netlink.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import { ipv4DevConf } from '../../src/kernel/sysctl.ts';
import type { World } from '../../src/kernel/world.ts';
import { cluster, network, node } from './cluster.ts';
import { devices, localRoutes, routes } from './state.ts';

const bridge = (backend: 'static-routes' | 'cloud-routes'): World =>
  compileWorld(cluster({ network: network({ plugin: 'bridge', backend }) }));

describe('gw', () => {
  it('is on both wires and sends the rest outside; the cluster’s ranges are blackholes', () => {
    const world = bridge('static-routes');
    expect(devices(netnsOf(world, 'gw/host'))).toEqual([
      'lo up mtu 65536 127.0.0.1/8',
      'eth0 up mtu 1500 192.168.10.1/24 brd 192.168.10.255',
      'eth1 up mtu 1500 203.0.113.1/24 brd 203.0.113.255',
    ]);
    expect(routes(world, 'gw/host')).toEqual([
      'default via 203.0.113.10 dev eth1 proto static',
      'blackhole 10.96.0.0/12 proto static',
      'blackhole 10.244.0.0/16 proto static',
      '192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.1',
      '203.0.113.0/24 dev eth1 proto kernel scope link src 203.0.113.1',
    ]);
    const hole = netnsOf(world, 'gw/host').routes.find(({ type }) => type === 'blackhole');
    expect(hole?.origin?.why).toBe('unrouted-range');
  });

  it('knows the Pods of each node with cloud-routes, and the nodes do not', () => {
    const world = bridge('cloud-routes');
    expect(routes(world, 'gw/host')).toEqual(
      expect.arrayContaining([
        '10.244.1.0/24 via 192.168.10.11 dev eth0 proto static',
        '10.244.2.0/24 via 192.168.10.12 dev eth0 proto static',
        'blackhole 10.244.0.0/16 proto static',
      ]),
    );
    expect(routes(world, 'node-1/host').join()).not.toContain('10.244.2.0/24');
  });

  it('prefers a node’s route where its range is the whole cluster’s', () => {
    const world = compileWorld(
      cluster({
        network: network({ plugin: 'bridge', backend: 'cloud-routes' }),
        nodes: [node('node-1', 0, { podCIDR: '10.244.0.0/16' })],
        pods: [],
      }),
    );
    const found = fibLookup(world, netnsOf(world, 'gw/host'), { dst: '10.244.1.2', iif: 'eth1' });
    expect(found.row?.via).toBe('192.168.10.11');
  });

  it('forwards and sends no redirects', () => {
    const gw = netnsOf(bridge('cloud-routes'), 'gw/host');
    for (const dev of ['eth0', 'eth1']) {
      expect(ipv4DevConf(gw, dev, 'forwarding')).toBe(1);
      expect(ipv4DevConf(gw, dev, 'send_redirects')).toBe(0);
    }
    expect(gw.listeners.unlisted).toBe('unknown');
  });
});

describe('external', () => {
  const world = bridge('static-routes');
  const external = netnsOf(world, 'external/host');

  it('has one address and answers for every other that is not the cluster’s', () => {
    expect(devices(external)).toEqual([
      'lo up mtu 65536 127.0.0.1/8',
      'eth0 up mtu 1500 203.0.113.10/24 brd 203.0.113.255',
    ]);
    expect(external.listeners.unlisted).toBe('assumed-open');
    expect(localRoutes(world, 'external/host')).toEqual(
      expect.arrayContaining([
        'local default dev lo proto static scope host',
        '10.96.0.0/12 via 203.0.113.1 dev eth0 proto static src 203.0.113.10',
        '10.244.0.0/16 via 203.0.113.1 dev eth0 proto static src 203.0.113.10',
        '192.168.10.0/24 via 203.0.113.1 dev eth0 proto static src 203.0.113.10',
        '203.0.113.0/24 dev eth0 proto static scope link src 203.0.113.10',
      ]),
    );
  });

  const ways: [string, string][] = [
    ['8.8.8.8', 'local lo'],
    ['203.0.113.10', 'local eth0'],
    ['203.0.113.1', 'unicast eth0'],
    ['192.168.10.11', 'unicast eth0'],
    ['10.244.1.2', 'unicast eth0'],
    ['10.96.0.1', 'unicast eth0'],
    ['10.0.0.1', 'local lo'],
  ];

  it.each(ways)('%s is %s, with tables local and main in one trie or in two', (dst, expected) => {
    const apart = compileWorld(
      cluster({ network: network({ plugin: 'bridge', backend: 'static-routes' }) }),
    );
    ruleAdd(netnsOf(apart, 'external/host'), {
      priority: 100,
      to: '198.51.100.1/32',
      action: { kind: 'table', table: 254 },
    });
    for (const one of [world, apart]) {
      const { type, row } = fibLookup(one, netnsOf(one, 'external/host'), { dst });
      expect(`${type} ${row?.dev}`).toBe(expected);
    }
  });
});

describe('machines beside the nodes', () => {
  it('make way for nodes of their names', () => {
    const world = compileWorld(cluster({ nodes: [node('gw', 0), node('external', 1)], pods: [] }));
    expect(world.hostNames).toEqual(['gw', 'external', 'k8snet-gw', 'k8snet-external']);
    expect(devices(netnsOf(world, 'gw/host'))[1]).toContain('192.168.10.11/24');
    expect(devices(netnsOf(world, 'k8snet-gw/host'))[1]).toContain('192.168.10.1/24');
  });

  it('take another address where external has the first one', () => {
    const world = compileWorld(cluster({ external: { ip: '198.51.100.1' } }));
    expect(devices(netnsOf(world, 'gw/host'))[2]).toContain('198.51.100.2/24');
  });
});
