import { describe, expect, it } from 'vitest';
import type { Cluster, Network } from '../../src/cluster/cluster.ts';
import { compileWorld } from '../../src/compile/compile.ts';
import type { Host, World } from '../../src/kernel/world.ts';
import { attachmentsOf } from '../../src/kernel/world-build.ts';
import { cluster, container, listener, network, node, pod } from './cluster.ts';

const NETWORKS: readonly Pick<Network, 'plugin' | 'backend' | 'config'>[] = [
  { plugin: 'flannel', backend: 'vxlan', config: {} },
  { plugin: 'flannel', backend: 'vxlan', config: { Backend: { DirectRouting: true } } },
  { plugin: 'flannel', backend: 'host-gw', config: { 'ip-masq': false } },
  { plugin: 'bridge', backend: 'static-routes', config: { ipMasq: true } },
  {
    plugin: 'bridge',
    backend: 'cloud-routes',
    config: { isGateway: false, isDefaultGateway: false },
  },
];

const large = (more: Partial<Cluster> = {}): Cluster =>
  cluster({
    nodes: [0, 1, 2].map((n) => node(`node-${n + 1}`, n)),
    pods: [
      pod('a', 'node-1', '10.244.1.2'),
      pod('b', 'node-1', '10.244.1.3', {
        containers: [container('app'), container('log')],
        listeners: { rows: [listener(80)], unlisted: 'unknown' },
      }),
      pod('c', 'node-2', '10.244.2.2', { namespace: 'shop' }),
      pod('agent', 'node-3', '192.168.10.13', { hostNetwork: true }),
      pod('gone', 'node-2', '10.244.2.3', { phase: 'Failed' }),
    ],
    ...more,
  });

/** Hosts as plain data, without what an edit would count. */
const flat = (host: Host): unknown =>
  JSON.parse(
    JSON.stringify(host, (key, value: unknown) => {
      if (key === 'revision') return undefined;
      if (value instanceof Map) return [...value.entries()];
      return value instanceof Set ? [...value] : value;
    }),
  );

const all = (world: World): unknown => world.hostNames.map((name) => flat(world.host(name)));

describe.each(NETWORKS)('$plugin $backend $config', (choice) => {
  const given = large({ network: network(choice) });

  it('compiles a host when it is asked for, the same one every time', () => {
    const world = compileWorld(given);
    expect(world.hostNames).toEqual(['node-1', 'node-2', 'node-3', 'gw', 'external']);
    expect(world.host('node-2')).toBe(world.host('node-2'));
    expect(() => world.host('node-9')).toThrow(RangeError);
  });

  it('makes the same World in whichever order hosts are asked for', () => {
    const [forth, back] = [compileWorld(given), compileWorld(given)];
    for (const name of [...back.hostNames].reverse()) back.host(name);
    expect(all(back)).toEqual(all(forth));
  });

  it('makes the same World in whichever order the Pods are listed', () => {
    const turned = compileWorld({ ...given, pods: [...given.pods].reverse() });
    expect(all(turned)).toEqual(all(compileWorld(given)));
  });

  it('gives a Pod the same names whatever else there is', () => {
    const names = (pods: readonly string[]): string[] =>
      compileWorld({ ...given, pods: given.pods.filter(({ name }) => pods.includes(name)) })
        .host('node-1')
        .netns.get('host')
        ?.devices.filter(({ kind }) => kind === 'veth')
        .map(({ ifname, mac }) => `${ifname} ${mac}`) ?? [];
    expect(names(['b'])).toEqual(names(['a', 'b']).slice(1));
  });

  it('knows who is on the wires before anybody is compiled', () => {
    const sysctl = { 'net.ipv4.conf.eth0.proxy_arp': '1' };
    const [first, ...others] = given.nodes;
    if (!first) throw new Error('no node');
    const world = compileWorld({ ...given, nodes: [{ ...first, sysctl }, ...others] });
    expect(world.segments.get('underlay')?.attachments[0]).toMatchObject({ proxies: true });
    const known = [...world.segments.values()].flatMap(({ name, attachments }) =>
      attachments.map((one) => ({ segment: name, ...one })),
    );
    const real = world.hostNames.flatMap((name) =>
      [...world.host(name).netns.values()].flatMap(attachmentsOf),
    );
    const key = ({ segment, netns }: { segment: string; netns: string }) => `${segment} ${netns}`;
    const sorted = <One extends { segment: string; netns: string }>(list: readonly One[]) =>
      [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(sorted(known)).toEqual(sorted(real));
  });

  it('knows the owner of every address before anybody is compiled', () => {
    const world = compileWorld(given);
    for (const name of world.hostNames)
      for (const netns of world.host(name).netns.values())
        for (const dev of netns.devices)
          for (const { ip } of dev.addresses) {
            if (dev.kind === 'loopback') continue;
            expect(world.book.owners(ip).map((owner) => owner.netns)).toEqual([netns.id]);
          }
  });

  it('says of everything who made it', () => {
    const world = compileWorld(given);
    for (const name of world.hostNames)
      for (const netns of world.host(name).netns.values()) {
        const rows = [
          ...netns.devices,
          ...netns.devices.flatMap(({ addresses }) => addresses),
          ...netns.devices.flatMap((dev) => (dev.kind === 'vxlan' ? dev.fdb : [])),
          ...netns.routes,
          ...netns.rules,
          ...netns.neighbours,
          ...netns.sockets,
          ...netns.members,
          ...netns.netfilter.tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules)),
          ...netns.sysctls.values(),
        ];
        expect(rows.filter(({ origin }) => origin === undefined)).toEqual([]);
      }
  });
});

describe('the book', () => {
  const { book } = compileWorld(large());

  it('has every range, the smallest first', () => {
    expect(book.rangeOf('10.244.2.77')).toMatchObject({ kind: 'node-pods', host: 'node-2' });
    expect(book.rangeOf('10.244.99.1')?.kind).toBe('pod');
    expect(book.rangeOf('10.96.0.10')?.kind).toBe('service');
    expect(book.rangeOf('192.168.10.200')?.kind).toBe('node');
    expect(book.rangeOf('203.0.113.77')?.kind).toBe('external');
    expect(book.rangeOf('8.8.8.8')).toBeUndefined();
  });

  it('names owners as people do', () => {
    const names = (ip: string) => book.owners(ip).map(({ name }) => name);
    expect(names('10.244.2.2')).toEqual(['shop/c']);
    expect(names('192.168.10.11')).toEqual(['node-1']);
    expect(names('10.244.1.1')).toEqual(['cni0 of node-1']);
    expect(names('10.244.3.0')).toEqual(['flannel.1 of node-3']);
    expect(names('192.168.10.1')).toEqual(['gw']);
    expect(names('203.0.113.10')).toEqual(['external']);
  });

  it('has no owner for what does not run, nor for a bridge that is not there', () => {
    expect(book.owners('10.244.2.3')).toEqual([]);
    expect(book.owners('10.244.3.1')).toEqual([]);
  });
});
