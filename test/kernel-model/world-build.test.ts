/** Worlds that compile what is asked for, and copies that leave the original alone. */
import { describe, expect, it } from 'vitest';
import { createBook } from '../../src/kernel/book.ts';
import { findDev } from '../../src/kernel/netdev.ts';
import { addrAdd, linkAdd, linkSet, routeAdd } from '../../src/kernel/netlink.ts';
import { createNetns, netnsOf } from '../../src/kernel/netns.ts';
import { attachmentsByIp, attachmentsByMac } from '../../src/kernel/segment.ts';
import type { World } from '../../src/kernel/world.ts';
import {
  attachmentsOf,
  cloneWorld,
  createHost,
  createWorld,
  refreshSegments,
  withCuts,
  withHost,
} from '../../src/kernel/world-build.ts';

const build = (): { world: World; compiled: string[] } => {
  const compiled: string[] = [];
  const hostNames = ['node-1', 'node-2', 'node-3'];
  const host = (name: string) => {
    const netns = createNetns({ host: name, name: 'host' });
    linkAdd(netns, {
      kind: 'physical',
      ifname: 'eth0',
      mac: `02:00:00:00:00:0${name.at(-1)}`,
      segment: 'underlay',
    });
    linkSet(netns, 'eth0', { up: true });
    addrAdd(netns, 'eth0', { ip: `192.168.10.1${name.at(-1)}`, prefix: 24 });
    return createHost(name, [netns], ['br_netfilter']);
  };
  const world = createWorld({
    name: 'test',
    hostNames,
    compile: (name) => {
      compiled.push(name);
      return host(name);
    },
    segments: [
      {
        name: 'underlay',
        mtu: 1500,
        attachments: hostNames.flatMap((name) =>
          [...host(name).netns.values()].flatMap((netns) =>
            attachmentsOf(netns).map(({ segment: _, ...attachment }) => attachment),
          ),
        ),
        cuts: [],
      },
    ],
    book: createBook([], []),
  });
  return { world, compiled };
};

describe('a World', () => {
  it('compiles a host once, when it is asked for', () => {
    const { world, compiled } = build();
    expect(compiled).toEqual([]);
    expect(world.host('node-2')).toBe(world.host('node-2'));
    expect(netnsOf(world, 'node-2/host').id).toBe('node-2/host');
    expect(compiled).toEqual(['node-2']);
  });

  it('knows no host or namespace that was not named', () => {
    const { world } = build();
    expect(() => world.host('node-9')).toThrow('no host node-9');
    expect(() => netnsOf(world, 'node-1/default/pod-a')).toThrow(
      'no network namespace node-1/default/pod-a',
    );
  });

  it('can be copied, so that an edit of the copy does not show in it', () => {
    const { world, compiled } = build();
    const copy = cloneWorld(world);
    expect(compiled).toEqual([]);
    const [before, after] = [netnsOf(world, 'node-1/host'), netnsOf(copy, 'node-1/host')];
    const original = structuredClone({ ...before, listeners: undefined });
    routeAdd(after, { dst: '10.0.0.0/8', via: '192.168.10.1' });
    linkSet(after, 'eth0', { up: false });
    after.members.push({ name: 'intruder' });
    after.sysctls.set('net.ipv4.ip_forward', { value: '1' });
    expect({ ...before, listeners: undefined }).toEqual(original);
    expect(findDev(after, 'eth0')?.up).toBe(false);
    expect(compiled).toEqual(['node-1']);
  });

  it('can have one host replaced', () => {
    const { world, compiled } = build();
    const other = createHost('node-1', []);
    const changed = withHost(world, other);
    expect(changed.host('node-1')).toBe(other);
    expect(changed.host('node-2')).toBe(world.host('node-2'));
    expect(compiled).toEqual(['node-2']);
  });

  it('tells its wires about new addresses and MACs', () => {
    const { world } = build();
    const copy = cloneWorld(world);
    const node = netnsOf(copy, 'node-1/host');
    addrAdd(node, 'eth0', { ip: '192.168.10.99', prefix: 24 });
    linkSet(node, 'eth0', { mac: '02:00:00:00:00:77' });
    const fresh = refreshSegments(copy, ['node-1/host']).segments.get('underlay');
    if (!fresh) throw new Error('no wire');
    expect(attachmentsByIp(fresh, '192.168.10.99')).toEqual(
      attachmentsByMac(fresh, '02:00:00:00:00:77'),
    );
    expect(attachmentsByMac(fresh, '02:00:00:00:00:01')).toEqual([]);
    expect(fresh.attachments.map(({ host }) => host)).toEqual(['node-1', 'node-2', 'node-3']);
    expect(world.segments.get('underlay')?.attachments[0]?.ips).toEqual(['192.168.10.11']);
  });

  it('can have a wire cut', () => {
    const { world } = build();
    const cut = { from: 'node-1', to: 'node-2', drop: 'all' } as const;
    expect(withCuts(world, 'underlay', [cut]).segments.get('underlay')?.cuts).toEqual([cut]);
    expect(world.segments.get('underlay')?.cuts).toEqual([]);
    expect(() => withCuts(world, 'nowhere', [cut])).toThrow('no segment nowhere');
  });
});
