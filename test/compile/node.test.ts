import { describe, expect, it } from 'vitest';
import { compileWorld } from '../../src/compile/compile.ts';
import { findDev } from '../../src/kernel/netdev.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import { ipv4DevConf, sysctlGet } from '../../src/kernel/sysctl.ts';
import type { World } from '../../src/kernel/world.ts';
import { cluster, container, listener, network, node, pod } from './cluster.ts';
import { devices, localRoutes, routes, sysctls } from './state.ts';

const place = { file: 'a.yaml', line: 3, column: 5 };
const plain = network({ plugin: 'bridge', backend: 'cloud-routes' });
const host = (world: World) => netnsOf(world, 'node-1/host');

const withSysctl = (sysctl: Record<string, string>): World =>
  compileWorld(cluster({ network: plain, nodes: [node('node-1', 0, { sysctl, place })] }));

describe('a node', () => {
  const world = compileWorld(cluster({ network: plain, pods: [] }));

  it('is on the wire by eth0, with a default route by the router', () => {
    expect(devices(host(world))).toEqual([
      'lo up mtu 65536 127.0.0.1/8',
      'eth0 up mtu 1500 192.168.10.11/24 brd 192.168.10.255',
    ]);
    expect(findDev(host(world), 'eth0')).toMatchObject({ kind: 'physical', segment: 'underlay' });
    expect(routes(world, 'node-1/host')).toEqual([
      'default via 192.168.10.1 dev eth0 proto static',
      '192.168.10.0/24 dev eth0 proto kernel scope link src 192.168.10.11',
    ]);
    expect(localRoutes(world, 'node-1/host')).toEqual([
      'local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1',
      'local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1',
      'broadcast 127.255.255.255 dev lo proto kernel scope link src 127.0.0.1',
      'local 192.168.10.11 dev eth0 proto kernel scope host src 192.168.10.11',
      'broadcast 192.168.10.255 dev eth0 proto kernel scope link src 192.168.10.11',
    ]);
  });

  it('forwards, and hands bridged frames to iptables', () => {
    expect(sysctlGet(host(world), 'net.ipv4.ip_forward')).toBe('1');
    expect(ipv4DevConf(host(world), 'eth0', 'forwarding')).toBe(1);
    expect(sysctls(host(world))).toContain('net.bridge.bridge-nf-call-iptables = 1');
    expect([...world.host('node-1').modules]).toEqual(['br_netfilter']);
  });

  it('listens with its daemons and refuses the rest', () => {
    expect(host(world).sockets.map(({ ip, port, process }) => `${ip}:${port} ${process}`)).toEqual([
      '0.0.0.0:10250 kubelet',
      '0.0.0.0:10256 kube-proxy',
    ]);
    expect(host(world).listeners).toEqual({ unlisted: 'refused' });
  });

  it('takes the wire’s MTU', () => {
    const underlay = { cidr: '10.0.0.0/8', mtu: 9001, gateway: '10.0.0.1' };
    const large = compileWorld(
      cluster({
        network: plain,
        underlay,
        pods: [],
        nodes: [node('node-1', 0, { ip: '10.1.2.3' })],
      }),
    );
    expect(devices(host(large))[1]).toBe('eth0 up mtu 9001 10.1.2.3/8 brd 10.255.255.255');
  });
});

describe('sysctls of the scenario', () => {
  it('win over what kubeadm and the plugin write', () => {
    const world = withSysctl({ 'net.ipv4.ip_forward': '0' });
    expect(sysctlGet(host(world), 'net.ipv4.ip_forward')).toBe('0');
    expect(ipv4DevConf(host(world), 'cni0', 'forwarding')).toBe(0);
    expect(host(world).sysctls.get('net.ipv4.ip_forward')?.origin).toEqual({
      by: 'scenario',
      why: 'node-sysctl',
      object: { kind: 'Node', name: 'node-1', field: 'sysctl' },
      at: place,
    });
  });

  it('reach devices that come later, and Pods where the kernel hands them down', () => {
    const world = withSysctl({
      'net.ipv4.conf.cni0.rp_filter': '1',
      'net.ipv4.conf.all.rp_filter': '2',
      'net.ipv4.icmp_echo_ignore_all': '1',
    });
    const podA = netnsOf(world, 'node-1/default/pod-a');
    expect(sysctlGet(host(world), 'net.ipv4.conf.cni0.rp_filter')).toBe('1');
    expect(sysctlGet(podA, 'net.ipv4.conf.all.rp_filter')).toBe('2');
    expect(sysctlGet(podA, 'net.ipv4.icmp_echo_ignore_all')).toBe('0');
    expect(sysctlGet(host(world), 'net.ipv4.icmp_echo_ignore_all')).toBe('1');
  });

  it('a Pod inherits ip_forward from its machine', () => {
    const podA = netnsOf(withSysctl({}), 'node-1/default/pod-a');
    expect(sysctlGet(podA, 'net.ipv4.ip_forward')).toBe('1');
    expect(ipv4DevConf(podA, 'eth0', 'forwarding')).toBe(1);
  });

  it('leave out what is not modelled', () => {
    const world = withSysctl({ 'vm.max_map_count': '262144' });
    expect(sysctls(host(world)).join()).not.toContain('vm.');
  });
});

describe('a Pod’s namespace', () => {
  const world = compileWorld(
    cluster({
      pods: [
        pod('shop', 'node-1', '10.244.1.2', {
          place,
          containers: [container('app'), container('cache', { sidecar: true })],
          listeners: {
            rows: [
              listener(8080),
              listener(6379, { container: 'cache', evidence: 'annotation', ip: '127.0.0.1' }),
              listener(8080, { container: 'cache' }),
              listener(8080, { container: 'cache', protocol: 'udp' }),
            ],
            unlisted: 'unknown',
          },
        }),
      ],
    }),
  );
  const shop = netnsOf(world, 'node-1/default/shop');

  it('is held by the pause container and joined by all others', () => {
    expect(shop.holder?.name).toBe('pause');
    expect(shop.members.map(({ name }) => name)).toEqual(['app', 'cache']);
    expect(shop.members[1]?.origin).toEqual({
      by: 'kubelet',
      why: 'pod-container',
      object: { kind: 'Pod', namespace: 'default', name: 'shop', field: 'cache' },
      at: place,
    });
  });

  it('is one port space: the second container that wants a port does not get it', () => {
    expect(
      shop.sockets.map(
        ({ protocol, ip, port, process, assumed }) =>
          `${protocol} ${ip}:${port} ${process}${assumed ? ' assumed' : ''}`,
      ),
    ).toEqual([
      'tcp 0.0.0.0:8080 app assumed',
      'tcp 127.0.0.1:6379 cache',
      'udp 0.0.0.0:8080 cache assumed',
    ]);
  });

  it('says what is declared where a port is unknown', () => {
    expect(shop.listeners).toEqual({
      unlisted: 'unknown',
      declared: ['8080/tcp', '6379/tcp', '8080/udp'],
    });
  });
});

describe('a Pod on its node’s network', () => {
  const agent = pod('agent', 'node-1', '192.168.10.11', {
    hostNetwork: true,
    containers: [container('agent'), container('probe')],
    listeners: { rows: [listener(9100, { container: 'agent' })], unlisted: 'unknown' },
  });

  it('has no namespace of its own; its containers and sockets are the node’s', () => {
    const world = compileWorld(cluster({ pods: [agent] }));
    expect([...world.host('node-1').netns.keys()]).toEqual(['host']);
    expect(host(world).members.map(({ name }) => name)).toEqual([
      'default/agent/agent',
      'default/agent/probe',
    ]);
    expect(host(world).sockets.map(({ port, process }) => `${port} ${process}`)).toEqual([
      '10250 kubelet',
      '10256 kube-proxy',
      '9100 default/agent/agent',
    ]);
    expect(world.book.owners('192.168.10.11').map(({ name }) => name)).toEqual(['node-1']);
  });

  it('leaves the node’s other ports unknown unless it says what it listens on', () => {
    const world = compileWorld(cluster({ pods: [agent] }));
    expect(host(world).listeners).toEqual({ unlisted: 'unknown', declared: ['9100/tcp'] });
    const exact = { ...agent, listeners: { ...agent.listeners, unlisted: 'refused' as const } };
    expect(host(compileWorld(cluster({ pods: [exact] }))).listeners.unlisted).toBe('refused');
  });

  it('does not get a port that the node’s daemons have', () => {
    const greedy = pod('greedy', 'node-1', '192.168.10.11', {
      hostNetwork: true,
      listeners: { rows: [listener(10250)], unlisted: 'refused' },
    });
    const holders = host(compileWorld(cluster({ pods: [greedy] }))).sockets;
    expect(holders.map(({ process }) => process)).toEqual(['kubelet', 'kube-proxy']);
  });
});
