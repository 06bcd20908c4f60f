import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../src/cluster/cluster.ts';
import { compileWorld } from '../../../src/compile/compile.ts';
import { findDev } from '../../../src/kernel/netdev.ts';
import { netnsOf } from '../../../src/kernel/netns.ts';
import type { World } from '../../../src/kernel/world.ts';
import { cluster, network, node, pod } from '../cluster.ts';
import { devices, localRoutes, neighbours, routes, rules, sysctls } from '../state.ts';

const twoPods = [pod('pod-a', 'node-1', '10.244.1.2'), pod('pod-b', 'node-1', '10.244.1.3')];

const bridge = (config: Record<string, unknown> = {}, pods: readonly Pod[] = twoPods): World =>
  compileWorld(
    cluster({ network: network({ plugin: 'bridge', backend: 'static-routes', config }), pods }),
  );

const host = (world: World) => netnsOf(world, 'node-1/host');
const podA = (world: World) => netnsOf(world, 'node-1/default/pod-a');
const veths = (world: World) => host(world).devices.filter(({ kind }) => kind === 'veth');

describe('the bridge plugin as a scenario has it', () => {
  const world = bridge();

  it('makes a bridge and a veth pair for each Pod, in their order', () => {
    const [first, second] = veths(world).map(({ ifname }) => ifname);
    expect(first).toMatch(/^veth[0-9a-f]{8}$/);
    expect(second).not.toBe(first);
    expect(devices(host(world))).toEqual([
      'lo up mtu 65536 127.0.0.1/8',
      'eth0 up mtu 1500 192.168.10.11/24 brd 192.168.10.255',
      'cni0 up mtu 1500 10.244.1.1/24 brd 10.244.1.255',
      `${first} up mtu 1500 master cni0`,
      `${second} up mtu 1500 master cni0`,
    ]);
    expect(devices(podA(world))).toEqual([
      'lo up mtu 65536 127.0.0.1/8',
      'eth0 up mtu 1500 10.244.1.2/24 brd 10.244.1.255',
    ]);
  });

  it('joins the two ends of a pair', () => {
    const veth = findDev(podA(world), 'eth0');
    const [end] = veths(world);
    expect(veth?.kind === 'veth' && veth.peer).toEqual({
      netns: 'node-1/host',
      ifname: end?.ifname,
    });
    expect(end?.kind === 'veth' && end.peer).toEqual({
      netns: 'node-1/default/pod-a',
      ifname: 'eth0',
    });
    expect(end?.mac).not.toBe(veth?.mac);
  });

  it('routes the Pod by the bridge, and the other node by its address', () => {
    expect(routes(world, 'node-1/default/pod-a')).toEqual([
      'default via 10.244.1.1 dev eth0',
      '10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2',
    ]);
    expect(routes(world, 'node-1/host')).toEqual([
      'default via 192.168.10.1 dev eth0 proto static',
      '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1',
      '10.244.2.0/24 via 192.168.10.12 dev eth0 proto static',
      '192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.11',
    ]);
    expect(localRoutes(world, 'node-1/host')).toContain(
      'broadcast 10.244.1.255 dev cni0 proto kernel scope link src 10.244.1.1',
    );
    expect(neighbours(world, 'node-1/host')).toEqual([]);
  });

  it('masquerades nothing and loads no rule', () => {
    expect(rules(host(world))).toEqual([]);
  });

  it('writes the sysctls that the plugin writes', () => {
    const end = veths(world)[0]?.ifname;
    expect(sysctls(host(world))).toEqual(
      expect.arrayContaining([
        'net.ipv4.ip_forward = 1',
        'net.ipv6.conf.cni0.accept_ra = 0',
        `net.ipv6.conf.${end}.accept_ra = 0`,
      ]),
    );
    expect(sysctls(podA(world))).toEqual(
      expect.arrayContaining([
        'net.ipv4.conf.eth0.arp_notify = 1',
        'net.ipv6.conf.eth0.accept_dad = 0',
      ]),
    );
  });

  it('says who made it, for which Pod', () => {
    const object = { kind: 'Pod', namespace: 'default', name: 'pod-a' };
    const eth0 = findDev(podA(world), 'eth0');
    expect(eth0?.origin).toEqual({ by: 'cni', why: 'pod-veth', object });
    expect(veths(world)[0]?.origin).toEqual({ by: 'cni', why: 'pod-veth', object });
    expect(eth0?.addresses[0]?.origin).toEqual({ by: 'cni', why: 'pod-address', object });
    expect(podA(world).routes.map(({ origin }) => `${origin?.by} ${origin?.why}`)).toEqual([
      'kernel local-route',
      'kernel local-route',
      'kernel broadcast-route',
      'kernel local-route',
      'kernel broadcast-route',
      'kernel connected-route',
      'cni pod-default-route',
    ]);
  });
});

describe('a bridge before and without Pods', () => {
  it('does not exist, and nor does a route to the node’s own range', () => {
    const world = bridge({}, []);
    expect(findDev(host(world), 'cni0')).toBeUndefined();
    expect(routes(world, 'node-1/host').join()).not.toContain('10.244.1.0/24');
  });

  it('is not made for Pods that do not run or are on the node’s network', () => {
    const world = bridge({}, [
      pod('done', 'node-1', '10.244.1.2', { phase: 'Succeeded' }),
      pod('agent', 'node-1', '192.168.10.11', { hostNetwork: true }),
    ]);
    expect(findDev(host(world), 'cni0')).toBeUndefined();
    expect([...world.host('node-1').netns.keys()]).toEqual(['host']);
  });
});

describe('the bridge plugin’s own keys', () => {
  it('bridge: another name, with a dot in it too', () => {
    const world = bridge({ bridge: 'br.0' });
    expect(devices(host(world))[2]).toBe('br.0 up mtu 1500 10.244.1.1/24 brd 10.244.1.255');
    expect(veths(world)[0]?.master).toBe('br.0');
    expect(sysctls(host(world))).toContain('net.ipv6.conf.br/0.accept_ra = 0');
  });

  it('mtu: on the bridge and both ends', () => {
    const world = bridge({ mtu: 1400 });
    expect(devices(host(world))[2]).toContain('mtu 1400');
    expect(veths(world)[0]?.mtu).toBe(1400);
    expect(findDev(podA(world), 'eth0')?.mtu).toBe(1400);
  });

  it('hairpinMode: a flag of every port', () => {
    expect(veths(bridge({ hairpinMode: true })).map(({ port }) => port?.hairpin)).toEqual([
      true,
      true,
    ]);
  });

  it('promiscMode: on the bridge', () => {
    expect(devices(host(bridge({ promiscMode: true })))[2]).toContain('cni0 up promisc');
  });

  it('portIsolation: a flag of every port', () => {
    expect(veths(bridge({ portIsolation: true })).every(({ port }) => port?.isolated)).toBe(true);
  });

  it('isGateway alone: an address for the bridge, no default route for the Pod', () => {
    const world = bridge({ isDefaultGateway: false });
    expect(devices(host(world))[2]).toContain('10.244.1.1/24');
    expect(routes(world, 'node-1/default/pod-a')).toEqual([
      '10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2',
    ]);
  });

  it('neither: a bridge without an address, with the lowest MAC of its ports', () => {
    const world = bridge({ isDefaultGateway: false, isGateway: false });
    const cni0 = findDev(host(world), 'cni0');
    const lowest = veths(world)
      .map(({ mac }) => mac)
      .sort()[0];
    expect(cni0?.addresses).toEqual([]);
    expect(cni0?.mac).toBe(lowest);
    expect(world.book.owners('10.244.1.1')).toEqual([]);
  });

  it('with an address it keeps the MAC that it was made with', () => {
    const [one, two] = [bridge({}, twoPods.slice(0, 1)), bridge()].map(
      (world) => findDev(host(world), 'cni0')?.mac,
    );
    expect(one).toBe(two);
    expect(veths(bridge()).map(({ mac }) => mac)).not.toContain(two);
  });

  it('ipam.routes: before the default route; without gw by the gateway', () => {
    const world = bridge({
      ipam: {
        type: 'host-local',
        routes: [{ dst: '10.0.0.0/8' }, { dst: '172.16.0.0/12', gw: '10.244.1.3' }],
      },
    });
    expect(routes(world, 'node-1/default/pod-a')).toEqual([
      'default via 10.244.1.1 dev eth0',
      '10.0.0.0/8 via 10.244.1.1 dev eth0',
      '10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2',
      '172.16.0.0/12 via 10.244.1.3 dev eth0',
    ]);
  });

  it('ipam.routes with a default route: no second one', () => {
    const world = bridge({ ipam: { routes: [{ dst: '0.0.0.0/0', gw: '10.244.1.3' }] } });
    expect(routes(world, 'node-1/default/pod-a')[0]).toBe('default via 10.244.1.3 dev eth0');
    expect(routes(world, 'node-1/default/pod-a').join()).not.toContain('10.244.1.1');
  });
});

describe('ipMasq', () => {
  it('has a chain a Pod, entered by its address, in the order of the Pods', () => {
    const world = bridge({ ipMasq: true });
    const [first, second] = rules(host(world)).filter((line) => line.startsWith(':'));
    const name = (line?: string): string => line?.slice(1, -' - [0:0]'.length) ?? '';
    const [a, b] = [name(first), name(second)];
    expect([a, b]).toEqual([
      expect.stringMatching(/^CNI-[0-9a-f]{24}$/),
      expect.stringMatching(/^CNI-[0-9a-f]{24}$/),
    ]);
    const comment = /-m comment --comment "name: \\"bridge\\" id: \\"[0-9a-f]{64}\\"" /;
    expect(
      rules(host(world))
        .filter((line) => line.startsWith('-A'))
        .map((line) => {
          expect(line).toMatch(comment);
          return line.replace(comment, '');
        }),
    ).toEqual([
      `-A POSTROUTING -s 10.244.1.2/32 -j ${a}`,
      `-A POSTROUTING -s 10.244.1.3/32 -j ${b}`,
      `-A ${a} -d 10.244.1.0/24 -j ACCEPT`,
      `-A ${a} ! -d 224.0.0.0/4 -j MASQUERADE`,
      `-A ${b} -d 10.244.1.0/24 -j ACCEPT`,
      `-A ${b} ! -d 224.0.0.0/4 -j MASQUERADE`,
    ]);
  });

  it('hashes the name of the network into the chain', () => {
    const chain = (config: object) =>
      rules(host(bridge({ ipMasq: true, ...config }))).find((line) => line.startsWith(':'));
    expect(chain({ name: 'mynet' })).not.toBe(chain({}));
    expect(chain({})).toBe(chain({}));
  });
});

describe('a Pod that has the gateway’s address', () => {
  it('keeps it; the bridge takes the next one', () => {
    const world = bridge({}, [pod('first', 'node-1', '10.244.1.1'), ...twoPods]);
    expect(devices(host(world))[2]).toContain('10.244.1.4/24');
    expect(routes(world, 'node-1/default/first')[0]).toBe('default via 10.244.1.4 dev eth0');
    expect(world.book.owners('10.244.1.4').map(({ name }) => name)).toEqual(['cni0 of node-1']);
  });
});

describe('nodes off each other’s wire', () => {
  it('get no static route: the kernel refuses a gateway that is on no link', () => {
    const world = compileWorld(
      cluster({
        network: network({ plugin: 'bridge', backend: 'static-routes' }),
        nodes: [node('node-1', 0), node('node-2', 1, { ip: '172.20.0.5' })],
      }),
    );
    expect(routes(world, 'node-1/host').join()).not.toContain('10.244.2.0/24');
  });
});

describe('a node with Pods outside the subnet of its bridge', () => {
  const world = compileWorld(
    cluster({
      network: network({ plugin: 'bridge', backend: 'static-routes' }),
      nodes: [
        node('node-1', 0, { otherPodCIDRs: ['10.244.9.64/26'], lentIps: ['10.244.1.1'] }),
        node('node-2', 1, { otherPodCIDRs: ['10.244.1.1/32'] }),
      ],
      pods: [...twoPods, pod('far', 'node-1', '10.244.9.70'), pod('lent', 'node-2', '10.244.1.1')],
    }),
  );

  it('has a route for each range, here and on the other nodes', () => {
    expect(routes(world, 'node-1/host')).toEqual([
      'default via 192.168.10.1 dev eth0 proto static',
      '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.4',
      '10.244.1.1 via 192.168.10.12 dev eth0 proto static',
      '10.244.2.0/24 via 192.168.10.12 dev eth0 proto static',
      '10.244.9.64/26 dev cni0 scope link',
      '192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.11',
    ]);
    expect(routes(world, 'node-2/host')).toEqual(
      expect.arrayContaining([
        '10.244.1.0/24 via 192.168.10.11 dev eth0 proto static',
        '10.244.9.64/26 via 192.168.10.11 dev eth0 proto static',
      ]),
    );
  });

  it('gives its Pods the other ranges on the link, and what it lent by the gateway', () => {
    expect(routes(world, 'node-1/default/pod-a')).toEqual([
      'default via 10.244.1.4 dev eth0',
      '10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2',
      '10.244.1.1 via 10.244.1.4 dev eth0',
      '10.244.9.64/26 dev eth0 scope link',
    ]);
    expect(routes(world, 'node-1/default/far')).toEqual([
      'default via 10.244.1.4 dev eth0',
      '10.244.1.0/24 dev eth0 scope link',
      '10.244.1.1 via 10.244.1.4 dev eth0',
      '10.244.9.64/26 dev eth0 scope link',
    ]);
  });
});
