/** Lines as iproute2 6.1 prints them on Debian 12, written down from a machine that ran it. */
import { describe, expect, it } from 'vitest';
import type { FibEntry, FibRule } from '../../../src/kernel/fib.ts';
import { printFdb } from '../../../src/userland/print/fdb.ts';
import { printNeigh } from '../../../src/userland/print/neigh.ts';
import { inDumpOrder, printRoute, routeLines } from '../../../src/userland/print/route.ts';
import { printRule } from '../../../src/userland/print/rule.ts';

const row = (change: Partial<FibEntry>): FibEntry => ({
  table: 254,
  type: 'unicast',
  dst: '10.6.0.0/16',
  scope: 'global',
  metric: 0,
  protocol: 'boot',
  ...change,
});

describe('a route', () => {
  it.each<[string, Partial<FibEntry>]>([
    ['default via 10.244.1.1 dev eth0', { dst: '0.0.0.0/0', via: '10.244.1.1', dev: 'eth0' }],
    ['0.0.0.0/1 dev b1 scope link', { dst: '0.0.0.0/1', dev: 'b1', scope: 'link' }],
    ['10.9.0.0 dev b1 scope link', { dst: '10.9.0.0/32', dev: 'b1', scope: 'link' }],
    [
      '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
      { dst: '10.244.2.0/24', via: '10.244.2.0', dev: 'flannel.1', onlink: true },
    ],
    [
      '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1',
      { dst: '10.244.1.0/24', dev: 'cni0', protocol: 'kernel', scope: 'link', src: '10.244.1.1' },
    ],
    [
      'local 10.244.1.1 dev cni0 table local proto kernel scope host src 10.244.1.1',
      {
        table: 255,
        type: 'local',
        dst: '10.244.1.1/32',
        dev: 'cni0',
        protocol: 'kernel',
        scope: 'host',
        src: '10.244.1.1',
      },
    ],
    [
      'blackhole 10.244.1.0/24 metric 100',
      { type: 'blackhole', dst: '10.244.1.0/24', metric: 100 },
    ],
    [
      'prohibit 10.4.0.0/16 table 100 proto static',
      { type: 'prohibit', dst: '10.4.0.0/16', table: 100, protocol: 'static' },
    ],
    [
      '10.6.0.0/16 via 10.244.1.7 dev cni0 proto 80 src 10.244.1.3 metric 5 mtu 1300',
      { via: '10.244.1.7', dev: 'cni0', protocol: 80, src: '10.244.1.3', metric: 5, mtu: 1300 },
    ],
    [
      '10.6.0.0/16 via 10.244.1.7 dev cni0 proto bird',
      { via: '10.244.1.7', dev: 'cni0', protocol: 12 },
    ],
  ])('%s', (text, change) => {
    expect(printRoute(row(change))).toBe(text);
  });

  it('names its table where another one is shown', () => {
    const entry = row({ dev: 'eth0', table: 100 });
    expect(printRoute(entry, { shown: 100 })).toBe('10.6.0.0/16 dev eth0');
    expect(printRoute(entry, { shown: 'all' })).toBe('10.6.0.0/16 dev eth0 table 100');
    expect(printRoute(row({ dev: 'eth0' }), { shown: 'all' })).toBe('10.6.0.0/16 dev eth0');
  });

  it('says when its link is down, between onlink and mtu', () => {
    const entry = row({ via: '10.0.0.1', dev: 'eth0', onlink: true, mtu: 1300 });
    expect(printRoute(entry, { linkdown: true })).toBe(
      '10.6.0.0/16 via 10.0.0.1 dev eth0 onlink linkdown mtu 1300',
    );
  });

  it('has one more line for each of several next hops, and stays one where a command is meant', () => {
    const entry = row({
      protocol: 'static',
      nexthops: [
        { via: '10.0.0.2', dev: 'eth0', weight: 1, dead: true },
        { dev: 'eth1', weight: 3, onlink: true },
      ],
    });
    expect(routeLines(entry, { linkdownHops: new Set(['eth0']) })).toEqual([
      '10.6.0.0/16 proto static',
      '\tnexthop via 10.0.0.2 dev eth0 weight 1 dead linkdown',
      '\tnexthop dev eth1 weight 3 onlink',
    ]);
    expect(printRoute({ ...entry, nexthops: entry.nexthops?.slice(1) ?? [] })).toBe(
      '10.6.0.0/16 proto static nexthop dev eth1 weight 3 onlink',
    );
  });

  it('stands where the kernel dumps it', () => {
    const rows = [
      row({ table: 255, dst: '10.0.0.1/32' }),
      row({ table: 254, dst: '128.0.0.0/1' }),
      row({ table: 254, dst: '10.9.0.0/16' }),
      row({ table: 254, dst: '10.9.0.0/24', metric: 20 }),
      row({ table: 254, dst: '10.9.0.0/24', metric: 10 }),
      row({ table: 254, dst: '10.9.0.0/24', via: '10.0.0.9' }),
      row({ table: 254, dst: '10.9.0.0/24', via: '10.0.0.8' }),
      row({ table: 254, dst: '0.0.0.0/0' }),
      row({ table: 100, dst: '0.0.0.0/0' }),
      row({ table: 256, dst: '10.0.0.0/8' }),
      row({ table: 512, dst: '10.0.0.0/8' }),
    ];
    const order = [10, 9, 8, 7, 5, 6, 4, 3, 2, 1, 0].map((at) => rows[at]);
    expect(inDumpOrder(rows)).toEqual(order);
  });
});

describe('a rule', () => {
  it.each<[string, FibRule]>([
    ['0:\tfrom all lookup local', { priority: 0, action: { kind: 'table', table: 255 } }],
    [
      '32765:\tfrom 10.244.0.0/16 lookup 100',
      { priority: 32765, from: '10.244.0.0/16', action: { kind: 'table', table: 100 } },
    ],
    [
      '50:\tfrom all to 10.9.0.0/16 fwmark 0x10/0xff iif cni0 oif eth0 prohibit',
      {
        priority: 50,
        to: '10.9.0.0/16',
        fwmark: { mark: 0x10, mask: 0xff },
        iif: 'cni0',
        oif: 'eth0',
        action: { kind: 'prohibit' },
      },
    ],
    [
      '60:\tfrom all fwmark 0x1 lookup main',
      {
        priority: 60,
        fwmark: { mark: 1, mask: 0xffffffff },
        action: { kind: 'table', table: 254 },
      },
    ],
    [
      '62:\tfrom all to 10.0.0.1 unreachable',
      { priority: 62, to: '10.0.0.1/32', action: { kind: 'unreachable' } },
    ],
  ])('%s', (text, rule) => {
    expect(printRule(rule)).toBe(text);
  });

  it('is marked when its device is not there', () => {
    const rule: FibRule = { priority: 5, iif: 'nope', action: { kind: 'table', table: 100 } };
    expect(printRule(rule, (ifname) => ifname !== 'nope')).toBe(
      '5:\tfrom all iif nope [detached] lookup 100',
    );
  });
});

describe('a neighbour', () => {
  it('has its address, its device, its MAC if there is one, its state', () => {
    expect(
      printNeigh({
        ip: '10.244.2.0',
        dev: 'flannel.1',
        lladdr: '02:00:00:00:00:02',
        state: 'PERMANENT',
      }),
    ).toBe('10.244.2.0 dev flannel.1 lladdr 02:00:00:00:00:02 PERMANENT');
    expect(printNeigh({ ip: '10.0.0.4', dev: 'e0', state: 'FAILED' })).toBe(
      '10.0.0.4 dev e0 FAILED',
    );
  });
});

describe('a forwarding row', () => {
  const mac = '02:00:00:00:00:02';

  it('of a tunnel has a remote and is its own', () => {
    expect(printFdb({ mac, dev: 'flannel.1', dst: '192.168.10.12', state: 'permanent' })).toBe(
      '02:00:00:00:00:02 dev flannel.1 dst 192.168.10.12 self permanent',
    );
    expect(printFdb({ mac, dev: 'vx', dst: '192.168.10.12', state: 'learned' })).toBe(
      '02:00:00:00:00:02 dev vx dst 192.168.10.12 self',
    );
  });

  it('of a bridge has a port and a master', () => {
    expect(printFdb({ mac, dev: 'veth1', state: 'permanent', local: true }, 'cni0')).toBe(
      '02:00:00:00:00:02 dev veth1 master cni0 permanent',
    );
    expect(printFdb({ mac, dev: 'veth1', state: 'learned' }, 'cni0')).toBe(
      '02:00:00:00:00:02 dev veth1 master cni0',
    );
  });
});
