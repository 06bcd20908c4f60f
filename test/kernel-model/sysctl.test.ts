/** The names of settings, and what all, default and a device mean together. */
import { describe, expect, it } from 'vitest';
import { addrAdd, linkAdd, linkDel, sysctlSet } from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import { canonicalSysctl, ipv4DevConf, sysctlGet, sysctlKnown } from '../../src/kernel/sysctl.ts';
import type { Netns } from '../../src/kernel/world.ts';

const node = (): Netns => {
  const netns = createNetns({ host: 'node-1', name: 'host' });
  linkAdd(netns, { kind: 'bridge', ifname: 'cni0', mac: '02:00:00:00:00:01' });
  linkAdd(netns, { kind: 'bridge', ifname: 'flannel.1', mac: '02:00:00:00:00:02' });
  return netns;
};

describe('the name of a setting', () => {
  it.each([
    ['net.ipv4.ip_forward', 'net.ipv4.ip_forward'],
    ['net/ipv4/ip_forward', 'net.ipv4.ip_forward'],
    ['net.ipv4.conf.all.forwarding', 'net.ipv4.ip_forward'],
    ['net.ipv4.conf.flannel/1.rp_filter', 'net.ipv4.conf.flannel/1.rp_filter'],
    ['net/ipv4/conf/flannel.1/rp_filter', 'net.ipv4.conf.flannel/1.rp_filter'],
  ])('%s is %s', (typed, canonical) => {
    expect(canonicalSysctl(typed)).toBe(canonical);
  });

  it('is known for what is modelled, and for devices that are there', () => {
    const netns = node();
    const known = [
      'net.ipv4.ip_default_ttl',
      'net.ipv4.conf.cni0.rp_filter',
      'net/ipv4/conf/flannel.1/rp_filter',
      'net.ipv4.neigh.default.mcast_solicit',
      'net.ipv6.conf.all.disable_ipv6',
    ];
    const unknown = [
      'net.ipv4.no_such_thing',
      'net.ipv4.conf.eth9.rp_filter',
      'net.ipv4.conf.cni0.constructor',
      'net.ipv4.conf.cni0',
    ];
    expect(known.filter((key) => !sysctlKnown(netns, key))).toEqual([]);
    expect(unknown.filter((key) => sysctlKnown(netns, key))).toEqual([]);
    expect(() => sysctlGet(netns, 'net.ipv4.no_such_thing')).toThrow('No such file or directory');
  });
});

describe('sysctlSet', () => {
  it('forwards on every device, and on new ones, with ip_forward', () => {
    const netns = node();
    sysctlSet(netns, 'net.ipv4.ip_forward', '1');
    linkAdd(netns, { kind: 'bridge', ifname: 'br9', mac: '02:00:00:00:00:09' });
    expect(
      ['lo', 'cni0', 'flannel.1', 'br9'].map((dev) => ipv4DevConf(netns, dev, 'forwarding')),
    ).toEqual([1, 1, 1, 1]);
    sysctlSet(netns, 'net.ipv4.conf.cni0.forwarding', '0');
    // Written again with the value it has, ip_forward changes nothing.
    sysctlSet(netns, 'net.ipv4.ip_forward', '1');
    expect(ipv4DevConf(netns, 'cni0', 'forwarding')).toBe(0);
  });

  it('sets old devices by default only while nobody configured them', () => {
    const netns = node();
    sysctlSet(netns, 'net.ipv4.conf.cni0.rp_filter', '2');
    sysctlSet(netns, 'net.ipv4.conf.default.rp_filter', '1');
    const value = (dev: string) => sysctlGet(netns, `net.ipv4.conf.${dev}.rp_filter`);
    expect([value('cni0'), value('flannel/1')]).toEqual(['2', '1']);
    addrAdd(netns, 'flannel.1', { ip: '10.0.0.1', prefix: 24 });
    sysctlSet(netns, 'net.ipv4.conf.default.rp_filter', '0');
    expect([value('cni0'), value('flannel/1')]).toEqual(['2', '1']);
  });

  it('forgets a device that is gone', () => {
    const netns = node();
    sysctlSet(netns, 'net.ipv4.conf.cni0.rp_filter', '2');
    linkDel(netns, 'cni0');
    linkAdd(netns, { kind: 'bridge', ifname: 'cni0', mac: '02:00:00:00:00:01' });
    expect(sysctlGet(netns, 'net.ipv4.conf.cni0.rp_filter')).toBe('0');
  });
});

describe('ipv4DevConf', () => {
  const together = (
    name: 'rp_filter' | 'accept_local' | 'accept_source_route' | 'forwarding' | 'accept_redirects',
  ) =>
    ['00', '01', '10', '11', '12'].map((pair) => {
      const netns = node();
      sysctlSet(netns, `net.ipv4.conf.all.${name}`, pair[0] ?? '');
      sysctlSet(netns, `net.ipv4.conf.cni0.${name}`, pair[1] ?? '');
      return ipv4DevConf(netns, 'cni0', name);
    });

  it('takes the larger one, either one, both or the device alone', () => {
    expect(together('rp_filter')).toEqual([0, 1, 1, 1, 2]);
    expect(together('accept_local').map(Boolean)).toEqual([false, true, true, true, true]);
    expect(together('accept_source_route').map(Boolean)).toEqual([false, false, false, true, true]);
    expect(together('forwarding').map(Boolean)).toEqual([false, true, false, true, true]);
    expect(together('accept_redirects').map(Boolean)).toEqual([false, true, true, true, true]);
  });
});
