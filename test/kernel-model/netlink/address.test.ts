/** Which rows come with an address, and which go with it. */
import { describe, expect, it } from 'vitest';
import {
  addrAdd,
  addrDel,
  linkAdd,
  linkSet,
  NetlinkError,
  routeAdd,
  sysctlSet,
} from '../../../src/kernel/netlink.ts';
import { createNetns } from '../../../src/kernel/netns.ts';
import type { Origin } from '../../../src/kernel/origin.ts';
import type { Netns } from '../../../src/kernel/world.ts';

const node = (): Netns => {
  const netns = createNetns({ host: 'node-1', name: 'host' });
  linkAdd(netns, { kind: 'physical', ifname: 'eth0', mac: '02:00:00:00:00:01' });
  return netns;
};

const rows = (netns: Netns): string[] =>
  netns.routes.map(
    ({ table, type, dst, dev, scope, src }) => `${table} ${type} ${dst} ${dev} ${scope} ${src}`,
  );

describe('addrAdd', () => {
  it('makes the address local at once, and reaches its subnet when the device is up', () => {
    const netns = node();
    addrAdd(netns, 'eth0', { ip: '192.168.10.11', prefix: 24, broadcast: '192.168.10.255' });
    expect(rows(netns)).toEqual(['255 local 192.168.10.11/32 eth0 host 192.168.10.11']);
    linkSet(netns, 'eth0', { up: true });
    expect(rows(netns)).toEqual([
      '255 local 192.168.10.11/32 eth0 host 192.168.10.11',
      '255 broadcast 192.168.10.255/32 eth0 link 192.168.10.11',
      '254 unicast 192.168.10.0/24 eth0 link 192.168.10.11',
    ]);
  });

  it('gives a /32 nothing but its local row', () => {
    const netns = node();
    linkSet(netns, 'eth0', { up: true });
    addrAdd(netns, 'eth0', { ip: '10.244.1.0', prefix: 32 });
    expect(rows(netns)).toEqual(['255 local 10.244.1.0/32 eth0 host 10.244.1.0']);
  });

  it('makes all of 127.0.0.0/8 local when lo comes up', () => {
    const netns = node();
    linkSet(netns, 'lo', { up: true });
    expect(rows(netns)).toEqual([
      '255 local 127.0.0.1/32 lo host 127.0.0.1',
      '255 local 127.0.0.0/8 lo host 127.0.0.1',
      '255 broadcast 127.255.255.255/32 lo link 127.0.0.1',
    ]);
  });

  it('names what the address was made for in the rows of the kernel', () => {
    const netns = node();
    linkSet(netns, 'eth0', { up: true });
    const origin: Origin = {
      by: 'cni',
      why: 'bridge-gateway',
      object: { kind: 'Node', name: 'node-1' },
    };
    addrAdd(netns, 'eth0', { ip: '10.244.1.1', prefix: 24 }, origin);
    expect(netns.routes.map((row) => row.origin)).toEqual([
      { ...origin, by: 'kernel', why: 'local-route' },
      { ...origin, by: 'kernel', why: 'connected-route' },
      { ...origin, by: 'kernel', why: 'broadcast-route' },
    ]);
  });

  it('refuses the same address twice', () => {
    const netns = node();
    addrAdd(netns, 'eth0', { ip: '10.0.0.1', prefix: 24 });
    expect(() => addrAdd(netns, 'eth0', { ip: '10.0.0.1', prefix: 24 })).toThrow(
      new NetlinkError('EEXIST', 'ipv4: Address already assigned'),
    );
  });
});

describe('addrDel', () => {
  const two = (): Netns => {
    const netns = node();
    linkSet(netns, 'eth0', { up: true });
    addrAdd(netns, 'eth0', { ip: '10.0.0.1', prefix: 24 });
    addrAdd(netns, 'eth0', { ip: '10.0.0.2', prefix: 24 });
    addrAdd(netns, 'eth0', { ip: '10.0.9.1', prefix: 24 });
    return netns;
  };
  const addresses = (netns: Netns): string[] =>
    netns.devices.flatMap((dev) => dev.addresses.map(({ ip, secondary }) => `${ip} ${secondary}`));

  it('takes secondary addresses along', () => {
    const netns = two();
    expect(addresses(netns)).toEqual(['10.0.0.1 undefined', '10.0.9.1 undefined', '10.0.0.2 true']);
    addrDel(netns, 'eth0', '10.0.0.1', 24);
    expect(addresses(netns)).toEqual(['10.0.9.1 undefined']);
  });

  it('lets the first secondary address inherit, where that is set', () => {
    const netns = two();
    sysctlSet(netns, 'net.ipv4.conf.eth0.promote_secondaries', '1');
    addrDel(netns, 'eth0', '10.0.0.1', 24);
    expect(addresses(netns)).toEqual(['10.0.9.1 undefined', '10.0.0.2 undefined']);
    expect(rows(netns)).toContain('254 unicast 10.0.0.0/24 eth0 link 10.0.0.2');
  });

  it('drops the routes that prefer it as source, and with the last address all of the device', () => {
    const netns = two();
    routeAdd(netns, { dst: '10.8.0.0/16', via: '10.0.9.9', src: '10.0.0.2' });
    routeAdd(netns, { dst: '10.7.0.0/16', via: '10.0.9.9' });
    addrDel(netns, 'eth0', '10.0.0.1', 24);
    expect(rows(netns)).toContain('254 unicast 10.7.0.0/16 eth0 global undefined');
    expect(rows(netns)).not.toContain('254 unicast 10.8.0.0/16 eth0 global 10.0.0.2');
    addrDel(netns, 'eth0', '10.0.9.1', 24);
    expect(netns.routes).toEqual([]);
  });
});
