/** Where packets of this machine go, and which source they get. */
import { describe, expect, it } from 'vitest';
import { createBook } from '../../src/kernel/book.ts';
import {
  addrAdd,
  linkAdd,
  linkSet,
  routeAdd,
  ruleAdd,
  sysctlSet,
} from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import type { OutputKey } from '../../src/kernel/route-output.ts';
import { ipRouteConnect, ipRouteOutput } from '../../src/kernel/route-output.ts';
import type { Netns } from '../../src/kernel/world.ts';
import { createHost, createWorld } from '../../src/kernel/world-build.ts';

const worldOf = (netns: Netns) =>
  createWorld({
    name: 'test',
    hostNames: ['node-1'],
    compile: () => createHost('node-1', [netns]),
    segments: [],
    book: createBook([], []),
  });

/** A flannel node: eth0, its default route, and a tunnel to another node. */
const node = (): Netns => {
  const netns = createNetns({ host: 'node-1', name: 'host' });
  linkSet(netns, 'lo', { up: true });
  linkAdd(netns, { kind: 'physical', ifname: 'eth0', mac: '02:00:00:00:00:01' });
  linkSet(netns, 'eth0', { up: true });
  addrAdd(netns, 'eth0', { ip: '192.168.10.11', prefix: 24 });
  addrAdd(netns, 'eth0', { ip: '192.168.10.111', prefix: 24 });
  linkAdd(netns, {
    kind: 'vxlan',
    ifname: 'flannel.1',
    mac: '02:00:00:00:00:02',
    vni: 1,
    lower: 'eth0',
  });
  addrAdd(netns, 'flannel.1', { ip: '10.244.1.0', prefix: 32 });
  linkSet(netns, 'flannel.1', { up: true });
  routeAdd(netns, { dst: '0.0.0.0/0', via: '192.168.10.1' });
  routeAdd(netns, { dst: '10.244.2.0/24', via: '10.244.2.0', dev: 'flannel.1', onlink: true });
  return netns;
};

const text = (netns: Netns, key: OutputKey, ask = ipRouteOutput): string => {
  const route = ask(worldOf(netns), netns, key);
  if (route.kind === 'error') return route.errno;
  if (route.kind === 'not-modelled') return `not modelled: ${route.rows.length}`;
  return `${route.type} dev ${route.dev} via ${route.gateway} src ${route.src}`;
};

describe('ipRouteOutput', () => {
  it.each<[string, OutputKey, string]>([
    [
      'a neighbour on the link',
      { dst: '192.168.10.12' },
      'unicast dev eth0 via undefined src 192.168.10.11',
    ],
    [
      'a Pod behind the tunnel, with the tunnel as source',
      { dst: '10.244.2.7' },
      'unicast dev flannel.1 via 10.244.2.0 src 10.244.1.0',
    ],
    [
      'the world, by the default route',
      { dst: '203.0.113.10' },
      'unicast dev eth0 via 192.168.10.1 src 192.168.10.11',
    ],
    ['itself, over lo', { dst: '192.168.10.11' }, 'local dev lo via undefined src 192.168.10.11'],
    [
      'its second address, from the first',
      { dst: '192.168.10.111' },
      'local dev lo via undefined src 192.168.10.11',
    ],
    ['any of 127.0.0.0/8', { dst: '127.1.2.3' }, 'local dev lo via undefined src 127.0.0.1'],
    ['nothing, which is itself', { dst: '0.0.0.0' }, 'local dev lo via undefined src 127.0.0.1'],
    [
      'a broadcast address',
      { dst: '192.168.10.255' },
      'broadcast dev eth0 via undefined src 192.168.10.11',
    ],
    [
      'the world, bound to a device without a way there: on the link',
      { dst: '203.0.113.10', oif: 'flannel.1' },
      'unicast dev flannel.1 via undefined src 10.244.1.0',
    ],
    [
      'a source of its choice',
      { dst: '10.244.2.7', src: '192.168.10.11' },
      'unicast dev flannel.1 via 10.244.2.0 src 192.168.10.11',
    ],
    ['a source that is not its own', { dst: '10.244.2.7', src: '10.9.9.9' }, 'EINVAL'],
    ['a loopback source to the outside', { dst: '10.244.2.7', src: '127.0.0.1' }, 'EINVAL'],
  ])('sends to %s', (_, key, expected) => {
    expect(text(node(), key)).toBe(expected);
  });

  it('knows no way without a route, and none through a device that is down', () => {
    const netns = createNetns({ host: 'node-1', name: 'host' });
    expect(text(netns, { dst: '10.0.0.1' })).toBe('ENETUNREACH');
    expect(text(netns, { dst: '10.0.0.1', oif: 'lo' })).toBe('ENETUNREACH');
  });

  it('says that it cannot choose between default routes of one metric', () => {
    const netns = node();
    routeAdd(netns, { dst: '0.0.0.0/0', via: '192.168.10.2' }, undefined, 'append');
    expect(text(netns, { dst: '203.0.113.10' })).toBe('not modelled: 2');
  });

  it('borrows an address from another device when its own has none', () => {
    const netns = node();
    linkAdd(netns, { kind: 'physical', ifname: 'eth1', mac: '02:00:00:00:00:03' });
    linkSet(netns, 'eth1', { up: true });
    routeAdd(netns, { dst: '10.9.0.0/16', dev: 'eth1' });
    expect(text(netns, { dst: '10.9.0.1' })).toBe(
      'unicast dev eth1 via undefined src 192.168.10.11',
    );
  });
});

describe('ipRouteConnect', () => {
  it('asks again with the source it got, so that rules on it apply', () => {
    const netns = node();
    ruleAdd(netns, { priority: 9, from: '192.168.10.11/32', action: { kind: 'table', table: 9 } });
    routeAdd(netns, { dst: '0.0.0.0/0', via: '192.168.10.2', table: 9 });
    const key = { dst: '203.0.113.10' };
    expect(text(netns, key)).toContain('via 192.168.10.1 ');
    expect(text(netns, key, ipRouteConnect)).toContain('via 192.168.10.2 ');
  });
});

describe('several next hops', () => {
  const router = (): Netns => {
    const netns = createNetns({ host: 'h', name: 'host' });
    for (const n of [0, 1]) {
      linkAdd(netns, { kind: 'physical', ifname: `eth${n}`, mac: `02:00:00:00:00:0${n + 1}` });
      linkSet(netns, `eth${n}`, { up: true });
      addrAdd(netns, `eth${n}`, { ip: `10.0.${n}.1`, prefix: 24 });
    }
    const nexthops = ['10.0.0.2', '10.0.1.2', '10.0.1.3'].map((via) => ({ via }));
    routeAdd(netns, { dst: '10.9.0.0/16', nexthops });
    return netns;
  };
  /** What is offered for picking, and the way of the last of it. */
  const asked = (lookup: typeof ipRouteOutput, key: OutputKey, netns = router()) => {
    const offers: (string | undefined)[][] = [];
    const route = lookup(worldOf(netns), netns, key, (_netns, _row, hops) => {
      offers.push(hops.map(({ via }) => via));
      const last = hops.at(-1);
      if (!last) throw new Error('nothing is offered');
      return last;
    });
    return { offers, way: route.kind === 'route' ? `${route.gateway} ${route.src}` : route.kind };
  };

  it('are all possible without a source, and those with the sender’s address before others', () => {
    expect(asked(ipRouteOutput, { dst: '10.9.0.1' })).toEqual({
      offers: [['10.0.0.2', '10.0.1.2', '10.0.1.3']],
      way: '10.0.1.3 10.0.1.1',
    });
    expect(asked(ipRouteOutput, { dst: '10.9.0.1', src: '10.0.1.1' }).offers).toEqual([
      ['10.0.1.2', '10.0.1.3'],
    ]);
    expect(asked(ipRouteOutput, { dst: '10.9.0.1', src: '10.0.0.1' }).offers).toEqual([]);
  });

  it('are picked by source first where a socket connects', () => {
    expect(asked(ipRouteConnect, { dst: '10.9.0.1' })).toEqual({
      offers: [
        ['10.0.0.2', '10.0.1.2'],
        ['10.0.1.2', '10.0.1.3'],
      ],
      way: '10.0.1.3 10.0.1.1',
    });
  });

  it('are not picked by who is bound to a device, nor while they are dead', () => {
    expect(asked(ipRouteOutput, { dst: '10.9.0.1', oif: 'eth1' })).toEqual({
      offers: [],
      way: '10.0.1.2 10.0.1.1',
    });
    const netns = router();
    linkSet(netns, 'eth1', { up: false });
    expect(asked(ipRouteOutput, { dst: '10.9.0.1' }, netns)).toEqual({
      offers: [],
      way: '10.0.0.2 10.0.0.1',
    });
  });

  it.each([
    ['net.ipv4.fib_multipath_hash_policy', '2'],
    ['net.ipv4.fib_multipath_use_neigh', '1'],
  ])('are not modelled with %s=%s', (key, value) => {
    const netns = router();
    sysctlSet(netns, key, value);
    expect(asked(ipRouteOutput, { dst: '10.9.0.1' }, netns).way).toBe('not-modelled');
  });
});
