/** What rtnetlink says about routes: in the kernel's words, and in its order. */
import { describe, expect, it } from 'vitest';
import type { RouteMode, RouteSpec } from '../../../src/kernel/netlink.ts';
import { addrAdd, linkAdd, linkSet, routeAdd, routeDel } from '../../../src/kernel/netlink.ts';
import { createNetns } from '../../../src/kernel/netns.ts';
import type { Netns } from '../../../src/kernel/world.ts';

const node = (): Netns => {
  const netns = createNetns({ host: 'node-1', name: 'host' });
  linkAdd(netns, { kind: 'physical', ifname: 'eth0', mac: '02:00:00:00:00:01' });
  linkAdd(netns, { kind: 'physical', ifname: 'eth1', mac: '02:00:00:00:00:02' });
  linkSet(netns, 'eth0', { up: true });
  addrAdd(netns, 'eth0', { ip: '192.168.10.11', prefix: 24 });
  return netns;
};

const refusal = (netns: Netns, spec: RouteSpec, mode?: RouteMode): string => {
  try {
    routeAdd(netns, spec, undefined, mode);
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe('routeAdd', () => {
  it.each<[string, RouteSpec, string]>([
    ['a gateway on the link', { dst: '10.0.0.0/8', via: '192.168.10.1' }, 'ok'],
    [
      'a gateway that is on no link',
      { dst: '10.0.0.0/8', via: '172.16.0.1' },
      'Error: Nexthop has invalid gateway.',
    ],
    [
      'a gateway behind a device that is down',
      { dst: '10.0.0.0/8', via: '172.16.0.1', dev: 'eth1', onlink: true },
      'Error: Nexthop device is not up.',
    ],
    [
      'onlink, wherever it is',
      { dst: '10.0.0.0/8', via: '172.16.0.1', dev: 'eth0', onlink: true },
      'ok',
    ],
    [
      'a device that is down',
      { dst: '10.0.0.0/8', dev: 'eth1' },
      'Error: Device for nexthop is not up.',
    ],
    ['no such device', { dst: '10.0.0.0/8', dev: 'eth9' }, 'Cannot find device "eth9"'],
    [
      'a source that is nobody here',
      { dst: '10.0.0.0/8', dev: 'eth0', src: '10.9.9.9' },
      'Error: Invalid prefsrc address.',
    ],
    [
      'a blackhole with a device',
      { dst: '10.0.0.0/8', type: 'blackhole', dev: 'eth0' },
      'Error: Gateway, device and multipath can not be specified for this route type.',
    ],
    [
      'host bits',
      { dst: '10.0.0.1/8', dev: 'eth0' },
      'Error: Invalid prefix for given prefix length.',
    ],
  ])('takes or refuses %s', (_, spec, expected) => {
    expect(refusal(node(), spec)).toBe(expected);
  });

  it('gives the scope and the table that iproute2 gives', () => {
    const netns = node();
    const made = (spec: RouteSpec) => {
      const { scope, table } = routeAdd(netns, spec);
      return `${scope} ${table}`;
    };
    expect([
      made({ dst: '10.1.0.0/16', via: '192.168.10.1' }),
      made({ dst: '10.2.0.0/16', dev: 'eth0' }),
      made({ dst: '10.3.0.0/16', type: 'local', dev: 'eth0' }),
      made({ dst: '10.4.0.0/16', type: 'blackhole' }),
    ]).toEqual(['global 254', 'link 254', 'host 255', 'global 254']);
  });

  it('keeps rows of one prefix in the order of their metric, then as they were put', () => {
    const netns = node();
    const gateways = (): (string | undefined)[] =>
      netns.routes.filter(({ dst }) => dst === '10.0.0.0/8').map(({ via }) => via?.slice(11));
    const add = (n: number, metric: number, mode: RouteMode) =>
      refusal(netns, { dst: '10.0.0.0/8', via: `192.168.10.${n}`, metric }, mode);
    expect(add(3, 5, 'add')).toBe('ok');
    expect(add(1, 0, 'add')).toBe('ok');
    expect(add(4, 5, 'add')).toBe('RTNETLINK answers: File exists');
    expect(add(4, 5, 'append')).toBe('ok');
    expect(add(2, 5, 'prepend')).toBe('ok');
    expect(gateways()).toEqual(['1', '2', '3', '4']);
    expect(add(4, 5, 'append')).toBe('RTNETLINK answers: File exists');
    expect(add(9, 5, 'replace')).toBe('ok');
    expect(gateways()).toEqual(['1', '9', '3', '4']);
    expect(add(8, 7, 'change')).toBe('RTNETLINK answers: No such file or directory');
  });
});

describe('routeDel', () => {
  it('takes the row with the lowest metric that matches', () => {
    const netns = node();
    routeAdd(netns, { dst: '10.0.0.0/8', via: '192.168.10.2', metric: 9 });
    routeAdd(netns, { dst: '10.0.0.0/8', via: '192.168.10.1' });
    expect(routeDel(netns, { dst: '10.0.0.0/8' }).via).toBe('192.168.10.1');
    expect(routeDel(netns, { dst: '10.0.0.0/8' }).via).toBe('192.168.10.2');
    expect(() => routeDel(netns, { dst: '10.0.0.0/8' })).toThrow(
      'RTNETLINK answers: No such process',
    );
  });
});

describe('several next hops', () => {
  const router = (): Netns => {
    const netns = node();
    linkSet(netns, 'eth1', { up: true });
    addrAdd(netns, 'eth1', { ip: '192.168.20.11', prefix: 24 });
    return netns;
  };
  const nexthops = [{ via: '192.168.10.1' }, { via: '192.168.20.1', weight: 3 }];
  const hopsIn = ({ routes }: Netns): string[] =>
    routes.flatMap(({ nexthops: hops = [] }) =>
      hops.map(({ dev, weight, dead }) => `${dev} ${weight}${dead ? ' dead' : ''}`),
    );

  it('are each led to a device; one alone is a plain gateway', () => {
    const netns = router();
    expect(routeAdd(netns, { dst: '10.0.0.0/8', nexthops })).toMatchObject({ scope: 'global' });
    expect(hopsIn(netns)).toEqual(['eth0 1', 'eth1 3']);
    expect(routeAdd(netns, { dst: '10.0.0.0/9', nexthops: nexthops.slice(1) })).toMatchObject({
      via: '192.168.20.1',
      dev: 'eth1',
    });
  });

  it('die with their device and come back with it; the route goes with the last, or a device', () => {
    const netns = router();
    routeAdd(netns, { dst: '10.0.0.0/8', nexthops });
    linkSet(netns, 'eth1', { up: false });
    expect(hopsIn(netns)).toEqual(['eth0 1', 'eth1 3 dead']);
    linkSet(netns, 'eth1', { up: true });
    expect(hopsIn(netns)).toEqual(['eth0 1', 'eth1 3']);
    linkSet(netns, 'eth0', { up: false });
    linkSet(netns, 'eth1', { up: false });
    expect(hopsIn(netns)).toEqual([]);
  });

  it.each<[string, Partial<RouteSpec>, string]>([
    ['host scope', { scope: 'host' }, 'Route with host scope can not have multiple nexthops'],
    ['another device', { dev: 'eth1' }, 'Nexthop device index does not match RTA_OIF'],
    [
      'another gateway',
      { via: '192.168.10.2' },
      'Nexthop gateway does not match RTA_GATEWAY or RTA_VIA',
    ],
    [
      'a blackhole',
      { type: 'blackhole' },
      'Gateway, device and multipath can not be specified for this route type',
    ],
  ])('are refused with %s', (_, more, expected) => {
    expect(refusal(router(), { dst: '10.0.0.0/8', nexthops, ...more })).toBe(`Error: ${expected}.`);
  });
});
