/** What becomes of packets that come in: for us, for others, or impossible. */
import { describe, expect, it } from 'vitest';
import { createBook } from '../../src/kernel/book.ts';
import { addrAdd, linkAdd, linkSet, routeAdd, sysctlSet } from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import type { InputKey } from '../../src/kernel/route-input.ts';
import { ipRouteInput } from '../../src/kernel/route-input.ts';
import type { Netns } from '../../src/kernel/world.ts';
import { createHost, createWorld } from '../../src/kernel/world-build.ts';

/** A router between 10.0.0.0/24 (eth0) and 10.1.0.0/24 (eth1) that forwards. */
const router = (): Netns => {
  const netns = createNetns({ host: 'r', name: 'host' });
  linkSet(netns, 'lo', { up: true });
  for (const n of [0, 1]) {
    linkAdd(netns, { kind: 'physical', ifname: `eth${n}`, mac: `02:00:00:00:00:0${n}` });
    linkSet(netns, `eth${n}`, { up: true });
    addrAdd(netns, `eth${n}`, { ip: `10.${n}.0.1`, prefix: 24 });
  }
  sysctlSet(netns, 'net.ipv4.ip_forward', '1');
  return netns;
};

const ask = (netns: Netns, key: Partial<InputKey>) =>
  ipRouteInput(
    createWorld({
      name: 'test',
      hostNames: ['r'],
      compile: () => createHost('r', [netns]),
      segments: [],
      book: createBook([], []),
    }),
    netns,
    { src: '10.0.0.9', dst: '10.1.0.9', iif: 'eth0', ...key },
  );

describe('ipRouteInput', () => {
  it('forwards to the device and the gateway of the row', () => {
    const netns = router();
    routeAdd(netns, { dst: '10.9.0.0/16', via: '10.1.0.9' });
    expect(ask(netns, {})).toMatchObject({ kind: 'forward', dev: 'eth1', redirect: false });
    expect(ask(netns, {})).not.toHaveProperty('gateway');
    expect(ask(netns, { dst: '10.9.1.1' })).toMatchObject({ dev: 'eth1', gateway: '10.1.0.9' });
  });

  it('keeps what is for any of its addresses', () => {
    expect(ask(router(), { dst: '10.1.0.1' }).kind).toBe('local');
    expect(ask(router(), { dst: '10.0.0.255' }).kind).toBe('broadcast');
    expect(ask(router(), { dst: '255.255.255.255', src: '0.0.0.0' }).kind).toBe('broadcast');
  });

  it('tells the sender when it could have gone there itself', () => {
    const netns = router();
    routeAdd(netns, { dst: '10.9.0.0/16', via: '10.0.0.7' });
    expect(ask(netns, { dst: '10.9.1.1' })).toMatchObject({ dev: 'eth0', redirect: true });
    sysctlSet(netns, 'net.ipv4.conf.all.send_redirects', '0');
    sysctlSet(netns, 'net.ipv4.conf.eth0.send_redirects', '0');
    expect(ask(netns, { dst: '10.9.1.1' })).toMatchObject({ dev: 'eth0', redirect: false });
  });

  it('answers what it has no way for by ICMP, and stays silent when it does not forward', () => {
    const netns = router();
    routeAdd(netns, { dst: '10.5.0.0/16', type: 'unreachable' });
    routeAdd(netns, { dst: '10.6.0.0/16', type: 'prohibit' });
    routeAdd(netns, { dst: '10.7.0.0/16', type: 'blackhole' });
    const answers = () =>
      ['192.0.2.1', '10.5.0.1', '10.6.0.1', '10.7.0.1'].map((dst) => {
        const route = ask(netns, { dst });
        return route.kind === 'error' ? `${route.errno} ${route.icmp?.code} ${route.reason}` : '';
      });
    expect(answers()).toEqual([
      'ENETUNREACH 0 IP_INNOROUTES',
      'EHOSTUNREACH 1 NOT_SPECIFIED',
      'EACCES 13 NOT_SPECIFIED',
      'EINVAL undefined NOT_SPECIFIED',
    ]);
    sysctlSet(netns, 'net.ipv4.conf.eth0.forwarding', '0');
    expect(new Set(answers())).toEqual(new Set(['EHOSTUNREACH undefined IP_INADDRERRORS']));
    expect(ask(netns, {})).toMatchObject({ kind: 'error', forwarding: false });
  });

  it.each<[string, Partial<InputKey>, string]>([
    ['a multicast source', { src: '224.0.0.1' }, 'source IP_INVALID_SOURCE'],
    ['no source', { src: '0.0.0.0' }, 'source IP_INVALID_SOURCE'],
    ['no destination', { dst: '0.0.0.0' }, 'destination IP_INVALID_DEST'],
    ['a loopback destination', { dst: '127.0.0.1' }, 'destination IP_LOCALNET'],
    ['a loopback source', { src: '127.0.0.1' }, 'source IP_LOCALNET'],
    ['its own address as source', { src: '10.1.0.1' }, 'source IP_LOCAL_SOURCE'],
  ])('drops %s', (_, key, expected) => {
    const route = ask(router(), key);
    expect(route.kind === 'drop' && `${route.martian} ${route.reason}`).toBe(expected);
  });

  it('lets loopback addresses in where route_localnet says so', () => {
    const netns = router();
    sysctlSet(netns, 'net.ipv4.conf.eth0.route_localnet', '1');
    expect(ask(netns, { dst: '127.0.0.1' }).kind).toBe('local');
  });

  it('believes its own address as source where accept_local says so', () => {
    const netns = router();
    sysctlSet(netns, 'net.ipv4.conf.eth0.accept_local', '1');
    expect(ask(netns, { src: '10.1.0.1' }).kind).toBe('forward');
  });

  describe('rp_filter', () => {
    const outcome = (mode: string, src: string): string => {
      const netns = router();
      sysctlSet(netns, 'net.ipv4.conf.all.rp_filter', mode);
      const route = ask(netns, { src });
      return route.kind === 'drop' ? route.reason : route.kind;
    };

    it('strict wants the way back through the device it came in by', () => {
      expect([
        outcome('1', '10.0.0.9'),
        outcome('1', '10.1.0.9'),
        outcome('1', '192.0.2.1'),
      ]).toEqual(['forward', 'IP_RPFILTER', 'IP_RPFILTER']);
    });

    it('loose wants any way back', () => {
      expect([outcome('2', '10.1.0.9'), outcome('2', '192.0.2.1')]).toEqual([
        'forward',
        'IP_RPFILTER',
      ]);
    });

    it('off wants none', () => {
      expect(outcome('0', '192.0.2.1')).toBe('forward');
    });

    it('shows the row that leads back', () => {
      const netns = router();
      sysctlSet(netns, 'net.ipv4.conf.eth0.rp_filter', '1');
      expect(ask(netns, { src: '10.1.0.9' })).toMatchObject({
        kind: 'drop',
        reverse: { row: { dst: '10.1.0.0/24', dev: 'eth1' } },
      });
    });
  });

  it('leaves multicast to others', () => {
    expect(ask(router(), { dst: '224.0.0.1' })).toMatchObject({ reason: 'not-modelled' });
  });
});
